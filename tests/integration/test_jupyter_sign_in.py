"""Sign-in against the real directory: argon2, ledger, SQLite."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.web import HTTPError

from hub.context import Hub, open_hub
from hub.jupyter import authenticator as door
from hub.jupyter.attempts import NAME_FAILURES
from hub.jupyter.authenticator import LocalDirectoryAuthenticator
from hub.ledger.actions import read_entries
from hub.people.actions import appoint_person, found_organisation
from hub.people.actor import SYSTEM, OrgKind, Role
from hub.people.model import Person
from hub.settings import Settings

PASSWORD = "correct horse battery"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    opened = open_hub(Settings(state_dir=tmp_path))
    found_organisation(opened, SYSTEM, org_id="operator", name_zh="运营机构", name_en="Operator", kind=OrgKind.OPERATOR)
    appoint_person(
        opened,
        SYSTEM,
        person_id="ana",
        name_zh="分析师",
        name_en="Analyst",
        org_id="operator",
        roles=frozenset({Role.ANALYST}),
        password=PASSWORD,
    )
    monkeypatch.setattr(door, "site", lambda: opened)
    yield opened
    opened.database.engine.dispose()


def sign_in(authenticator: LocalDirectoryAuthenticator, name: str, password: str) -> Any:
    return asyncio.run(authenticator.get_authenticated_user(None, {"username": name, "password": password}))


@pytest.fixture
def authenticator(hub: Hub) -> LocalDirectoryAuthenticator:
    made = LocalDirectoryAuthenticator()
    made.allow_all = True
    return made


@pytest.mark.parametrize("typed", ["ana", " Ana ", "ANA"])
def test_the_right_password_opens_for_the_one_name_it_means(
    authenticator: LocalDirectoryAuthenticator, typed: str
) -> None:
    found = sign_in(authenticator, typed, PASSWORD)
    assert (found["name"], found["admin"]) == ("ana", False)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ana", "wrong"),
        ("ana", ""),
        ("ana", PASSWORD + "x" * 2000),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("../ana", PASSWORD),
        ("ana/..", PASSWORD),
        ("ana\0", PASSWORD),
        ("安娜", PASSWORD),
        ("a" * 5000, PASSWORD),
    ],
)
def test_everything_that_is_wrong_gets_one_answer(
    authenticator: LocalDirectoryAuthenticator, name: str, password: str
) -> None:
    assert sign_in(authenticator, name, password) is None


def test_too_many_failures_shut_the_door_even_for_the_right_password(
    authenticator: LocalDirectoryAuthenticator,
) -> None:
    for _ in range(NAME_FAILURES):
        assert sign_in(authenticator, "ana", "wrong") is None
    with pytest.raises(HTTPError) as refused:
        sign_in(authenticator, "ana", PASSWORD)
    assert refused.value.status_code == 429


def test_an_unknown_name_is_shut_out_like_a_known_one(authenticator: LocalDirectoryAuthenticator) -> None:
    for _ in range(NAME_FAILURES):
        assert sign_in(authenticator, "nobody", "wrong") is None
    with pytest.raises(HTTPError):
        sign_in(authenticator, "nobody", "wrong")


def test_sign_ins_and_refusals_stand_in_the_ledger_without_the_password(
    hub: Hub, authenticator: LocalDirectoryAuthenticator
) -> None:
    sign_in(authenticator, "ana", "wrong secret")
    sign_in(authenticator, "ana", PASSWORD)
    with hub.reading() as session:
        entries = read_entries(session)
    assert {"person.signed_in", "action.refused"} <= {entry.kind for entry in entries}
    assert not any(PASSWORD in entry.body or "wrong secret" in entry.body for entry in entries)


class User:
    name = "ana"


def test_a_closed_account_ends_the_session_at_the_next_refresh(
    hub: Hub, authenticator: LocalDirectoryAuthenticator
) -> None:
    assert asyncio.run(authenticator.refresh_user(User())) is True
    with hub.database.writing() as session:
        session.get_one(Person, "ana").active = False
    assert asyncio.run(authenticator.refresh_user(User())) is False


def test_nobody_is_an_administrator_of_jupyterhub(authenticator: LocalDirectoryAuthenticator) -> None:
    authenticator.admin_users = {"ana"}
    assert sign_in(authenticator, "ana", PASSWORD)["admin"] is False
