"""A hostile kernel may send anything: what was not rebuilt does not pass, and nothing crashes the filter."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.server import messages
from sandbox.server.messages import MAX_MESSAGE_BYTES, Passed, Withheld, rebuild
from sandbox.server.mime import clean_html

KINDS = sorted({kind for _, kind in messages._SCHEMA} | {"comm_open", "x"})
CHANNELS = ["iopub", "shell", "control", "stdin", "x"]
FIELD_NAMES = (
    "name text data metadata transient execution_count code ename evalue traceback execution_state wait status payload "
    "matches cursor_start cursor_end indent history comms prompt password restart found language_info display_id "
    "msg_id msg_type session username date version text/plain text/html image/png"
)
FIELDS = FIELD_NAMES.split()
MARK = "MARK-of-the-kernel"

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["stdout", "ok", "busy", "5.3", "idle", "stderr", "error"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(FIELDS), values)


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@given(channel=st.sampled_from(CHANNELS), parts=st.lists(st.binary(max_size=60), max_size=7))
def test_bytes_that_are_no_message_never_pass(channel: str, parts: list[bytes]) -> None:
    assert isinstance(rebuild(channel, parts), Withheld)


@given(
    channel=st.sampled_from(CHANNELS),
    kind=st.sampled_from(KINDS),
    header=objects,
    parent=objects,
    metadata=objects,
    content=objects,
)
def test_type_confusion_passes_only_what_is_valid_again(
    channel: str, kind: str, header: Any, parent: Any, metadata: Any, content: Any
) -> None:
    header = {"msg_id": "1", **header, "msg_type": kind}
    message = rebuild(channel, [dumped(part) for part in (header, parent, metadata, content)])
    if isinstance(message, Passed):
        again = rebuild(channel, list(message.parts))
        assert again == message  # what passed is well-formed, and passing changes it no more
        assert message.size <= MAX_MESSAGE_BYTES


@given(
    key=st.text(min_size=1, max_size=8).filter(lambda key: key not in FIELDS),
    where=st.sampled_from(["header", "parent", "metadata", "content"]),
)
def test_field_outside_of_the_schema_never_passes(key: str, where: str) -> None:
    said: dict[str, dict[str, Any]] = {
        "header": {"msg_id": "1", "msg_type": "stream"},
        "parent": {"msg_id": "1"},
        "metadata": {},
        "content": {"name": "stdout", "text": "a"},
    }
    said[where][key] = MARK
    message = rebuild("iopub", [dumped(part) for part in said.values()])
    assert isinstance(message, Passed)
    assert MARK.encode() not in b"".join(message.parts)


class _Acts(HTMLParser):
    """Collects whatever a browser could run, load or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "iframe", "object", "embed", "svg", "math", "link", "meta", "base", "form"):
            self.found.append(tag)
        for name, value in attrs:
            text = (value or "").lower()
            if name.startswith("on") or name in ("href", "srcdoc", "action", "id", "name"):
                self.found.append(name)
            if "javascript:" in text or "url(" in text or (name == "src" and not text.startswith("data:image/")):
                self.found.append(text)


SHREDS = [
    "<", ">", "/", "=", '"', "'", "&", ";", " ", "\x00", "\n", "<!--", "-->", "<![CDATA[", "]]>", "<?", "script",
    "style", "<script>", "</script>", "<svg>", "</svg>", "<math>", "<img", "<table>", "<td>", "<p>", "</p>", "<a",
    "href=", "src=", "onerror=", "javascript:alert(1)", "style='", "url(http://x)", "data:image/png;base64,", "&#60;",
    "&lt;", "<textarea>", "</textarea>", "<noscript>", "<template>", "<title>", "a", "1",
]  # fmt: skip


@given(st.lists(st.sampled_from(SHREDS), max_size=40).map("".join))
def test_no_html_leaves_with_anything_that_acts(text: str) -> None:
    cleaned = clean_html(text)
    judge = _Acts()
    judge.feed(cleaned)
    judge.close()
    assert judge.found == []
    assert clean_html(cleaned) == cleaned
