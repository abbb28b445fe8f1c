"""Noisy statistics: differential privacy by OpenDP, and the budget that bounds what may be asked of one table."""
