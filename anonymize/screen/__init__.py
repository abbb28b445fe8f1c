"""The output side: disclosure checks on any file that wants to leave."""
