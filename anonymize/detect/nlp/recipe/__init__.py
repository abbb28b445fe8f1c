"""How the weights were made. Nothing here runs in the product; see README.md."""
