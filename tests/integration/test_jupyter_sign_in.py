"""Sign-in against the real directory: argon2, one-time codes, ledger, SQLite."""

import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.web import HTTPError

from hub.context import Hub
from hub.demo.codes import kept, secret_of
from hub.errors import HubError, NotAllowed
from hub.jupyter import authenticator as door
from hub.jupyter.attempts import PAIR_FAILURES
from hub.jupyter.authenticator import LocalDirectoryAuthenticator
from hub.ledger.actions import read_entries
from hub.people.accounts import close_account, sign_out_person
from hub.people.model import Credential, SignedIn
from hub.people.sign_in import (
    digest_of,
    live_sessions,
    recovery_left,
    renew_recovery_codes,
    session_goes_on,
    sign_in,
    sign_out_everywhere,
)
from hub.people.sign_in_rules import IDLE, LIFE, MOST_WRONG_CODES
from hub.people.totp import code_of, step_of
from tests import factories
from tests.factories import NOW, Watch, actor

ANALYST = "ky-analyst"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    opened = factories.district(tmp_path / "state", clock=watch)
    monkeypatch.setattr(door, "site", lambda: opened)
    yield opened
    opened.database.engine.dispose()


def password(hub: Hub) -> str:
    return str(kept(hub.settings.state_dir)["password"])


def code(hub: Hub, steps: int = 0, name: str = ANALYST) -> str:
    """The code of the present step, or of one so many steps away."""
    return code_of(secret_of(kept(hub.settings.state_dir)["seed"], name), step_of(hub.clock()) + steps)


def come_in(hub: Hub, *, session: str = "s", steps: int = 0, typed: str | None = None) -> object:
    given = code(hub, steps) if typed is None else typed
    return sign_in(hub, username=ANALYST, password=password(hub), code=given, session=session)


def found(hub: Hub) -> str:
    """What the newest event of a sign-in says was found."""
    with hub.reading() as session:
        return str(json.loads(read_entries(session, limit=1)[0].body)["details"].get("found", "accepted"))


@pytest.fixture
def authenticator(hub: Hub) -> LocalDirectoryAuthenticator:
    made = LocalDirectoryAuthenticator()
    made.allow_all = True
    return made


def ask(authenticator: LocalDirectoryAuthenticator, name: str, typed: str, otp: str) -> Any:
    fields = {"username": name, "password": typed, "otp": otp}
    return asyncio.run(authenticator.get_authenticated_user(None, fields))


# --- one answer -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [ANALYST, f" {ANALYST.title()} ", ANALYST.upper()])
def test_password_and_code_open_for_the_one_name_they_mean(
    hub: Hub, authenticator: LocalDirectoryAuthenticator, typed: str
) -> None:
    entered = ask(authenticator, typed, password(hub), code(hub))
    assert (entered["name"], entered["admin"]) == (ANALYST, False)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        (ANALYST, "password"),
        (ANALYST, "no password"),
        (ANALYST, "long password"),
        (ANALYST, "code"),
        (ANALYST, "no code"),
        (ANALYST, "old code"),
        (ANALYST, "early code"),
        (ANALYST, "long code"),
        (ANALYST, "letters"),
        ("nobody", ""),
        ("", ""),
        (f"../{ANALYST}", ""),
        (f"{ANALYST}\0", ""),
        ("安娜", ""),
        ("a" * 5000, ""),
        ("system", ""),
    ],
)
def test_everything_that_is_wrong_gets_one_answer(
    hub: Hub, authenticator: LocalDirectoryAuthenticator, name: str, wrong: str
) -> None:
    passwords = {"password": "wrong", "no password": "", "long password": password(hub) + "x" * 2000}
    codes = {
        "code": f"{(int(code(hub)) + 1) % 10**6:06d}",
        "no code": "",
        "old code": code(hub, -2),
        "early code": code(hub, 2),
        "long code": code(hub) + "0" * 100,
        "letters": "１２３４５６",
    }
    assert ask(authenticator, name, passwords.get(wrong, password(hub)), codes.get(wrong, code(hub))) is None
    with hub.reading() as session:
        assert all(one.person_id != ANALYST for one in session.query(SignedIn))


