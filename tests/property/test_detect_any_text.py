"""Whatever the text: no crash, spans inside it, no overlaps, and work that grows with its length only."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.detect import detect_text
from anonymize.detect.normalize import normalize
from anonymize.detect.redaction import redact_text

HOSTILE = st.text(
    st.sampled_from("0123456789xX9MAE@.:-,( )转\u200b\u202e\ufe0f９Ａ①沪京卡号身份证电话邮\n\U0001f600"), max_size=120
)


@given(st.one_of(st.text(max_size=80), HOSTILE))
@settings(max_examples=300, deadline=None)
def test_spans_lie_inside_the_text_and_never_overlap(text: str) -> None:
    at = 0
    for found in detect_text(text):
        assert at <= found.start < found.end <= len(text)
        at = found.end


@given(st.one_of(st.text(max_size=80), HOSTILE))
@settings(max_examples=300, deadline=None)
def test_every_character_of_the_normalised_text_comes_from_the_original(text: str) -> None:
    normal = normalize(text)
    for index in range(len(normal.text)):
        start, end = normal.span(index, index + 1)
        assert 0 <= start < end <= len(text)


@given(
    st.sampled_from(["990107198001010012", "91990107MA0000001M", "13800138000", "6222021234567890128"]),
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), max_size=12),
    st.sampled_from(["", "\u200b", "\u2060"]),
)
@settings(max_examples=200, deadline=None)
def test_a_checked_number_is_found_in_any_chinese_surroundings(number: str, around: str, hidden: str) -> None:
    text = f"{around}{number[:4]}{hidden}{number[4:]}{around}"
    assert number not in redact_text(text).replace(hidden or "\u0000", "")


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1 ",
        "1-",
        "a",
        "a@",
        "a.",
        "微信",
        "0-",
        "62 ",
        "京A",
        "12:",
        "(2020)",
        "1.1.1.1.",
        "86 ",
        "沪(2020)字不动产权第",
        "１",
        "①",
    ],
)
def test_no_input_takes_longer_than_ten_microseconds_a_character(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    detect_text(text)
    assert time.process_time() - start < 1.0
