"""Sessions end, whatever the browser says."""

from __future__ import annotations

import pytest

from hub.web import sessions as store
from hub.web.sessions import ATTEMPT_SECONDS, Sessions


class Watch:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_session_lives_up_to_the_idle_limit_and_ends_past_it(watch: Watch) -> None:
    sessions = Sessions(now=watch, idle=60, life=1000)
    sid = sessions.open(user="u", token="t")
    watch.now = 60
    assert sessions.find(sid) is not None
    watch.now = 121
    assert sessions.find(sid) is None


def test_without_a_setting_a_session_ends_after_half_an_idle_hour(watch: Watch) -> None:
    sessions = Sessions(now=watch)
    sid = sessions.open(user="u", token="t")
    watch.now = 30 * 60
    assert sessions.find(sid) is not None
    watch.now += 30 * 60 + 1
    assert sessions.find(sid) is None


def test_busy_session_ends_at_the_life_limit(watch: Watch) -> None:
    sessions = Sessions(now=watch, idle=60, life=100)
    sid = sessions.open(user="u", token="t")
    for watch.now in (50.0, 100.0):
        assert sessions.find(sid) is not None
    watch.now = 101
    assert sessions.find(sid) is None


@pytest.mark.parametrize("sid", [None, "", "guess"])
def test_no_other_id_finds_a_session(sid: str | None) -> None:
    sessions = Sessions()
    sessions.open(user="u", token="t")
    assert sessions.find(sid) is None


def test_attempt_ends_after_ten_minutes(watch: Watch) -> None:
    sessions = Sessions(now=watch)
    for age, found in ((ATTEMPT_SECONDS, True), (ATTEMPT_SECONDS + 1, False)):
        watch.now = 0
        sessions.begin_attempt(state="s", next_path="/", verifier="v", browser="b")
        watch.now = age
        assert (sessions.take_attempt(state="s", browser="b") is not None) is found


def test_strangers_cannot_fill_the_table_of_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_ENTRIES", 3)
    sessions = Sessions()
    for number in range(5):
        sessions.begin_attempt(state=f"s{number}", next_path="/", verifier="v", browser="b")
    assert sessions.take_attempt(state="s1", browser="b") is None
    assert sessions.take_attempt(state="s4", browser="b") is not None


def test_secrets_are_not_shown_with_a_session() -> None:
    sessions = Sessions()
    sid = sessions.open(user="u", token="secret-token")
    session = sessions.find(sid)
    assert session is not None
    assert "secret-token" not in repr(session)
    assert session.csrf not in repr(session)
