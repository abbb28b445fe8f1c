"""Desensitized extracts built under a licence."""
