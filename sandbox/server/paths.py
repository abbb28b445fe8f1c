"""Which requests the server answers at all: method and path, on a list; everything else is 403.

Pure. Deny by default at the application's look-up of a handler, so that an upgrade which adds a route adds nothing.
The list holds what JupyterLab 4.6 asks for when it opens, edits and runs a notebook, and no more: no /files, /view,
/nbconvert, terminals, LSP, metrics, checkpoints, trust, extension manager, build, licences or spec.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import parse_qs, unquote_to_bytes

_READ = frozenset({"GET", "HEAD"})
_KERNEL = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ASSET = r"[\w@.\-/+~!]+"
_SEGMENTS = r"(?:/[^/]+)*"

_ALLOWED: tuple[tuple[frozenset[str], re.Pattern[str]], ...] = tuple(
    (frozenset(methods.split()), re.compile(pattern))
    for methods, pattern in (
        ("GET HEAD", r"/?"),
        ("GET HEAD", rf"/lab(?:/(?:tree|workspaces){_SEGMENTS})?/?"),
        ("GET HEAD", rf"/static/{_ASSET}"),
        ("GET HEAD", rf"/lab/(?:extensions|api/themes)/{_ASSET}"),
        ("GET", r"/lab/api/settings/?"),
        ("GET PUT", r"/lab/api/settings/[\w@.\-/:%]+"),
        ("GET", r"/lab/api/workspaces/?"),
        ("GET PUT DELETE", r"/lab/api/workspaces/[\w.\-%/:]+"),
        ("GET", r"/lab/api/translations/?[\w\-]*"),
        ("GET", r"/lab/api/listings/[\w@.\-]+"),
        ("GET", r"/api/?"),
        ("GET", r"/api/(?:me|status|kernelspecs)/?"),
        ("GET", r"/api/kernelspecs/[\w.\-]+"),
        ("GET", r"/kernelspecs/[\w.\-]+/logo-(?:32x32|64x64|svg)\.(?:png|svg)"),
        ("GET POST", r"/api/(?:kernels|sessions)/?"),
        ("GET DELETE", rf"/api/kernels/{_KERNEL}"),
        ("POST", rf"/api/kernels/{_KERNEL}/(?:interrupt|restart)"),
        ("GET", rf"/api/kernels/{_KERNEL}/channels"),
        ("GET PATCH DELETE", rf"/api/sessions/{_KERNEL}"),
        ("GET POST PUT PATCH DELETE", rf"/api/contents{_SEGMENTS}/?"),
        ("GET", r"/(?:logout|oauth_callback)"),
        ("GET POST", r"/login"),
    )
)
_RESERVED_TAILS = ("checkpoints", "trust")
"""Jupyter reads these after a name as acts on the file; a name of that spelling is refused along with them."""


def is_allowed(*, method: str, path: str, query: str, base_url: str) -> bool:
    """Whether this request is one that is answered. `path` and `query` as they came, still percent-encoded."""
    base = base_url.rstrip("/")
    if path != base and not path.startswith(base + "/"):
        return False
    rest = path[len(base) :]
    if not _is_plain(rest) or _asks_for_bulk(query):
        return False
    if rest.startswith("/api/contents") and any(tail in rest.split("/")[3:] for tail in _RESERVED_TAILS):
        return False
    return any(method in methods and pattern.fullmatch(rest) for methods, pattern in _ALLOWED)


def _is_plain(path: str) -> bool:
    """No way to write one path as another: no empty or dotted segment, none that hides a slash or a control sign."""
    if len(path) > 2000 or "//" in path:
        return False
    for segment in path.split("/"):
        try:
            name = unquote_to_bytes(segment).decode("utf-8")
        except UnicodeDecodeError:
            return False
        if name in (".", "..") or "/" in name or "\\" in name:
            return False
        if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in name):
            return False
    return True


def _asks_for_bulk(query: str) -> bool:
    said = parse_qs(query, keep_blank_values=True)
    return "download" in said or "base64" in [value.lower() for value in said.get("format", [])]
