"""Hostile fields and odd states by the pages: each is answered in words, none is a mistake of the portal's own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.datastructures import FormData

from hub.context import Hub
from hub.errors import InvalidInput
from hub.gate.actions import cast_vote, expire_approvals
from hub.gate.model import Decision
from hub.web.form import Form
from hub.workspaces.actions import workspace_dir
from tests import factories
from tests.factories import Watch, actor
from tests.integration.web_house import House, open_house

LAST_DAY, FIRST_DAY = "9999-12-31", "0001-01-01"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return factories.working(tmp_path_factory.mktemp("hostile") / "state", clock=Watch())


@pytest.fixture(scope="module")
def house(hub: Hub) -> Iterator[House]:
    with open_house(hub) as house:
        yield house


@pytest.mark.parametrize("day", [FIRST_DAY, LAST_DAY])
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("people/ky-analyst/training", ("trained_until", "confidentiality_until")),
        ("people/appointments", ("from", "until")),
        ("people/new", ("last_day",)),
    ],
)
def test_first_and_last_day_there_is_break_nothing(house: House, path: str, fields: tuple[str, ...], day: str) -> None:
    browser = house.browser_of("bureau-officer")
    browser.get("people")
    needed = {"org": "mz", "post": "data_steward", "person": "mz-steward", "letter": "测〔2026〕1号"}
    account = {"id": "newcomer", "name_zh": "新来的人", "name_en": "Somebody new", "roles": "dept_steward"}
    answer = browser.post(path, needed | account | dict.fromkeys(fields, day))
    assert answer.status_code < 500
    assert "web.internal" not in answer.text


@pytest.mark.parametrize("typed", ["--5", "-", "²", "٣"])
def test_what_is_no_whole_number_is_refused_in_words(typed: str) -> None:
    with pytest.raises(InvalidInput):
        Form(FormData({"amount": typed})).number("amount")


@pytest.mark.parametrize("year", ["-1", "0", "10000", "99999999999"])
def test_year_that_no_calendar_has_is_refused_in_words(house: House, year: str) -> None:
    browser = house.browser_of("bureau-officer")
    browser.get("register/papers")
    answer = browser.post("register/papers", {"kind": "body_disclosure", "year": year})
    assert answer.status_code == 403
    assert "paper.year" in answer.text


def test_sign_out_with_signs_of_any_kind_for_its_token_ends_no_session(house: House) -> None:
    browser = house.browser_of("ky-analyst")
    kept = browser.client.cookies["zhakou-session"]
    assert browser.post("logout", {"csrf_token": "闸口"}).status_code == 303
    assert house.sessions.find(kept) is not None


def test_page_of_a_request_whose_approval_ran_out_says_so(tmp_path: Path) -> None:
    watch = Watch()
    hub = factories.working(tmp_path / "state", clock=watch)
    request = factories.submitted(hub, factories.room(hub))
    for person in ("mz-reviewer", "centre-reviewer"):
        cast_vote(
            hub,
            actor(hub, person),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason="逐格看过,每格八十人。",
        )
    watch.now += timedelta(days=15)
    assert expire_approvals(hub) == [request.id]
    with open_house(hub) as house:
        answer = house.browser_of("ky-analyst").get(f"requests/{request.id}")
    assert answer.status_code == 200
    assert "过期" in answer.text


def test_time_of_a_file_that_no_calendar_has_breaks_no_submission() -> None:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))  # keeps every time that a file is given, as some disks do
    try:
        hub = factories.working(folder / "state")
        room = factories.room(hub)
        slug = factories.put(hub, room)
        os.utime(workspace_dir(hub, room.workspace_id) / "outbox" / slug / "counts.csv", (2**40, 2**40))
        assert factories.submitted(hub, room, slugs=[slug]).id == "r-0001"
    finally:
        shutil.rmtree(folder)
