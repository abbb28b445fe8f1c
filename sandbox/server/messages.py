"""Messages from a kernel, rebuilt from a schema before any byte of them reaches the browser.

Pure. A message is parsed strictly, and a new one is made of the fields that its type has; what is not in the schema
does not exist. Unknown types, comms (widgets), debugger messages and binary buffers do not pass. One that is too large
becomes a notice. Sources: the Jupyter messaging protocol 5.4, and its WebSocket framing v1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.server.mime import clean_bundle

MAX_MESSAGE_BYTES = 1 * 2**20
"""Of one rebuilt message. A figure of 1000 by 600 points takes about 0.1 MiB."""
MAX_INPUT_BYTES = 4 * 2**20
"""Of one message before it is parsed."""
_MAX_LINES = 2000

_ID = re.compile(r"[\w.:\-]{1,128}", re.ASCII)
_DATE = re.compile(r"[0-9T:.+\-Z]{10,40}", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,3}){0,2}", re.ASCII)

Clean = Callable[[object], Any]


class Malformed(Exception):
    """The message is not what its type says. Carries no bytes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A message to send: four JSON parts (header, parent, metadata, content), made here."""

    kind: str
    parts: tuple[bytes, bytes, bytes, bytes]

    @property
    def size(self) -> int:
        return sum(len(part) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A message that does not pass, and why (a stable word). `parent`: what a notice would answer to, rebuilt."""

    reason: str
    parent: bytes = b"{}"
    notify: bool = False


def rebuild(channel: str, parts: Sequence[bytes]) -> Passed | Withheld:
    """Judge the parts of one message (header, parent header, metadata, content, buffers…), without its signature."""
    if len(parts) < 4:
        return Withheld(reason="malformed")
    if sum(len(part) for part in parts) > MAX_INPUT_BYTES:
        return Withheld(reason="oversize", parent=_parent_or_nothing(parts[1]), notify=channel == "iopub")
    try:
        header, parent, metadata, content = (_load(part) for part in parts[:4])
        kind = header.get("msg_type")
        clean = _SCHEMA.get((channel, kind)) if isinstance(kind, str) else None
        if clean is None or not isinstance(kind, str):
            return Withheld(reason="unknown_type")
        rebuilt = Passed(
            kind=kind,
            parts=(
                _dump(_header(header)),
                _dump(_header(parent) if parent else {}),
                _dump(_metadata(metadata)),
                _dump(clean(content)),
            ),
        )
    except Malformed:
        return Withheld(reason="malformed")
    if rebuilt.size > MAX_MESSAGE_BYTES:
        return Withheld(reason="oversize", parent=rebuilt.parts[1], notify=channel == "iopub")
    return rebuilt


def notice(text: str, *, parent: bytes, header: Mapping[str, str]) -> Passed:
    """A stream message in place of one that was withheld."""
    content = {"name": "stderr", "text": text + "\n"}
    return Passed(kind="stream", parts=(_dump({**header, "msg_type": "stream"}), parent, b"{}", _dump(content)))


