"""The one hub of the process JupyterHub runs in: authenticator, spawner and configuration share it."""

from __future__ import annotations

from functools import cache

from hub.context import Hub, open_hub


@cache
def site() -> Hub:
    """Opened at first use, with the settings of the environment."""
    return open_hub()