def test_too_many_failures_shut_the_door_even_for_the_right_password(
    hub: Hub, authenticator: LocalDirectoryAuthenticator
) -> None:
    for _ in range(PAIR_FAILURES):
        assert ask(authenticator, ANALYST, "wrong", "000000") is None
    with pytest.raises(HTTPError) as refused:
        ask(authenticator, ANALYST, password(hub), code(hub))
    assert refused.value.status_code == 429


def test_an_unknown_name_is_shut_out_like_a_known_one(authenticator: LocalDirectoryAuthenticator) -> None:
    for _ in range(PAIR_FAILURES):
        assert ask(authenticator, "nobody", "wrong", "000000") is None
    with pytest.raises(HTTPError):
        ask(authenticator, "nobody", "wrong", "000000")


def test_wrong_password_wrong_code_and_unknown_name_take_the_same_time(hub: Hub) -> None:
    def seconds(name: str, typed: str, otp: str) -> float:
        taken = []
        for _ in range(7):
            start = time.perf_counter()
            with pytest.raises(NotAllowed):
                sign_in(hub, username=name, password=typed, code=otp, session="s")
            taken.append(time.perf_counter() - start)
        return statistics.median(taken)

    right = password(hub)
    tried = [
        seconds("nobody", right, code(hub)),
        seconds(ANALYST, "wrong wrong", code(hub)),
        seconds(ANALYST, right, "000000"),
    ]
    assert max(tried) < 2 * min(tried), tried


def test_sign_ins_and_refusals_stand_in_the_ledger_without_password_code_or_secret(
    hub: Hub, authenticator: LocalDirectoryAuthenticator
) -> None:
    used = code(hub)
    ask(authenticator, ANALYST, "wrong secret", used)
    ask(authenticator, ANALYST, password(hub), used)
    with hub.reading() as session:
        entries = read_entries(session, limit=10_000)
        credential = session.get_one(Credential, ANALYST)
    assert {"person.signed_in", "action.refused"} <= {entry.kind for entry in entries}
    secret = secret_of(kept(hub.settings.state_dir)["seed"], ANALYST)
    told = "".join(entry.body for entry in entries) + repr(credential)
    assert not any(word in told for word in (password(hub), "wrong secret", f'"{used}"', secret))


def test_sign_in_asks_the_licences_of_the_organisation_and_writes_down_how_each_stands(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = factories.working(tmp_path / "working", clock=watch)
    monkeypatch.setattr(door, "site", lambda: working)
    made = LocalDirectoryAuthenticator()
    made.allow_all = True
    ask(made, ANALYST, password(working), code(working))
    watch.move(days=40)  # the licence runs thirty
    ask(made, ANALYST, password(working), code(working))
    ask(made, "auditor", password(working), code(working, name="auditor"))
    with working.reading() as session:
        entries = [e for e in read_entries(session, limit=20) if e.kind == "person.signed_in"]
    said = [json.loads(entry.body)["details"] for entry in reversed(entries)]
    assert (said[0]["licences_usable"], said[0]["licences_refused"]) == ("l-0001", "")
    assert (said[1]["licences_usable"], said[1]["licences_refused"]) == ("", "l-0001:licence.expired")
    assert "licences_usable" not in said[2]


def test_secret_is_not_to_be_had_from_the_database_alone(hub: Hub) -> None:
    secret = secret_of(kept(hub.settings.state_dir)["seed"], ANALYST)
    raw = b"".join(path.read_bytes() for path in hub.settings.state_dir.glob("zhakou.sqlite*"))
    assert secret.encode() not in raw
    assert (hub.settings.state_dir / "keys" / "sign-in.key").stat().st_mode & 0o077 == 0


def test_secret_of_another_person_does_not_open_this_account(hub: Hub) -> None:
    with hub.database.writing() as session:
        mine, theirs = session.get_one(Credential, ANALYST), session.get_one(Credential, "auditor")
        mine.sealed_secret = theirs.sealed_secret
    with pytest.raises(NotAllowed):
        come_in(hub, typed=code(hub, name="auditor"))
    assert found(hub) == "not_enrolled"


# --- replay and guessing ----------------------------------------------------------------------------------------------


def test_code_opens_once_and_none_before_it_opens_later(hub: Hub) -> None:
    come_in(hub, session="a")
    for steps in (0, -1):
        with pytest.raises(NotAllowed):
            come_in(hub, session="b", steps=steps)
        assert found(hub) == "replayed"
    come_in(hub, session="b", steps=1)


def test_used_code_stays_used_after_a_restart(hub: Hub, watch: Watch) -> None:
    come_in(hub)
    again = type(hub)(hub.settings, clock=watch)
    with pytest.raises(NotAllowed):
        come_in(again, session="b")


def test_two_hands_with_one_code_open_one_door(hub: Hub) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def run(number: int) -> None:
        start.wait()
        try:
            come_in(hub, session=f"s{number}")
            outcomes.append("in")
        except NotAllowed:
            outcomes.append("out")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", *["out"] * 7]


RACER = """
import sys, time
from datetime import datetime
from pathlib import Path
from hub.context import open_hub
from hub.errors import NotAllowed
from hub.people.sign_in import sign_in
from hub.settings import Settings
state, name, password, code, session, begin, now = sys.argv[1:]
at = datetime.fromisoformat(now)
hub = open_hub(Settings(state_dir=Path(state)), clock=lambda: at)
time.sleep(max(0.0, float(begin) - time.time()))
try:
    sign_in(hub, username=name, password=password, code=code, session=session)
    print("in")
except NotAllowed:
    print("out")
"""


def test_two_processes_with_one_code_open_one_door(hub: Hub) -> None:
    begin = time.time() + 8
    given = [str(hub.settings.state_dir), ANALYST, password(hub), code(hub)]
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, *given, f"s{number}", str(begin), hub.clock().isoformat()],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    said = sorted(racer.communicate(timeout=90)[0].strip() for racer in racers)
    assert said == ["in", "out", "out"]


