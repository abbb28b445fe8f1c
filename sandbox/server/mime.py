"""Which representations of a result may reach the browser, each rebuilt from what it should be.

Bytes from a kernel are hostile. A representation that is unknown, malformed or able to run script is left out; what
remains is written anew, never passed along. HTML is parsed and rebuilt from a list of elements and attributes; links
that lead anywhere are dropped, because a click would carry data out.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser

MAX_HTML_DEPTH = 64
_ELEMENT_NAMES = (
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd "
    "li mark ol p pre s samp small span strong sub summary sup table tbody td tfoot th thead tr tt u ul var"
)
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
_VOID = frozenset({"br", "col", "hr", "img"})
_DROPPED_NAMES = (
    "applet audio canvas embed frame frameset head iframe math noembed noframes noscript object option script select "
    "style svg template textarea title video xmp"
)
_WITH_CONTENT = frozenset(_DROPPED_NAMES.split())
"""Dropped together with everything inside them."""
_ATTRIBUTES = frozenset({"class", "title", "colspan", "rowspan", "scope", "border", "align", "open", "lang", "dir"})
_PLAIN_VALUE = re.compile(r"[\w \-.%#/:;,()\u4e00-\u9fff]{0,200}")
_STYLES = frozenset(
    {
        *("text-align", "vertical-align", "font-weight", "font-style", "white-space"),
        *("color", "background-color", "width", "min-width", "max-width"),
    }
)
_STYLE_VALUE = re.compile(r"[a-zA-Z0-9#%. \-]{1,40}")
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=\s]+)")
_SIGNATURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def clean_bundle(bundle: object) -> dict[str, str]:
    """The representations that may pass, rebuilt; empty when none may."""
    if not isinstance(bundle, Mapping):
        return {}
    passed = {}
    for kind, clean in _KINDS.items():
        value = bundle.get(kind)
        if isinstance(value, list) and all(isinstance(line, str) for line in value):
            value = "".join(value)  # the notebook format writes text as a list of lines
        if isinstance(value, str) and (rebuilt := clean(value)) is not None:
            passed[kind] = rebuilt
    return passed


def clean_html(text: str) -> str:
    """The same table or text without anything that acts: no script, no style sheet, no address."""
    rebuilder = _Rebuilder()
    rebuilder.feed(text)
    rebuilder.close()
    return rebuilder.result()


def _image(kind: str) -> Callable[[str], str | None]:
    def clean(text: str) -> str | None:
        try:
            content = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            return None
        return base64.b64encode(content).decode("ascii") if content.startswith(_SIGNATURES[kind]) else None

    return clean


def _as_it_is(text: str) -> str:
    return text


_KINDS: Mapping[str, Callable[[str], str | None]] = {
    "text/plain": _as_it_is,
    "text/html": clean_html,
    "text/markdown": _as_it_is,  # Lab renders it through its own sanitiser
    "text/latex": _as_it_is,
    "image/png": _image("image/png"),
    "image/jpeg": _image("image/jpeg"),
}


class _Rebuilder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._dropping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping or tag in _WITH_CONTENT:
            if tag in _WITH_CONTENT:
                self._dropping.append(tag)
            return
        if tag not in _ELEMENTS or len(self._open) >= MAX_HTML_DEPTH:
            return
        attributes = _attributes(tag, attrs)
        if tag == "img" and not any(name == "src" for name, _ in attributes):
            return
        kept = "".join(f' {name}="{html.escape(value)}"' for name, value in attributes)
        self._out.append(f"<{tag}{kept}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _WITH_CONTENT:
            return
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            if tag in self._dropping:
                while self._dropping.pop() != tag:
                    pass
            return
        if tag in self._open:
            while True:
                closing = self._open.pop()
                self._out.append(f"</{closing}>")
                if closing == tag:
                    return

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self._out.append(html.escape(data, quote=False))

    def result(self) -> str:
        return "".join(self._out) + "".join(f"</{tag}>" for tag in reversed(self._open))


def _attributes(tag: str, attrs: list[tuple[str, str | None]]) -> list[tuple[str, str]]:
    kept = []
    for name, value in attrs:
        text = value or ""
        if name in _ATTRIBUTES and _PLAIN_VALUE.fullmatch(text):
            kept.append((name, text))
        elif name == "style" and (style := _style(text)):
            kept.append((name, style))
        elif tag == "img" and name == "src" and (image := _DATA_IMAGE.fullmatch(text)):
            kept.append((name, text[: image.start(1)] + "".join(image.group(1).split())))
    return kept


def _style(text: str) -> str:
    kept = []
    for declaration in text.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name in _STYLES and _STYLE_VALUE.fullmatch(value):
            kept.append(f"{name}: {value}")
    return "; ".join(kept)
