"""What runs beside the operator's code (box B)."""
