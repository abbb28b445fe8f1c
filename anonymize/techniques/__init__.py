"""What can be done to a column: one technique a file."""
