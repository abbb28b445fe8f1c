"""The life of an agreement on a real hub: every step by its own person, versions that stay, and what stands against."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.catalog.actions import mark_state_secret
from hub.closing.actions import close_licence
from hub.context import Hub
from hub.demo.agreement import POSTS
from hub.errors import HubError, InvalidInput, NotAllowed, NotFound
from hub.ledger.actions import read_entries
from hub.licensing.actions import (
    contract_of,
    find_licence,
    resume_licence,
    standing_of,
    suspend_licence,
    terminate_licence,
)
from hub.licensing.agreements import (
    agreement_digest,
    enter_filing,
    grant_licence,
    record_deliberation,
    revise_licence,
    sign_licence,
)
from hub.licensing.contract import plain
from hub.licensing.joins import pseudonym_domains
from hub.licensing.model import Lane, Licence, LicenceStatus, ProductForm
from hub.licensing.reading import read_contract
from hub.rulebook.model import district_day
from tests import factories
from tests.factories import NOW, Watch, actor

OFFICER, ASSESSOR, ADMIN = "bureau-officer", "bureau-assessor", "ky-admin"
REASON = "范围需要收窄。"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    hub = factories.district(tmp_path / "state", clock=watch)
    factories.approved_scenario(hub)
    return hub


def refused(act: Callable[[], object], *codes: str, kind: type[HubError] = NotAllowed) -> None:
    with pytest.raises(kind) as caught:
        act()
    assert [refusal.rule for refusal in caught.value.refusals] == list(codes)


def newest_event(hub: Hub) -> dict[str, Any]:
    with hub.reading() as session:
        body: dict[str, Any] = json.loads(read_entries(session, limit=1)[0].body)
    return body


def deliberate(hub: Hub, licence: Licence, person: str = ASSESSOR, **changes: Any) -> Licence:
    given: dict[str, Any] = {
        "digest": licence.contract_digest,
        "meeting": "局党组会",
        "held_on": district_day(hub.clock()),
        "attendees": POSTS,
        "minutes_digest": "b" * 64,
    }
    return record_deliberation(hub, actor(hub, person), licence_id=licence.id, **given | changes)


def sign(hub: Hub, licence: Licence, person: str) -> Licence:
    return sign_licence(hub, actor(hub, person), licence_id=licence.id, digest=licence.contract_digest)


def revised(hub: Hub, licence: Licence, **changes: object) -> Licence:
    said = plain(contract_of(licence))
    for place, value in changes.items():
        factories.put_in(said, place.replace("__", "."), value)
    return revise_licence(
        hub,
        actor(hub, OFFICER),
        licence_id=licence.id,
        header=said["header"],
        items=said["items"],
        reason=REASON,
    )


def test_all_thirteen_items_are_kept_as_they_were_agreed(hub: Hub) -> None:
    licence = factories.agreed(hub)
    kept = read_contract(licence.current.contract)
    assert len(plain(kept.items)) == 13
    assert kept.digest == licence.contract_digest == licence.current.digest
    assert (kept.parties.operator_org, kept.parties.implementing_body) == ("kangyang", "bureau")
    assert kept.parties.operator_uscc
    assert agreement_digest(licence) == licence.contract_digest


def test_each_step_is_an_event_with_the_digest_that_was_decided(hub: Hub) -> None:
    licence = factories.agreed(hub)
    with hub.reading() as session:
        events = [json.loads(entry.body) for entry in read_entries(session, limit=6)]
    kinds = [event["kind"] for event in reversed(events)]
    assert kinds == [
        *("licence.drafted", "licence.deliberated", "licence.signed", "licence.signed"),
        *("licence.filed", "licence.granted"),
    ]
    assert {event["object_digest"] for event in events} == {licence.contract_digest}
    assert all(post not in json.dumps(events, ensure_ascii=False) for post in POSTS)


def test_every_problem_of_a_draft_is_named_at_once(hub: Hub) -> None:
    header, items = factories.terms(hub, "s-0001")
    items["security"]["duties"] = " "
    items["security"]["incident_hours"] = "soon"
    items["other"]["exports_per_week"] = 51
    items["finance"]["bonus"] = "10%"
    items["term"]["ends_at"] = "2027-01-01"
    del items["breach"]
    header["mode"] = "MODE_WISH"
    with pytest.raises(InvalidInput) as caught:
        factories.conclude(hub, scenario_id="s-0001", header=header, items=items)
    assert {(refusal.rule, refusal.subject) for refusal in caught.value.refusals} == {
        ("contract.empty", "items.security.duties"),
        ("contract.type", "items.security.incident_hours"),
        ("contract.bounds", "items.other.exports_per_week"),
        ("contract.unknown", "items.finance.bonus"),
        ("contract.type", "items.term.ends_at"),
        ("contract.missing", "items.breach"),
        ("contract.type", "header.mode"),
    }


def test_drafter_neither_records_the_decision_nor_signs(hub: Hub) -> None:
    licence = factories.agreed(hub, until=LicenceStatus.DRAFTING)
    refused(lambda: deliberate(hub, licence, OFFICER), "licence.own_draft")
    deliberate(hub, licence)
    refused(lambda: sign(hub, licence, OFFICER), "licence.own_draft")


def test_decision_edited_after_the_fact_is_a_new_version_that_nobody_has_signed(hub: Hub) -> None:
    licence = factories.agreed(hub, until=LicenceStatus.SIGNED)
    old = licence.contract_digest
    licence = revised(hub, licence, items__products__reviewers=3)
    assert (licence.status, licence.version, licence.reviewers_required) == (LicenceStatus.DRAFTING, 2, 3)
    assert licence.current.signatures == []
    assert licence.current.deliberation is None
    first = licence.versions[0]
    assert (first.digest, len(first.signatures), first.deliberation is not None) == (old, 2, True)
    assert read_contract(first.contract).items.products.reviewers == 2
    refused(lambda: deliberate(hub, licence, digest=old), "licence.digest")


def test_what_is_in_force_is_not_rewritten(hub: Hub) -> None:
    licence = factories.agreed(hub)
    refused(lambda: revised(hub, licence, items__products__reviewers=3), "licence.status")
    assert find_licence(hub, actor(hub, OFFICER), licence.id).version == 1


def test_terms_are_asked_again_at_each_step(hub: Hub, watch: Watch) -> None:
    licence = factories.agreed(hub, until=LicenceStatus.DELIBERATING)
    watch.move(days=60)
    refused(lambda: sign(hub, licence, ASSESSOR), "licence.past")


def test_signature_of_one_side_alone_is_not_enough(hub: Hub) -> None:
    licence = factories.agreed(hub, until=LicenceStatus.DELIBERATING)
    assert sign(hub, licence, ADMIN).status is LicenceStatus.DELIBERATING
    refused(lambda: sign(hub, licence, ADMIN), "licence.signed_already")
    refused(
        lambda: enter_filing(
            hub, actor(hub, ASSESSOR), licence_id=licence.id, filing_no="1", filed_on=district_day(hub.clock())
        ),
        "licence.status",
    )
    assert sign(hub, licence, ASSESSOR).status is LicenceStatus.SIGNED


def test_rival_operator_neither_sees_nor_signs(hub: Hub) -> None:
    licence = factories.agreed(hub, until=LicenceStatus.DELIBERATING)
    refused(lambda: sign(hub, licence, "ps-admin"), "not_found", kind=NotFound)


def test_attendees_are_posts_and_their_names_are_not_repeated(hub: Hub) -> None:
    licence = factories.agreed(hub, until=LicenceStatus.DRAFTING)
    with pytest.raises(NotAllowed) as caught:
        deliberate(hub, licence, attendees=("局长", "数据局经办人"))
    assert caught.value.code == "licence.attendee"
    assert "数据局经办人" not in str(caught.value) + json.dumps(newest_event(hub), ensure_ascii=False)


def test_nothing_is_used_before_it_is_in_force_and_each_state_says_why(hub: Hub) -> None:
    for until in (LicenceStatus.DELIBERATING, LicenceStatus.SIGNED, LicenceStatus.FILED):
        licence = factories.agreed(hub, until=until)
        [standing] = [
            one for one in standing_of(hub, actor(hub, "ky-admin"), hub.clock()) if one.licence.id == licence.id
        ]
        assert [refusal.rule for refusal in standing.refusals] == [f"licence.{until}"]
        assert standing.asked_at == hub.clock()


def test_standing_says_usable_expiring_and_expired(hub: Hub, watch: Watch) -> None:
    factories.agreed(hub, days=200)
    seen = []
    for days in (0, 109, 2, 90):
        watch.move(days=days)
        [standing] = standing_of(hub, actor(hub, "ky-admin"), hub.clock())
        seen.append((standing.is_expiring, [refusal.rule for refusal in standing.refusals]))
    assert seen == [(False, []), (False, []), (True, []), (False, ["licence.expired"])]
    assert standing_of(hub, actor(hub, "ps-admin"), hub.clock()) == ()


def test_terminated_licence_is_closed_and_ends_as_exited(hub: Hub) -> None:
    licence = factories.agreed(hub)
    terminate_licence(hub, actor(hub, OFFICER), licence_id=licence.id, reason=REASON)
    refused(lambda: resume_licence(hub, actor(hub, OFFICER), licence_id=licence.id, reason=REASON), "licence.status")
    close_licence(hub, actor(hub, OFFICER), licence_id=licence.id, typed=licence.id, reason=REASON)
    assert find_licence(hub, actor(hub, OFFICER), licence.id).status is LicenceStatus.EXITED
    [standing] = standing_of(hub, actor(hub, "ky-admin"), hub.clock())
    assert [refusal.rule for refusal in standing.refusals] == ["licence.exited"]


def test_renewal_names_the_old_licence_and_takes_the_whole_path(hub: Hub) -> None:
    old = factories.agreed(hub)
    new = factories.agreed(hub, changes={"header.renews": old.id})
    assert (new.renews, new.status) == (old.id, LicenceStatus.ACTIVE)
    refused(lambda: factories.agreed(hub, changes={"header.renews": "l-0099"}), "licence.renewal")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"header.grant_source": "city_overall"}, "licence.authority"),
        ({"header.document_ref": ""}, "licence.document"),
        ({"items.security.officer": "ps-admin"}, "licence.security_officer"),
        ({"items.security.personnel": ["ky-admin", "mx-analyst"]}, "licence.personnel"),
        ({"header.developers": ["pushu"]}, "licence.developer"),
        ({"items.disclosure.redevelopment_ban": False}, "licence.redevelopment"),
        ({"items.products.plan.0.lane": "LANE_INDUSTRY"}, "licence.product_lane"),
        ({"items.other.retention_years": 2}, "licence.retention"),
        ({"items.scope.tables.0.full_reason": "x"}, "licence.full_in_workspace"),
    ],
)
def test_agreement_against_the_rules_is_not_drafted(hub: Hub, changes: dict[str, object], code: str) -> None:
    refused(lambda: factories.agreed(hub, changes=changes), code)


def test_product_outside_of_the_plan_does_not_ask_to_leave(tmp_path: Path) -> None:
    hub = factories.working(tmp_path / "working")
    room = factories.room(hub)
    refused(lambda: factories.submitted(hub, room, product_form=ProductForm.MODEL), "export.out_of_scope")
    refused(lambda: factories.submitted(hub, room, lane=Lane.INDUSTRY), "export.lane_rule")
    assert factories.submitted(hub, room, product_form=ProductForm.REPORT).lane is Lane.PUBLIC


def test_quota_counts_what_was_submitted_in_seven_days(tmp_path: Path, watch: Watch) -> None:
    hub = factories.district(tmp_path / "quota", clock=watch)
    licence = factories.agreed(hub, factories.approved_scenario(hub), changes={"items.other.exports_per_week": 2})
    factories.built(hub, licence.id)
    room = factories.room(hub)
    for _ in range(2):
        factories.submitted(hub, room)
    refused(lambda: factories.submitted(hub, room), "export.quota")
    watch.move(days=7)
    assert factories.submitted(hub, room).id


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("ends_at", NOW + timedelta(days=400)),
        ("reviewers_required", 1),
        ("joins", [["clinic_visits.serial", "clinic_visits.street"]]),
        ("developers", ["moxing"]),
        ("columns", ["street", "band", "visits", "cost", "serial"]),
        ("levels", ["full"]),
        ("policy", factories.POLICY.replace("k = 5", "k = 2")),
    ],
)
def test_rows_that_say_other_than_the_agreement_are_seen(hub: Hub, place: str, value: object) -> None:
    licence = factories.agreed(hub)
    row = licence if hasattr(licence, place) else licence.tables[0]
    setattr(row, place, value)
    assert agreement_digest(licence) == ""


def test_marked_table_stops_scenario_agreement_and_every_use(hub: Hub) -> None:
    licence, draft = factories.agreed(hub), factories.agreed(hub, until=LicenceStatus.DRAFTING)
    refused(
        lambda: mark_state_secret(hub, actor(hub, "tj-steward"), table_id="clinic_visits", reason=REASON),
        "table.owner",
    )
    mark_state_secret(hub, actor(hub, "mz-steward"), table_id="clinic_visits", reason=REASON)
    [standing] = [one for one in standing_of(hub, actor(hub, "ky-admin"), hub.clock()) if one.licence.id == licence.id]
    assert [refusal.rule for refusal in standing.refusals] == ["licence.state_secret"]
    refused(lambda: deliberate(hub, draft), "licence.state_secret")
    refused(lambda: factories.agreed(hub), "licence.state_secret")
    refused(lambda: factories.approved_scenario(hub, table_ids=["clinic_visits"]), "licence.state_secret")


def test_joins_come_into_force_with_the_agreement(hub: Hub) -> None:
    pseudonyms = factories.POLICY.replace(
        'technique = "drop"', 'technique = "pseudonymize"\nparams = { domain = "visitor" }'
    )
    licence = factories.agreed(
        hub,
        changes={
            "items.scope.tables.0.policy": pseudonyms,
            "items.scope.tables.0.columns": ["serial", "street", "band", "visits", "cost"],
        },
    )
    assert pseudonym_domains(licence) == {"clinic_visits": {"serial": "clinic_visits.serial"}}
    join = {"left": "clinic_visits.serial", "right": "clinic_visits.street", "reason": "同一来访者的多次就诊"}
    refused(lambda: factories.agreed(hub, changes={"items.scope.joins": [join]}), "join.columns")


def test_suspension_names_its_reason_and_is_taken_back(hub: Hub) -> None:
    licence = factories.agreed(hub)
    officer = actor(hub, OFFICER)
    assert suspend_licence(hub, officer, licence_id=licence.id, reason=REASON).status_reason == REASON
    refused(lambda: suspend_licence(hub, officer, licence_id=licence.id, reason=REASON), "licence.status")
    assert resume_licence(hub, officer, licence_id=licence.id, reason=REASON).status is LicenceStatus.ACTIVE


def test_licence_is_not_put_into_force_twice(hub: Hub) -> None:
    licence = factories.agreed(hub)
    refused(lambda: grant_licence(hub, actor(hub, OFFICER), licence_id=licence.id), "licence.status")