def _load(part: bytes) -> dict[str, object]:
    try:
        value = json.loads(bytes(part), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed from error
    if not isinstance(value, dict):
        raise Malformed
    return value


def _no_constant(name: str) -> object:
    raise ValueError(name)  # NaN and Infinity are not JSON; the browser's parser would fail on them


def _dump(value: object) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except (UnicodeEncodeError, RecursionError) as error:  # lone surrogates
        raise Malformed from error


def _parent_or_nothing(part: bytes) -> bytes:
    if len(part) > MAX_MESSAGE_BYTES:
        return b"{}"
    try:
        return _dump(_header(_load(part)))
    except Malformed:
        return b"{}"


# --- fields -----------------------------------------------------------------------------------------------------------


def _matching(pattern: re.Pattern[str]) -> Clean:
    def clean(value: object) -> str:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise Malformed
        return value

    return clean


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Malformed
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > _MAX_LINES:
        raise Malformed
    return [_text(one) for one in value]


def _count(value: object) -> int | None:
    if value is not None and (type(value) is not int or not -1 <= value < 2**53):
        raise Malformed
    return value if isinstance(value, int) else None


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Malformed
    return value


def _one_of(*words: str) -> Clean:
    def clean(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise Malformed
        return value

    return clean


def _always(value: object) -> Clean:
    return lambda _: value


def _bundle(value: object) -> dict[str, str]:
    bundle = clean_bundle(value)
    return bundle or {"text/plain": "[zhakou] 此类输出不予显示 / this kind of output is not shown"}


def _bundle_or_nothing(value: object) -> dict[str, str]:
    return clean_bundle(value)


def _sizes(value: object) -> dict[str, dict[str, int]]:
    """Of display metadata, only the size of an image."""
    if not isinstance(value, dict):
        raise Malformed
    kept = {}
    for kind in ("image/png", "image/jpeg"):
        said = value.get(kind)
        if isinstance(said, dict):
            sizes = {
                name: said[name]
                for name in ("width", "height")
                if type(said.get(name)) is int and 0 < said[name] < 9999
            }
            if sizes:
                kept[kind] = sizes
    return kept


def _transient(value: object) -> dict[str, str]:
    if isinstance(value, dict) and "display_id" in value:
        return {"display_id": _matching(_ID)(value["display_id"])}
    return {}


def _payload(value: object) -> list[dict[str, object]]:
    """What `?` shows in the pager, and nothing else that a payload can do."""
    if not isinstance(value, list):
        raise Malformed
    pages = []
    for one in value[:8]:
        if isinstance(one, dict) and one.get("source") == "page":
            data = clean_bundle(one.get("data"))
            if "text/plain" in data:
                pages.append({"source": "page", "data": {"text/plain": data["text/plain"]}, "start": 0})
    return pages


def _language(value: object) -> dict[str, object]:
    """Python, whatever the kernel says: box B runs nothing else, and Lab loads code by these names."""
    version = value.get("version") if isinstance(value, dict) else None
    return {
        "name": "python",
        "version": version if isinstance(version, str) and _VERSION.fullmatch(version) else "3",
        "mimetype": "text/x-python",
        "file_extension": ".py",
        "pygments_lexer": "ipython3",
        "codemirror_mode": {"name": "ipython", "version": 3},
        "nbconvert_exporter": "python",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields:
    """A content: fields that must be there, and fields that may."""

    needed: Mapping[str, Clean]
    allowed: Mapping[str, Clean]

    def __call__(self, value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise Malformed
        rebuilt = {}
        for name, clean in self.needed.items():
            if name not in value:
                raise Malformed
            rebuilt[name] = clean(value[name])
        for name, clean in self.allowed.items():
            if name in value:
                rebuilt[name] = clean(value[name])
        return rebuilt


def _fields(needed: Mapping[str, Clean] | None = None, **allowed: Clean) -> _Fields:
    return _Fields(needed=needed or {}, allowed=allowed)


_STATUS = _one_of("ok", "error", "aborted", "abort")
_FAILURE: dict[str, Clean] = {"ename": _text, "evalue": _text, "traceback": _texts}


def _reply(**fields: Clean) -> _Fields:
    return _fields({"status": _STATUS}, **_FAILURE, **fields)


_header = _fields(
    {"msg_id": _matching(_ID)},
    msg_type=_matching(_ID),
    session=_matching(_ID),
    username=_matching(re.compile(r"[\w.\-]{0,64}", re.ASCII)),
    date=_matching(_DATE),
    version=_matching(_VERSION),
)


def _metadata(value: object) -> dict[str, object]:
    """Lab needs nothing of it."""
    return {}


_DISPLAY = _fields({"data": _bundle, "metadata": _sizes}, transient=_transient)

_SCHEMA: Mapping[tuple[str, str], Clean] = {
    ("iopub", "stream"): _fields({"name": _one_of("stdout", "stderr"), "text": _text}),
    ("iopub", "display_data"): _DISPLAY,
    ("iopub", "update_display_data"): _DISPLAY,
    ("iopub", "execute_result"): _fields(
        {"data": _bundle, "metadata": _sizes, "execution_count": _count}, transient=_transient
    ),
    ("iopub", "execute_input"): _fields({"code": _text, "execution_count": _count}),
    ("iopub", "error"): _fields(_FAILURE),
    ("iopub", "status"): _fields({"execution_state": _one_of("busy", "idle", "starting", "restarting", "dead")}),
    ("iopub", "clear_output"): _fields({"wait": _flag}),
    ("shell", "execute_reply"): _reply(execution_count=_count, payload=_payload, user_expressions=_always({})),
    ("shell", "inspect_reply"): _reply(found=_flag, data=_bundle_or_nothing, metadata=_always({})),
    ("shell", "complete_reply"): _reply(matches=_texts, cursor_start=_count, cursor_end=_count, metadata=_always({})),
    ("shell", "is_complete_reply"): _fields(
        {"status": _one_of("complete", "incomplete", "invalid", "unknown")}, indent=_matching(re.compile(r" {0,64}"))
    ),
    ("shell", "history_reply"): _reply(history=_always([])),
    ("shell", "comm_info_reply"): _reply(comms=_always({})),
    ("shell", "kernel_info_reply"): _reply(
        protocol_version=_matching(_VERSION),
        implementation=_always("ipython"),
        implementation_version=_matching(re.compile(r"[\w.\-+]{1,32}", re.ASCII)),
        language_info=_language,
        banner=_always(""),
        debugger=_always(False),
        help_links=_always([]),
        supported_features=_always([]),
    ),
    ("stdin", "input_request"): _fields({"prompt": _text, "password": _flag}),
    **{
        (channel, kind): _reply(restart=_flag)
        for channel in ("control", "shell")
        for kind in ("shutdown_reply", "interrupt_reply")
    },
}
"""(channel, type) -> what its content is. Control answers kernel_info too, below."""

_SCHEMA = {**_SCHEMA, ("control", "kernel_info_reply"): _SCHEMA["shell", "kernel_info_reply"]}
