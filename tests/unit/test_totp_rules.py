"""One-time codes: the vectors of RFC 6238, the window, each step once, what a person is shown."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest

from hub.people.totp import (
    NEVER,
    STEP_SECONDS,
    address_for_apps,
    code_of,
    fresh_secret,
    fresh_words,
    in_groups,
    matching_step,
    step_of,
    unused_code,
)

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2026, 11, 24, 8, 0, 5, tzinfo=UTC)
STEP = step_of(NOW)

# RFC 6238, appendix B, SHA-1; the last six of its eight digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, tz=UTC)
    assert code_of(RFC_SECRET, step_of(at)) == code
    assert matching_step(RFC_SECRET, code, at) == seconds // STEP_SECONDS


@pytest.mark.parametrize(("away", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_of_tolerance_and_no_more(away: int, accepted: bool) -> None:
    found = matching_step(RFC_SECRET, code_of(RFC_SECRET, STEP + away), NOW)
    assert found == (STEP + away if accepted else None)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "１２３４５６", "12345a", " 287082", "287082\n", "\ud800"])
def test_what_is_no_code_matches_no_step(typed: str) -> None:
    assert matching_step(RFC_SECRET, typed, NOW) is None


@pytest.mark.parametrize(
    ("last", "before", "step"),
    [
        (NEVER, False, STEP),
        (NEVER, True, STEP - 1),
        (STEP - 1, True, STEP),
        (STEP, False, STEP + 1),
        (STEP + 1, True, None),
    ],
)
def test_demonstration_gives_the_first_code_that_was_not_used(last: int, before: bool, step: int | None) -> None:
    expected = None if step is None else code_of(RFC_SECRET, step)
    assert unused_code(RFC_SECRET, last, NOW, before=before) == expected


def test_step_lasts_thirty_seconds() -> None:
    assert {step_of(NOW + timedelta(seconds=after)) for after in range(-5, 25)} == {STEP}
    assert step_of(NOW + timedelta(seconds=25)) == STEP + 1


def test_secret_is_new_and_is_shown_whole_to_apps_and_eyes() -> None:
    one, other = fresh_secret(), fresh_secret()
    assert one != other
    assert len(base64.b32decode(one)) == 20
    assert in_groups(one).replace(" ", "") == one
    assert {len(group) for group in in_groups(one).split()} == {4}
    address = address_for_apps(one, "ky-analyst", "Zhakou")
    assert address.startswith("otpauth://totp/Zhakou:ky-analyst?secret=" + one)


def test_words_to_type_are_new_and_hold_no_signs_that_are_mistaken() -> None:
    words = {fresh_words() for _ in range(200)}
    assert len(words) == 200
    assert all(re.fullmatch(r"([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}", word) for word in words)