def test_whoever_knows_the_password_cannot_guess_codes_without_end(hub: Hub, watch: Watch) -> None:
    for _ in range(MOST_WRONG_CODES):
        with pytest.raises(NotAllowed):
            come_in(hub, typed="000000" if code(hub) != "000000" else "000001")
        watch.move(minutes=20)  # longer than the door stays shut by name
    with pytest.raises(NotAllowed) as refused:
        come_in(hub)
    assert found(hub) == "locked"
    assert refused.value.code == "sign_in.wrong"


def test_wrong_passwords_do_not_lock_anyone_out(hub: Hub, watch: Watch) -> None:
    for _ in range(MOST_WRONG_CODES + 1):
        with pytest.raises(NotAllowed):
            sign_in(hub, username=ANALYST, password="not it at all", code=code(hub), session="s")
    come_in(hub)


def test_sign_in_forgives_the_wrong_codes_before_it(hub: Hub, watch: Watch) -> None:
    for _ in range(3):
        for _ in range(MOST_WRONG_CODES - 1):
            with pytest.raises(NotAllowed):
                come_in(hub, typed="nothing")
        come_in(hub, session=f"s{hub.clock()}")
        watch.move(minutes=1)


def test_recovery_code_stands_in_for_the_authenticator_once(hub: Hub, watch: Watch) -> None:
    codes = renew_recovery_codes(hub, actor(hub, ANALYST), password=password(hub), code=code(hub))
    assert len(set(codes)) == recovery_left(hub, ANALYST) == 10
    come_in(hub, session="a", typed=codes[3].upper())
    assert recovery_left(hub, ANALYST) == 9
    with pytest.raises(NotAllowed):
        come_in(hub, session="b", typed=codes[3])
    with pytest.raises(NotAllowed):
        sign_in(hub, username="auditor", password=password(hub), code=codes[4], session="c")


# --- sessions ---------------------------------------------------------------------------------------------------------


def goes_on(hub: Hub, session: str = "s") -> bool:
    return session_goes_on(hub, session=session, person_id=ANALYST)


def test_session_ends_after_half_an_idle_hour_and_after_eight_hours(hub: Hub, watch: Watch) -> None:
    come_in(hub)
    while watch.now - NOW < LIFE:
        assert goes_on(hub)
        watch.move(minutes=20)
    assert not goes_on(hub)
    come_in(hub, session="t")
    watch.now += IDLE
    assert not goes_on(hub, "t")


