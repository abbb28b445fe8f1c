"""One identifier a file. The registry lists them; nothing is found by scanning folders."""
