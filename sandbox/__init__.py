"""A spec in, a confined workspace and a frozen outbox out. Knows no licences, web or hub."""
