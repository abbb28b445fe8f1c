"""What every request meets before any page: size, origin, and the headers of every answer.

Must hold:
1. A body is never larger than its path allows, whether or not its length was announced.
2. A request that can change something comes from one of our own pages: `Sec-Fetch-Site: same-origin`, or, for a
   browser that does not send it, an `Origin` that is our own host. Neither header: refused.
3. Every answer forbids foreign content, framing, sniffing, referrers and caching, unless it says something stricter.

The token in every form (visit.py) is a second lock on the same door.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM_BYTES = 1 * 2**20
"""Largest body of an ordinary form."""

UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})

CONTENT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-src 'self'; frame-ancestors 'none'"
)
REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; "
    "form-action 'none'"
)
"""For an HTML report shown in a frame: no script, no request, no form; its own inline style and images only."""

HEADERS: Mapping[str, str] = {
    "content-security-policy": CONTENT_POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class BodyTooLarge(Exception):
    """More bytes came than this path takes."""


class Guards:
    """ASGI middleware for the three rules above."""

    def __init__(self, app: ASGIApp, *, limits: Mapping[str, int]) -> None:
        """`limits`: path -> bytes, for the paths that take more than a form."""
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
                return
            raise ValueError("the portal speaks HTTP only")
        headers = Headers(scope=scope)
        limit = self._limits.get(scope["path"], FORM_BYTES)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    if name not in answer:
                        answer[name] = value
                if answer["content-security-policy"] == REPORT_POLICY:
                    answer["x-frame-options"] = "SAMEORIGIN"
            await send(message)

        if scope["method"] in UNSAFE_METHODS and not comes_from_us(headers):
            await _answer(403, "web.foreign_origin", scope, receive, send_guarded)
            return
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > limit:
            await _answer(413, "web.body_too_large", scope, receive, send_guarded)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise BodyTooLarge
            return message

        await self._app(scope, receive_counted, send_guarded)


async def _answer(status: int, code: str, scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"{code}\n", status_code=status)(scope, receive, send)


def comes_from_us(headers: Headers) -> bool:
    """Whether the browser says that one of our own pages made this request. Silence is no."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    host = headers.get("host")
    return bool(origin and host) and urlsplit(origin or "").netloc == host
