"""One check a file; the registry lists them."""
