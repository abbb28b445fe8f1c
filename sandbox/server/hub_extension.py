"""The name under which Jupyter's extension machinery finds the hub's door; it wants a module of its own."""

from __future__ import annotations

from typing import Any

from sandbox.server.app import ConfinedSingleUser


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "sandbox.server.hub_extension", "app": ConfinedSingleUser}]
