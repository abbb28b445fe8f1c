"""Who answers for a department's data: appointed by the bureau, and asked when a table is registered or published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.catalog.actions import publish_table
from hub.context import Hub
from hub.errors import HubError, InvalidInput, NotAllowed, NotFound
from hub.ledger.actions import read_entries
from hub.people.actor import Post
from hub.people.appointments import appoint_responsible, end_appointment, list_appointments, posts_filled
from hub.people.model import Appointment
from tests import factories
from tests.factories import NOW, Watch, actor

LETTER = "演示〔2026〕任命8号"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    return factories.district(tmp_path / "state", clock=watch)


def holding(hub: Hub, post: Post, org_id: str = "mz") -> Appointment:
    found = list_appointments(hub, actor(hub, "bureau-officer"))
    return next(one for one in found if one.post is post and one.org_id == org_id and one.ended_at is None)


def appoint(hub: Hub, by: str = "bureau-officer", **changes: Any) -> Appointment:
    given: dict[str, Any] = {
        "org_id": "mz",
        "post": Post.CHIEF_DATA_OFFICER,
        "person_id": "mz-cdo",
        "starts_at": NOW,
        "ends_at": NOW + timedelta(days=30),
        "letter_ref": LETTER,
    }
    return appoint_responsible(hub, actor(hub, by), **{**given, **changes})


def refused(act: Callable[[], object], kind: type[HubError], code: str) -> None:
    with pytest.raises(kind) as error:
        act()
    assert code in {refusal.rule for refusal in error.value.refusals}


@pytest.mark.parametrize("post", list(Post))
def test_department_that_lost_one_of_the_three_registers_nothing_until_the_bureau_appoints_again(
    hub: Hub, post: Post
) -> None:
    held = holding(hub, post)
    end_appointment(hub, actor(hub, "bureau-officer"), appointment_id=held.id)
    refused(lambda: factories.published(hub), NotAllowed, "table.responsibility")
    appoint(hub, post=post, person_id=held.person_id)
    assert factories.published(hub) == "clinic_visits"


def test_draft_is_not_published_once_an_appointment_has_run_out(hub: Hub, watch: Watch) -> None:
    appoint(hub, ends_at=NOW + timedelta(days=30))
    watch.move(days=29)
    table = factories.registered(hub)
    watch.move(days=1)
    refused(
        lambda: publish_table(hub, actor(hub, "bureau-officer"), table_id=table), NotAllowed, "table.responsibility"
    )


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"by": "mz-cdo"}, NotAllowed, "role.missing"),
        ({"by": "mz-steward"}, NotAllowed, "role.missing"),
        ({"person_id": "mz-steward"}, NotAllowed, "appointment.person"),
        ({"person_id": "tj-cdo"}, NotAllowed, "appointment.person"),
        ({"org_id": "bureau"}, NotAllowed, "appointment.person"),
        ({"person_id": "nobody"}, NotFound, "not_found"),
        ({"ends_at": NOW}, NotAllowed, "appointment.term"),
        ({"starts_at": NOW - timedelta(days=9), "ends_at": NOW - timedelta(days=1)}, NotAllowed, "appointment.term"),
        ({"letter_ref": " "}, NotAllowed, "appointment.letter"),
        ({"letter_digest": "f" * 63}, NotAllowed, "appointment.letter"),
        ({"letter_ref": "a\u202eb"}, InvalidInput, "words.signs"),
    ],
)
def test_appointment_is_refused(hub: Hub, changes: dict[str, Any], kind: type[HubError], code: str) -> None:
    before = len(list_appointments(hub, actor(hub, "bureau-officer")))
    refused(lambda: appoint(hub, **changes), kind, code)
    assert len(list_appointments(hub, actor(hub, "bureau-officer"))) == before


def test_successor_relieves_the_holder_on_the_day_they_begin_and_never_before(hub: Hub, watch: Watch) -> None:
    held = holding(hub, Post.CHIEF_DATA_OFFICER)
    appoint(hub, starts_at=NOW + timedelta(days=10), ends_at=NOW + timedelta(days=20))
    for days, is_filled in ((0, True), (9, True), (10, True), (19, True), (20, False)):
        with hub.reading() as session:
            filled = posts_filled(session, "mz", NOW + timedelta(days=days))
        assert (Post.CHIEF_DATA_OFFICER in filled) == is_filled, days
    with hub.reading() as session:
        assert session.get_one(Appointment, held.id).ended_at == NOW + timedelta(days=10)


def test_appointment_that_is_over_cannot_be_ended_again(hub: Hub) -> None:
    held, officer = holding(hub, Post.DATA_STEWARD), actor(hub, "bureau-officer")
    end_appointment(hub, officer, appointment_id=held.id)
    refused(lambda: end_appointment(hub, officer, appointment_id=held.id), NotAllowed, "appointment.over")
    refused(lambda: end_appointment(hub, officer, appointment_id="a-9999"), NotFound, "not_found")
    other = holding(hub, Post.FIRST_RESPONSIBLE)
    refused(lambda: end_appointment(hub, actor(hub, "mz-chief"), appointment_id=other.id), NotAllowed, "role.missing")


def test_departments_see_their_own_appointments_and_operators_none(hub: Hub) -> None:
    assert {one.org_id for one in list_appointments(hub, actor(hub, "bureau-officer"))} == {"cg", "mz", "tj", "wj"}
    assert {one.org_id for one in list_appointments(hub, actor(hub, "auditor"))} == {"cg", "mz", "tj", "wj"}
    assert {one.org_id for one in list_appointments(hub, actor(hub, "mz-cdo"))} == {"mz"}
    assert list_appointments(hub, actor(hub, "ky-admin")) == []


def test_appointments_stand_in_the_ledger_by_id_without_a_name(hub: Hub) -> None:
    appoint(hub)
    with hub.reading() as session:
        bodies = [entry.body for entry in read_entries(session, limit=1000) if entry.kind == "responsible.appointed"]
    assert len(bodies) == 13
    assert not any("首席数据官" in body or "chief data officer" in body for body in bodies)
