"""Isolated workspaces opened under a licence."""
