"""The demonstration district: generated tables, people and the terminal walk."""
