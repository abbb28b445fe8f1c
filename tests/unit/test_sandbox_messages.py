"""Messages of a kernel: rebuilt from a schema, or withheld."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sandbox.server.messages import MAX_INPUT_BYTES, MAX_MESSAGE_BYTES, Passed, Withheld, notice, rebuild
from sandbox.server.meter import Meter, Via
from sandbox.server.mime import clean_bundle, clean_html

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()
HEADER = {"msg_id": "a-1", "session": "s", "username": "u", "date": "2026-01-01T00:00:00Z", "version": "5.3"}


def sent(kind: str, content: Any, *, channel: str = "iopub", **header: Any) -> Passed | Withheld:
    parts = [{**HEADER, "msg_type": kind, **header}, {}, {"secret": "metadata"}, content]
    return rebuild(channel, [json.dumps(part).encode() for part in parts])


def content_of(message: Passed | Withheld) -> Any:
    assert isinstance(message, Passed)
    return json.loads(message.parts[3])


def test_stream_passes_as_it_is() -> None:
    assert content_of(sent("stream", {"name": "stdout", "text": "1\n"})) == {"name": "stdout", "text": "1\n"}


def test_what_is_not_in_the_schema_does_not_exist() -> None:
    message = sent("stream", {"name": "stdout", "text": "1", "more": "bytes"}, extra="bytes")
    assert content_of(message) == {"name": "stdout", "text": "1"}
    assert isinstance(message, Passed)
    assert b"bytes" not in b"".join(message.parts)
    assert message.parts[2] == b"{}"


@pytest.mark.parametrize(
    ("channel", "kind", "content"),
    [
        ("iopub", "comm_open", {"comm_id": "1", "data": {}}),
        ("iopub", "comm_msg", {"comm_id": "1", "data": {}}),
        ("iopub", "debug_event", {}),
        ("iopub", "anything_new", {}),
        ("iopub", "execute_reply", {"status": "ok"}),
        ("control", "debug_reply", {}),
        ("heartbeat", "stream", {"name": "stdout", "text": ""}),
    ],
)
def test_unknown_types_and_comms_do_not_pass(channel: str, kind: str, content: Any) -> None:
    assert sent(kind, content, channel=channel) == Withheld(reason="unknown_type")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("stream", {"name": "stdout"}),
        ("stream", {"name": "elsewhere", "text": ""}),
        ("stream", {"name": "stdout", "text": 1}),
        ("stream", []),
        ("status", {"execution_state": "x" * 1000}),
        ("status", {"execution_state": ["busy"]}),
        ("execute_result", {"data": {}, "metadata": {}, "execution_count": "x"}),
        ("execute_result", {"data": {}, "metadata": {}, "execution_count": 2**60}),
        ("execute_result", {"data": {}, "metadata": {}, "execution_count": True}),
        ("display_data", {"data": {}, "metadata": {}, "transient": {"display_id": "a b"}}),
        ("error", {"ename": "E", "evalue": "v", "traceback": "not a list"}),
        ("clear_output", {"wait": "yes"}),
    ],
)
def test_type_confused_content_does_not_pass(kind: str, content: Any) -> None:
    assert sent(kind, content) == Withheld(reason="malformed")


@pytest.mark.parametrize("field", ["msg_id", "session", "username", "date", "version"])
def test_header_carries_no_bytes_of_its_own(field: str) -> None:
    assert sent("stream", {"name": "stdout", "text": ""}, **{field: "\n" * 200}) == Withheld(reason="malformed")


@pytest.mark.parametrize("parts", [[], [b"{}"] * 3, [b"{"] * 4, [b"[]"] * 4, [b'{"a":NaN}'] * 4, [b"\xff"] * 4])
def test_what_is_no_message_does_not_pass(parts: list[bytes]) -> None:
    assert isinstance(rebuild("iopub", parts), Withheld)


def test_deep_nesting_is_malformed_and_no_crash() -> None:
    parts = [json.dumps({**HEADER, "msg_type": "stream"}).encode(), b"{}", b"{}", b'{"a":' * 100_000]
    assert rebuild("iopub", parts) == Withheld(reason="malformed")


def test_oversize_message_becomes_a_notice_that_answers_its_cell() -> None:
    parts = [{**HEADER, "msg_type": "stream"}, {**HEADER, "msg_type": "execute_request"}, {}]
    text = {"name": "stdout", "text": "x" * MAX_MESSAGE_BYTES}
    message = rebuild("iopub", [json.dumps(part).encode() for part in [*parts, text]])
    assert isinstance(message, Withheld)
    assert message.reason == "oversize"
    said = notice("too large", parent=message.parent, header=HEADER)
    assert json.loads(said.parts[1])["msg_id"] == "a-1"
    assert said.size < 1000


def test_message_at_the_limit_passes_and_one_byte_more_does_not() -> None:
    empty = sent("stream", {"name": "stdout", "text": ""})
    assert isinstance(empty, Passed)
    room = MAX_MESSAGE_BYTES - empty.size
    assert isinstance(sent("stream", {"name": "stdout", "text": "x" * room}), Passed)
    assert isinstance(sent("stream", {"name": "stdout", "text": "x" * (room + 1)}), Withheld)


def test_huge_input_is_not_even_parsed() -> None:
    assert rebuild("iopub", [b"", b"", b"", b"x" * (MAX_INPUT_BYTES + 1)]) == Withheld(reason="oversize", notify=True)


def test_binary_buffers_are_left_behind() -> None:
    parts = [json.dumps(part).encode() for part in ({**HEADER, "msg_type": "clear_output"}, {}, {}, {"wait": True})]
    message = rebuild("iopub", [*parts, b"buffer" * 1000])
    assert isinstance(message, Passed)
    assert b"buffer" not in b"".join(message.parts)


def test_only_known_representations_pass() -> None:
    bundle = {
        "text/plain": "1",
        "image/png": PNG,
        "application/javascript": "alert(1)",
        "application/vnd.jupyter.widget-view+json": {"model_id": "1"},
        "application/json": {"a": 1},
        "image/svg+xml": "<svg onload=alert(1)>",
        "text/html": "<b>1</b>",
    }
    assert content_of(sent("display_data", {"data": bundle, "metadata": {}}))["data"] == {
        "text/plain": "1",
        "image/png": PNG,
        "text/html": "<b>1</b>",
    }


def test_output_without_a_known_representation_says_so() -> None:
    data = content_of(sent("display_data", {"data": {"application/javascript": "x"}, "metadata": {}}))["data"]
    assert list(data) == ["text/plain"]


@pytest.mark.parametrize("text", ["no base64!", base64.b64encode(b"GIF89a").decode(), 5, ["a", 1]])
def test_image_that_is_none_is_left_out(text: object) -> None:
    assert clean_bundle({"image/png": text}) == {}


def test_pager_payload_shows_text_and_does_nothing_else() -> None:
    payload = [
        {"source": "page", "data": {"text/plain": "help", "text/html": "<script>"}, "start": 9},
        {"source": "set_next_input", "text": "import os"},
        {"source": "ask_exit"},
    ]
    content = {"status": "ok", "execution_count": 1, "payload": payload, "user_expressions": {"a": "bytes"}}
    rebuilt = content_of(sent("execute_reply", content, channel="shell"))
    assert rebuilt["payload"] == [{"source": "page", "data": {"text/plain": "help"}, "start": 0}]
    assert rebuilt["user_expressions"] == {}


def test_history_and_banner_are_empty_whatever_the_kernel_says() -> None:
    assert (
        content_of(sent("history_reply", {"status": "ok", "history": [[1, 1, "x"]]}, channel="shell"))["history"] == []
    )
    info = {"status": "ok", "protocol_version": "5.4", "implementation": "x" * 99, "banner": "x", "language_info": {}}
    rebuilt = content_of(sent("kernel_info_reply", info, channel="shell"))
    assert (rebuilt["banner"], rebuilt["implementation"], rebuilt["language_info"]["name"]) == ("", "ipython", "python")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("<b>a</b>", "<b>a</b>"),
        ("<script>alert(1)</script>a", "a"),
        ("<style>p{}</style>a", "a"),
        ("<img src=x onerror=alert(1)>", ""),
        ("<img src='http://x/?d=1'>", ""),
        (f'<img src="data:image/png;base64,{PNG}">', f'<img src="data:image/png;base64,{PNG}">'),
        ("<a href='http://x/?d=1'>a</a>", "<a>a</a>"),
        ("<p onclick=alert(1) class='c'>a", '<p class="c">a</p>'),
        ("<p style='background-image:url(http://x);color:red'>a</p>", '<p style="color: red">a</p>'),
        ("<svg><script>x</script></svg>a", "a"),
        ("<math><mtext></mtext></math>a", "a"),
        ("<iframe srcdoc='<script>x</script>'></iframe>a", "a"),
        ("<form action=x><input></form>a", "a"),
        ("a<!-- <script>x</script> -->b", "ab"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("<table><tr><td>1", "<table><tr><td>1</td></tr></table>"),
        ("</p></div>a", "a"),
    ],
)
def test_html_is_rebuilt_without_anything_that_acts(given: str, kept: str) -> None:
    assert clean_html(given) == kept


def test_meter_counts_every_kind_into_one_budget() -> None:
    meter = Meter(limit_bytes=100)
    assert meter.spend(60, Via.MESSAGE)
    assert meter.spend(40, Via.NAMES)
    assert not meter.spend(1, Via.CONTENTS)
    assert meter.spent_bytes == 100


def test_spare_beyond_the_budget_is_limited_too() -> None:
    meter = Meter(limit_bytes=0, spare_bytes=10)
    assert meter.spend_spare(10)
    assert not meter.spend_spare(1)
    with pytest.raises(ValueError, match="below zero"):
        meter.spend(-1, Via.MESSAGE)
