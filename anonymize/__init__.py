"""Tables in, safer tables and a report out. Knows no people, licences, HTTP, hub or sandbox."""
