"""A spec in, a confined workspace and a frozen outbox out."""
