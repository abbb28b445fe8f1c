"""Wiring to JupyterHub: authenticator, spawner and the hub gateway of a workspace."""
