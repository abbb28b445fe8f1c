"""Scenarios and licences: who may do what with which columns, for what purpose, until when."""
