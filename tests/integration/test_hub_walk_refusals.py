"""Everything the walk must refuse, through the actions a click calls, on a real database and real extracts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from hub.context import Hub
from hub.demo.people import ACCOUNTS
from hub.errors import ChecksFailed, HubError, InvalidInput, InvalidState, NotAllowed, NotFound
from hub.extracts.model import ExtractStatus
from hub.gate.actions import (
    cast_vote,
    find_request,
    list_requests,
    look_at_files,
    may_preview,
    stored,
    submit_export,
    withdraw_export,
)
from hub.gate.model import Decision, ExportRequest, RequestStatus
from hub.ledger.actions import read_entries, verify
from hub.ledger.events import EventKind
from hub.licensing.actions import find_licence, suspend_licence
from hub.licensing.model import ProductForm
from hub.people.accounts import appoint_person, confirm_change
from hub.people.actor import SYSTEM, Role
from hub.people.sign_in import sign_in
from hub.products.actions import bundle_path, deliver_release, issue_grant, redeem_grant
from hub.workspaces.actions import close_workspace, list_workspaces, mount_extracts, open_workspace
from tests import factories
from tests.factories import Watch, actor

pytestmark = pytest.mark.usefixtures("either_database")

REASON = "逐格看过,每格八十人。"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    return factories.working(tmp_path / "state", clock=watch)


@pytest.fixture
def empty(tmp_path: Path, watch: Watch) -> Hub:
    return factories.district(tmp_path / "empty", clock=watch)


def vote(hub: Hub, person: str, request: ExportRequest, decision: Decision = Decision.APPROVE) -> ExportRequest:
    return cast_vote(
        hub, actor(hub, person), request_id=request.id, digest=request.digest, decision=decision, reason=REASON
    )


def approved(hub: Hub) -> ExportRequest:
    request = factories.submitted(hub, factories.room(hub))
    vote(hub, "mz-reviewer", request)
    return vote(hub, "centre-reviewer", request)


def deliver(hub: Hub, request: ExportRequest, person: str = "release-officer") -> None:
    deliver_release(hub, actor(hub, person), request_id=request.id, recipient_id="ky-admin")


def newest_event(hub: Hub) -> dict[str, object]:
    with hub.reading() as session:
        body: dict[str, object] = json.loads(read_entries(session, limit=1)[0].body)
    return body


def refused(hub: Hub, kind: type[HubError], code: str, act: Callable[[], object]) -> None:
    """The act is refused with this code, and the ledger says so."""
    with pytest.raises(kind) as caught:
        act()
    assert code in {refusal.rule for refusal in caught.value.refusals}
    event = newest_event(hub)
    assert event["kind"] == "action.refused"
    assert code in event["reason_codes"]  # type: ignore[operator]


def test_expired_licence_is_refused_at_every_step(hub: Hub, watch: Watch) -> None:
    room = factories.room(hub)
    watch.move(days=29)
    waiting = factories.submitted(hub, room)
    vote(hub, "mz-reviewer", waiting)
    ready = factories.submitted(hub, room)
    vote(hub, "mz-reviewer", ready)
    vote(hub, "centre-reviewer", ready)
    done = factories.submitted(hub, room)
    vote(hub, "mz-reviewer", done)
    vote(hub, "centre-reviewer", done)
    deliver(hub, done)
    watch.move(days=1)
    analyst = actor(hub, "ky-analyst")
    code = "licence.expired"
    refused(hub, NotAllowed, code, lambda: open_workspace(hub, analyst, licence_id="l-0001"))
    refused(hub, NotAllowed, code, lambda: mount_extracts(hub, analyst, workspace_id=room.workspace_id))
    refused(hub, NotAllowed, code, lambda: factories.submitted(hub, room))
    refused(hub, NotAllowed, code, lambda: vote(hub, "centre-reviewer", waiting))
    refused(hub, NotAllowed, code, lambda: deliver(hub, ready))
    refused(hub, NotAllowed, code, lambda: redeem_grant(hub, actor(hub, "ky-admin"), request_id=done.id))
    officer = actor(hub, "release-officer")
    refused(hub, NotAllowed, code, lambda: issue_grant(hub, officer, request_id=done.id, recipient_id="ky-admin"))


def test_suspended_licence_is_refused_at_once(hub: Hub) -> None:
    request = approved(hub)
    suspend_licence(hub, actor(hub, "bureau-officer"), licence_id="l-0001", reason="安全检查")
    refused(hub, NotAllowed, "licence.suspended", lambda: deliver(hub, request))


def test_author_and_colleague_cannot_vote_and_nothing_of_it_is_kept(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))
    refused(hub, NotAllowed, "vote.author", lambda: vote(hub, "ky-analyst", request))
    refused(hub, NotAllowed, "vote.colleague", lambda: vote(hub, "ky-expert", request))
    assert find_request(hub, actor(hub, "auditor"), request.id).votes == []


def test_file_changed_after_the_first_vote_stops_everything(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))
    vote(hub, "mz-reviewer", request)
    frozen = stored(hub, request.files[0].sha256)
    frozen.chmod(0o600)
    frozen.write_bytes(factories.SAFE.replace(b"80", b"79"))
    refused(hub, ChecksFailed, "file.changed", lambda: vote(hub, "centre-reviewer", request))
    frozen.write_bytes(factories.SAFE)
    vote(hub, "centre-reviewer", request)
    frozen.write_bytes(factories.SAFE + b"S3,3\n")
    refused(hub, ChecksFailed, "file.changed", lambda: deliver(hub, request))
    frozen.unlink()
    refused(hub, ChecksFailed, "file.changed", lambda: deliver(hub, request))
    frozen.symlink_to("/etc/hostname")
    refused(hub, ChecksFailed, "file.changed", lambda: deliver(hub, request))


def test_changing_the_outbox_after_submission_changes_nothing_under_review(hub: Hub) -> None:
    room = factories.room(hub)
    request = factories.submitted(hub, room)
    vote(hub, "mz-reviewer", request)
    factories.put(hub, room, payload=b"street,n\nS0,1\n")
    assert vote(hub, "centre-reviewer", request).status is RequestStatus.APPROVED
    deliver(hub, request)
    assert stored(hub, request.files[0].sha256).read_bytes() == factories.SAFE


def test_nothing_is_fetched_by_a_typed_address(hub: Hub) -> None:
    request = approved(hub)
    for person in ("ky-admin", "ky-analyst", "release-officer", "auditor"):
        refused(
            hub,
            NotAllowed,
            "release.not_released",
            lambda person=person: redeem_grant(hub, actor(hub, person), request_id=request.id),  # type: ignore[misc]
        )
    with pytest.raises(NotFound):
        redeem_grant(hub, actor(hub, "ps-admin"), request_id=request.id)
    assert not bundle_path(hub, request.id).exists()


def test_grant_works_once_for_the_person_named_until_it_expires(hub: Hub, watch: Watch) -> None:
    request = approved(hub)
    deliver(hub, request)
    admin, analyst = actor(hub, "ky-admin"), actor(hub, "ky-analyst")
    refused(hub, NotAllowed, "grant.recipient", lambda: redeem_grant(hub, analyst, request_id=request.id))
    assert redeem_grant(hub, admin, request_id=request.id).exists()
    refused(hub, NotAllowed, "grant.redeemed", lambda: redeem_grant(hub, admin, request_id=request.id))
    officer = actor(hub, "release-officer")
    issue_grant(hub, officer, request_id=request.id, recipient_id="ky-analyst")
    watch.move(hours=hub.settings.grant_hours)
    refused(hub, NotAllowed, "grant.expired", lambda: redeem_grant(hub, analyst, request_id=request.id))
    refused(
        hub,
        NotAllowed,
        "release.recipient",
        lambda: issue_grant(hub, officer, request_id=request.id, recipient_id="ps-admin"),
    )


def test_event_of_a_release_is_there_before_any_byte(hub: Hub) -> None:
    request = approved(hub)
    bundle_path(hub, request.id).parent.mkdir(parents=True)
    bundle_path(hub, request.id).mkdir()  # the bundle cannot be written
    with pytest.raises(OSError, match="directory"):
        deliver(hub, request)
    with hub.reading() as session:
        kinds = [entry.kind for entry in read_entries(session, limit=3)]
    assert "release.delivered" in kinds
    bundle_path(hub, request.id).rmdir()
    assert redeem_grant(hub, actor(hub, "ky-admin"), request_id=request.id).is_file()


def test_objection_refuses_and_cannot_be_outvoted(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))
    assert vote(hub, "mz-reviewer", request, Decision.OBJECT).status is RequestStatus.REFUSED
    refused(hub, NotAllowed, "export.status", lambda: vote(hub, "centre-reviewer", request))
    refused(hub, NotAllowed, "export.status", lambda: deliver(hub, request))


def test_raw_rows_are_refused_by_the_machine_and_never_reach_a_vote(hub: Hub) -> None:
    room = factories.room(hub)
    rows = b"\n".join(factories.clinic_csv().splitlines()[:120])
    request = factories.submitted(hub, room, slugs=[factories.put(hub, room, slug="rows", payload=rows)])
    assert request.status is RequestStatus.MACHINE_REFUSED
    refused(hub, NotAllowed, "export.status", lambda: vote(hub, "mz-reviewer", request))


def test_extract_that_misses_its_target_is_refused_and_nothing_is_written(empty: Hub) -> None:
    hub = empty
    extract = factories.extracted(hub, policy=factories.POLICY.replace("k = 5", "k = 500"))
    assert extract.status is ExtractStatus.REFUSED
    assert extract.refusal_zh
    assert extract.refusal_en
    assert list(hub.folders.extracts.iterdir()) == []
    analyst = actor(hub, "ky-analyst")
    refused(hub, NotAllowed, "workspace.no_extract", lambda: open_workspace(hub, analyst, licence_id="l-0001"))


def test_changed_extract_is_not_mounted(hub: Hub) -> None:
    room = factories.room(hub)
    file = next(hub.folders.extracts.rglob("extract.parquet"))
    file.chmod(0o600)
    file.write_bytes(file.read_bytes() + b"x")
    analyst = actor(hub, "ky-analyst")
    refused(hub, ChecksFailed, "extract.changed", lambda: mount_extracts(hub, analyst, workspace_id=room.workspace_id))


def test_other_institutions_cannot_open_submit_or_see(hub: Hub) -> None:
    room = factories.room(hub)
    request = factories.submitted(hub, room)
    stranger = actor(hub, "ps-analyst")
    refused(hub, NotFound, "not_found", lambda: open_workspace(hub, stranger, licence_id="l-0001"))
    with pytest.raises(NotFound):
        find_request(hub, stranger, request.id)
    with pytest.raises(NotFound):
        find_request(hub, actor(hub, "tj-reviewer"), request.id)
    assert list_workspaces(hub, stranger) == []
    refused(
        hub,
        NotFound,
        "not_found",
        lambda: submit_export(
            hub,
            stranger,
            workspace_id=room.workspace_id,
            slugs=["counts"],
            title="t",
            reason=REASON,
            product_form=ProductForm.INDEX,
        ),
    )


def test_contents_are_previewed_by_author_and_reviewers_alone(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))
    # By role; that the training of the last has lapsed is asked by the page (test_people_training).
    may = {"ky-analyst", "mz-reviewer", "centre-reviewer", "release-officer", "centre-reviewer-2", "bureau-reviewer"}
    for account in ACCOUNTS:
        assert may_preview(request, actor(hub, account.id)) == (account.id in may), account.id


def test_whoever_is_shown_the_contents_is_on_record_once_a_day(hub: Hub, watch: Watch) -> None:
    request = factories.submitted(hub, factories.room(hub))
    before = newest_event(hub)
    for person in ("auditor", "bureau-officer", "ky-admin", "tj-reviewer"):
        with pytest.raises(NotFound):
            look_at_files(hub, actor(hub, person), request_id=request.id)
    assert newest_event(hub) == before  # nothing was shown
    reviewer = actor(hub, "mz-reviewer")
    look_at_files(hub, reviewer, request_id=request.id)
    first = newest_event(hub)
    assert (first["kind"], first["actor"], first["object_digest"]) == (
        "export.looked_at",
        "mz-reviewer",
        request.digest,
    )
    look_at_files(hub, reviewer, request_id=request.id)
    assert newest_event(hub) == first
    watch.move(days=1)
    look_at_files(hub, reviewer, request_id=request.id)
    assert newest_event(hub)["seq"] == first["seq"] + 1  # type: ignore[operator]
    refused(
        hub,
        NotAllowed,
        "person.training_lapsed",
        lambda: look_at_files(hub, actor(hub, "centre-reviewer-2"), request_id=request.id),
    )


def test_package_digest_covers_the_request_it_replaces(hub: Hub) -> None:
    room = factories.room(hub)
    first = factories.submitted(hub, room)
    second = factories.submitted(hub, room, supersedes=first.id)
    assert second.digest != first.digest
    assert newest_event(hub)["kind"] == "export.checked"
    with hub.reading() as session:
        said = [json.loads(entry.body) for entry in read_entries(session, limit=2)]
    assert said[1]["details"]["supersedes"] == first.id


def test_withdrawn_request_stays_withdrawn(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))
    refused(
        hub, NotAllowed, "export.author", lambda: withdraw_export(hub, actor(hub, "ky-admin"), request_id=request.id)
    )
    withdraw_export(hub, actor(hub, "ky-analyst"), request_id=request.id)
    refused(hub, NotAllowed, "export.status", lambda: vote(hub, "mz-reviewer", request))


def test_nothing_of_the_outbox_leaves_by_a_link(hub: Hub) -> None:
    room = factories.room(hub)
    slug = factories.put(hub, room)
    payload = room.state_dir / "outbox" / slug / "counts.csv"
    payload.unlink()
    payload.symlink_to(hub.settings.state_dir / "zhakou.sqlite")
    with pytest.raises(InvalidInput):
        factories.submitted(hub, room, slugs=[slug])


def test_agreement_is_not_drafted_for_the_past(hub: Hub, watch: Watch) -> None:
    licence = find_licence(hub, actor(hub, "bureau-officer"), "l-0001")
    watch.move(days=60)
    term = {
        "starts_at": licence.starts_at.isoformat(),
        "ends_at": licence.ends_at.isoformat(),
        "is_renewable": True,
        "start_reason": "自原协议期满之日起连续计算，经集体研究同意。",
    }
    with pytest.raises(NotAllowed) as caught:
        factories.agreed(hub, changes={"items.term": term})
    assert caught.value.code == "licence.past"


def test_closing_a_workspace_twice_is_one_event(hub: Hub) -> None:
    room = factories.room(hub)
    close_workspace(hub, workspace_id=room.workspace_id, reason="stopped")
    before = newest_event(hub)
    close_workspace(hub, workspace_id=room.workspace_id, reason="stopped")
    assert newest_event(hub) == before
    assert before["kind"] == "workspace.closed"


def test_failed_transaction_leaves_neither_effect_nor_event(hub: Hub) -> None:
    before = newest_event(hub)
    officer = actor(hub, "bureau-officer")

    def cut_off() -> None:
        with hub.transaction(officer, "suspend_licence") as tx:
            tx.record(EventKind.LICENCE_SUSPENDED, "licence", "l-0001")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power"):
        cut_off()
    assert newest_event(hub) == before


def test_wrong_password_and_unknown_name_get_one_answer(hub: Hub) -> None:
    said = set()
    for name in ("ky-analyst", "nobody-here", "system", ""):
        with pytest.raises(NotAllowed) as caught:
            sign_in(hub, username=name, password="wrong wrong wrong", code="000000", session="s")
        said.add(str(caught.value))
    assert len(said) == 1
    assert newest_event(hub)["actor"] == SYSTEM.person_id


def test_refused_person_changes_nothing(hub: Hub) -> None:
    with pytest.raises((NotAllowed, InvalidState)):
        suspend_licence(hub, actor(hub, "ky-admin"), licence_id="l-0001", reason="x")
    with hub.reading() as session:
        verdict = verify(session, public=hub.ledger_key.public_key().public_bytes_raw())
    assert verdict.holds


def test_ledger_of_a_whole_walk_holds_no_data_values(hub: Hub) -> None:
    request = approved(hub)
    deliver(hub, request)
    redeem_grant(hub, actor(hub, "ky-admin"), request_id=request.id)
    with hub.reading() as session:
        bodies = "".join(entry.body for entry in read_entries(session, limit=1000))
        verdict = verify(session, public=hub.ledger_key.public_key().public_bytes_raw())
    assert verdict.holds
    for secret in (
        "N00001",
        "S0,80",
        REASON,
        "康养服务分析师",
        hub.keys.pseudonym_key_file("l-0001").read_bytes().hex(),
    ):
        assert secret not in bodies


def test_compliance_expert_of_another_operator_sees_nothing_and_cannot_vote(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))
    opened = appoint_person(
        hub,
        actor(hub, "bureau-officer"),
        person_id="ps-expert",
        name_zh="普数科技合规专家",
        name_en="Data technology compliance expert",
        org_id="pushu",
        roles=frozenset({Role.COMPLIANCE_REVIEWER}),
        trained_until=hub.clock() + timedelta(days=9),
        confidentiality_until=hub.clock() + timedelta(days=9),
    )
    assert opened.proposed is not None
    confirm_change(hub, actor(hub, "bureau-assessor"), change_id=opened.proposed.id)
    rival = actor(hub, "ps-expert")
    assert list_requests(hub, rival) == []
    assert not may_preview(request, rival)
    with pytest.raises(NotFound):
        vote(hub, "ps-expert", request)
