"""Organisations, people, appointments and roles."""
