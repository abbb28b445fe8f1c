"""What Lab asks for again and again and need not have: answered with nothing, so that it stops asking.

A refusal is the right answer to a person; to these few questions of the interface it is noise in the browser's
console, retries without end and errors nobody caught. The answers are fixed before any request comes: no file, name or
state of the workspace is in them. Only these exact questions; every other spelling meets the path list and its refusal.
"""

from __future__ import annotations

import re
from typing import Any

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

_EVENTS = "/api/events/subscribe"
_FIXED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/api/nbconvert"), "{}"),
    (re.compile(r"/lab/api/build"), '{"status": "stable", "message": ""}'),
    (re.compile(r"/api/contents(?:/[^/]+){1,9}/checkpoints"), "[]"),
)


class NoEvents(JupyterHandler, WebSocketHandler):
    """A channel on which nothing is ever said. Whoever may not enter the workspace may not open it either."""

    auth_resource = "events"

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        await WebSocketHandler.get(self, *args, **kwargs)

    def on_message(self, message: str | bytes) -> None:
        return  # nothing is listened to


class Nothing(RequestHandler):
    """A fixed document that holds nothing."""

    def initialize(self, document: str) -> None:
        self._document = document

    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(self._document)


def answer_to(*, method: str, path: str, base_url: str) -> tuple[type[RequestHandler], dict[str, Any]] | None:
    """The handler, with its arguments, that answers one of the questions above; None for everything else."""
    base = base_url.rstrip("/")
    if method != "GET" or not path.startswith(base + "/"):
        return None
    rest = path[len(base) :]
    if rest == _EVENTS:
        return NoEvents, {}
    for pattern, document in _FIXED:
        if pattern.fullmatch(rest):
            return Nothing, {"document": document}
    return None
