"""What runs beside the operator's browser (box A)."""
