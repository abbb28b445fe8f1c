"""Noisy statistics: figures about a raw table under differential privacy, out of a budget that the bureau grants."""
