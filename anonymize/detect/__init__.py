"""Which columns and texts identify a person or a firm."""
