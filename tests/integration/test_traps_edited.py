"""Trap: a decision is edited after the fact. Whatever row of whatever table is changed by hand, the next step that
reads it is refused, and verification names it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text

from hub.context import Hub
from hub.db import Base
from hub.errors import ChecksFailed
from hub.extracts.actions import start_extract
from hub.gate.actions import cast_vote
from hub.gate.model import Decision, ExportRequest
from hub.licensing.actions import decide_scenario, suspend_licence
from hub.licensing.agreements import draft_licence, grant_licence
from hub.people.accounts import confirm_change
from hub.people.appointments import end_appointment
from hub.products.actions import deliver_release, redeem_grant
from hub.recovery import verify_everything
from hub.register.actions import meter_usage
from hub.register.amendments import decide_objection
from hub.register.charging import set_price
from hub.register.model import ChargeUnit, ObjectionStatus
from hub.seals import changed_rows
from hub.sharing.actions import withdraw_consent
from hub.workspaces.actions import mount_extracts
from tests import factories
from tests.factories import actor
from tests.matrix_house import SCENES, WORDS, Scene, open_scene

Step = Callable[[Hub, Scene], object]


def edit(hub: Hub, statement: str) -> None:
    """What an administrator does with the database open in an editor."""
    with hub.database.writing() as session:
        assert session.execute(text(statement)).rowcount, statement  # type: ignore[attr-defined]


def vote(hub: Hub, scene: Scene) -> object:
    request = scene.things["request"]["in_review"]
    with hub.reading() as session:
        digest = session.get_one(ExportRequest, request).digest
    by = actor(hub, "mz-reviewer")
    return cast_vote(hub, by, request_id=request, digest=digest, decision=Decision.APPROVE, reason=WORDS)


def deliver(hub: Hub, scene: Scene) -> object:
    request = scene.things["request"]["approved"]
    return deliver_release(hub, actor(hub, "release-officer"), request_id=request, recipient_id="ky-admin")


def draft(hub: Hub, scene: Scene) -> object:
    scenario = scene.things["scenario"]["ready"]
    header, items = factories.terms(hub, scenario)
    return draft_licence(hub, actor(hub, "bureau-officer"), scenario_id=scenario, header=header, items=items)


EDITS: dict[str, tuple[str, str, Step]] = {
    "a reason of a vote": ("everyday", "UPDATE vote SET reason = 'another'", deliver),
    "an objection": ("everyday", "UPDATE vote SET decision = 'APPROVE' WHERE decision = 'OBJECT'", lambda *_: None),
    "the verdict of the machine": ("everyday", "UPDATE check_run SET pack = 'none 0'", vote),
    "the purpose under review": ("everyday", "UPDATE export_request SET reason = 'another'", vote),
    "an opinion": (
        "everyday",
        "UPDATE scenario_opinion SET stance = 'SUPPORT', security = 'another'",
        lambda hub, it: decide_scenario(
            hub,
            actor(hub, "bureau-officer"),
            scenario_id=it.things["scenario"]["heard"],
            approve=True,
            reason=WORDS,
        ),
    ),
    "the decision on a scenario": ("agreements", "UPDATE scenario SET decision_reason = 'another'", draft),
    "a consent": (
        "everyday",
        "UPDATE provider_consent SET status = 'GIVEN'",
        lambda hub, it: withdraw_consent(
            hub, actor(hub, "wj-steward"), consent_id=it.things["consent"]["refused"], reason=WORDS
        ),
    ),
    "the end of a licence": (
        "agreements",
        "UPDATE licence SET ends_at = '2031-01-01 00:00:00.000000'",
        lambda hub, it: grant_licence(hub, actor(hub, "bureau-officer"), licence_id=it.things["licence"]["filed"]),
    ),
    "the text of an agreement": (
        "agreements",
        "UPDATE licence SET contract_digest = 'x'",
        lambda hub, it: grant_licence(hub, actor(hub, "bureau-officer"), licence_id=it.things["licence"]["filed"]),
    ),
    "a suspension": (
        "agreements",
        "UPDATE licence SET status = 'ACTIVE' WHERE status = 'SUSPENDED'",
        lambda hub, it: suspend_licence(
            hub, actor(hub, "bureau-officer"), licence_id=it.things["licence"]["suspended"], reason=WORDS
        ),
    ),
    "the columns of a licence": (
        "everyday",
        "UPDATE licence_table SET columns = '[\"serial\"]'",
        lambda hub, it: mount_extracts(hub, actor(hub, "ky-analyst"), workspace_id=it.things["workspace"]["open"]),
    ),
    "the digest of an extract": (
        "everyday",
        "UPDATE extract SET digest = 'x'",
        lambda hub, it: mount_extracts(hub, actor(hub, "ky-analyst"), workspace_id=it.things["workspace"]["open"]),
    ),
    "the approval of an extract": (
        "everyday",
        "UPDATE extract_request SET status = 'APPROVED'",
        lambda hub, it: start_extract(
            hub, actor(hub, "centre-operator"), request_id=it.things["extract_request"]["requested"]
        ),
    ),
    "the person a grant is for": (
        "everyday",
        "UPDATE download_grant SET recipient_id = 'ky-admin'",
        lambda hub, it: redeem_grant(hub, actor(hub, "ky-admin"), request_id=it.things["grant"]["fresh"]),
    ),
    "that a grant was used": (
        "everyday",
        "UPDATE download_grant SET redeemed_at = NULL",
        lambda hub, it: redeem_grant(hub, actor(hub, "ky-analyst"), request_id=it.things["grant"]["used"]),
    ),
    "the roles of a person": ("everyday", "UPDATE person SET roles = '[\"auditor\"]' WHERE id = 'mz-reviewer'", vote),
    "the training of a person": (
        "everyday",
        "UPDATE person SET trained_until = '2031-01-01 00:00:00.000000' WHERE id = 'mz-reviewer'",
        vote,
    ),
    "a change of an account": (
        "everyday",
        "UPDATE account_change SET proposed_by = 'bureau-officer', roles_after = '[\"release_officer\"]'",
        lambda hub, it: confirm_change(hub, actor(hub, "bureau-assessor"), change_id=it.things["change"]["proposed"]),
    ),
    "an appointment": (
        "everyday",
        "UPDATE appointment SET letter_ref = 'another'",
        lambda hub, it: end_appointment(
            hub, actor(hub, "bureau-officer"), appointment_id=it.things["appointment"]["active"]
        ),
    ),
    "a price cap": (
        "everyday",
        "UPDATE price_cap SET fen = 100000000",
        lambda hub, it: set_price(
            hub, actor(hub, "ky-admin"), product_id=it.things["product"]["coded"], unit=ChargeUnit.CALLS, yuan="99"
        ),
    ),
    "an objection in the public notice": (
        "everyday",
        "UPDATE registration_objection SET grounds = 'another'",
        lambda hub, it: decide_objection(
            hub,
            actor(hub, "bureau-officer"),
            product_id=it.things["objection"]["raised"].split()[0],
            objection_id=it.things["objection"]["raised"].split()[1],
            to=ObjectionStatus.DISMISSED,
            reason=WORDS,
        ),
    ),
    "the state of a registration": (
        "everyday",
        "UPDATE data_product SET status = 'CODED'",
        lambda hub, it: meter_usage(
            hub,
            actor(hub, "ky-admin"),
            product_id=it.things["product"]["due"],
            unit=ChargeUnit.CALLS,
            amount=1,
            first=hub.clock().date(),
            last=hub.clock().date(),
        ),
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_edited_record_stops_the_next_step_and_is_named(what: str, tmp_path: Path) -> None:
    name, statement, step = EDITS[what]
    hub, scene = open_scene(name, tmp_path / "state")
    edit(hub, statement)
    verdict = verify_everything(hub)
    assert (verdict.holds, verdict.code) == (False, "row.changed")
    assert statement.split()[1] in str(verdict.text)
    if what == "an objection":
        return  # what it is about is over: no step reads it again
    with pytest.raises(ChecksFailed) as caught:
        step(hub, scene)
    assert "row.changed" in {refusal.rule for refusal in caught.value.refusals}


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_change_of_any_column_of_any_row_is_named(name: str, tmp_path: Path) -> None:
    hub, _ = open_scene(name, tmp_path / "state")
    assert verify_everything(hub).holds
    unsealed = [mapper.class_ for mapper in Base.registry.mappers if not mapper.class_.is_sealed]
    assert {kind.__tablename__ for kind in unsealed} == {"counter", "ledger_entry", "ledger_head", "schema_mark"}
    for table in Base.metadata.sorted_tables:
        if table.name in {kind.__tablename__ for kind in unsealed}:
            continue
        for column in table.columns:
            with hub.reading() as session:
                row = session.execute(select(table).where(text("rowid = 1"))).first()
            if row is None or column.primary_key or column.foreign_keys or column.name == "row_seal":
                continue
            with hub.database.writing() as session:
                old = session.execute(text(f'SELECT "{column.name}" FROM "{table.name}" WHERE rowid = 1')).scalar()  # noqa: S608
                new = _other(old)
                statement = text(f'UPDATE "{table.name}" SET "{column.name}" = :new WHERE rowid = 1')  # noqa: S608
                if new is None or not session.execute(statement, {"new": new}).rowcount:  # type: ignore[attr-defined]
                    continue
            with hub.reading() as session:
                assert [one for one in changed_rows(session) if one.startswith(table.name)], (
                    f"{table.name}.{column.name}"
                )
            with hub.database.writing() as session:
                session.execute(
                    text(f'UPDATE "{table.name}" SET "{column.name}" = :old WHERE rowid = 1'),  # noqa: S608
                    {"old": old},
                )


def _other(value: object) -> object | None:
    """Another value of the same form, as it lies in SQLite; None where there is none to be had by rule."""
    match value:
        case int():
            return 1 - value if value in (0, 1) else value + 1
        case str() if value[:4].isdecimal() and value[4:5] == "-":
            return f"{int(value[:4]) - 1}{value[4:]}"
        case str() if value.startswith(("[", "{")):
            return "[]" if value.startswith("[") and value != "[]" else None
        case str() if value.isupper() or not value:
            return None  # a closed list: another member is not to be had by rule
        case str():
            return value + "x"
    return None
