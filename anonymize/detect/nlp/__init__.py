"""Names, places and organisations in free text: a small network, and rules for how clerks write."""