def test_session_is_nobody_elses(hub: Hub) -> None:
    come_in(hub)
    assert not session_goes_on(hub, session="s", person_id="auditor")
    assert not goes_on(hub, "never opened")


def test_fourth_browser_ends_the_first(hub: Hub, watch: Watch) -> None:
    for number in range(4):
        come_in(hub, session=f"s{number}")
        watch.move(seconds=60)
    assert [goes_on(hub, f"s{number}") for number in range(4)] == [False, True, True, True]
    assert [one.id for one in live_sessions(hub, ANALYST)] == ["s1", "s2", "s3"]


@pytest.mark.parametrize("by", ["oneself", "the bureau", "closing", "lapse", "last session only"])
def test_sessions_end_with_what_ends_access(hub: Hub, watch: Watch, by: str) -> None:
    come_in(hub)
    watch.move(seconds=60)
    officer = actor(hub, "bureau-officer")
    match by:
        case "oneself":
            assert sign_out_everywhere(hub, actor(hub, ANALYST)) == 1
        case "the bureau":
            assert sign_out_person(hub, officer, person_id=ANALYST) == 1
        case "closing":
            close_account(hub, officer, person_id=ANALYST)
        case "lapse":
            from hub.people.actions import record_training

            until = hub.clock()
            record_training(hub, officer, person_id=ANALYST, trained_until=until, confidentiality_until=until)
        case _:
            assert goes_on(hub)
            return
    assert not goes_on(hub)
    if by == "lapse":  # whoever is not trained signs in anew, and reads
        watch.move(seconds=60)
        come_in(hub, session="t")
        assert goes_on(hub, "t")


class User:
    name = ANALYST


class Token:
    def __init__(self, session_id: str | None) -> None:
        self.session_id = session_id


class Handler:
    """A request as JupyterHub hands it over: its token, else its browser's session."""

    def __init__(self, *, cookie: str | None = None, token: Token | None = None) -> None:
        self.cookie, self.token = cookie, token

    def get_token(self) -> Token | None:
        return self.token

    def get_session_cookie(self) -> str | None:
        return self.cookie


def test_every_request_is_held_against_the_session_it_belongs_to(
    hub: Hub, authenticator: LocalDirectoryAuthenticator
) -> None:
    def known(handler: Handler | None) -> bool:
        return bool(asyncio.run(authenticator.refresh_user(User(), handler)))

    come_in(hub, session=digest_of("mine"))
    assert known(Handler(cookie="mine"))
    assert known(Handler(token=Token("mine")))
    assert known(Handler(token=Token(None)))  # the workspace's own
    assert not known(Handler(cookie="fixed by someone else"))
    assert not known(Handler())
    sign_out_everywhere(hub, actor(hub, ANALYST))
    assert not known(Handler(cookie="mine"))
    assert not known(Handler(token=Token("mine")))
    close_account(hub, actor(hub, "bureau-officer"), person_id=ANALYST)
    assert not known(Handler(token=Token(None)))
    assert not known(None)


def test_the_directory_is_asked_at_every_request(authenticator: LocalDirectoryAuthenticator) -> None:
    assert authenticator.auth_refresh_age < 0  # 0 would never ask
    assert authenticator.auth_refresh_strict
    assert authenticator.request_otp


def test_nobody_is_an_administrator_of_jupyterhub(hub: Hub, authenticator: LocalDirectoryAuthenticator) -> None:
    authenticator.admin_users = {ANALYST}
    assert ask(authenticator, ANALYST, password(hub), code(hub))["admin"] is False


def test_refusal_of_a_sign_in_says_nothing_of_what_was_wrong(hub: Hub) -> None:
    said = set()
    for name, typed, otp in ((ANALYST, "wrong", code(hub)), ("nobody", "wrong", "1"), (ANALYST, password(hub), "1")):
        with pytest.raises(HubError) as refused:
            sign_in(hub, username=name, password=typed, code=otp, session="s")
        said.add(str(refused.value))
    assert len(said) == 1
