"""Equivalence classes, risk and the search for the best generalization."""
