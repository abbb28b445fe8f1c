"""A licence ends, is closed for good, and nothing of it can be used again; the certificate says what was destroyed."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.cli import run
from hub.closing import actions as closing
from hub.closing.actions import certificate_bundle, close_licence, discard_evidence
from hub.closing.model import ClosingStatus, DestructionCertificate
from hub.context import Hub
from hub.errors import ChecksFailed, HubError, NotAllowed, NotFound
from hub.extracts.actions import build_extract
from hub.extracts.model import Extract, ExtractStatus
from hub.gate.actions import cast_vote, withdraw_export
from hub.gate.model import Decision
from hub.ledger.actions import verify
from hub.ledger.model import LedgerEntry
from hub.licensing.model import Licence, LicenceStatus
from hub.people.model import Person
from hub.products.actions import bundle_path, deliver_release, public_keys, redeem_grant
from hub.products.statement import DESTRUCTION_TYPE, BadStatement, unseal
from hub.products.verify import verify_bundle
from hub.register.actions import list_products, meter_usage, propose_product
from hub.register.model import ChargeUnit, RegistrationStatus
from hub.workspaces.actions import close_workspace, mount_extracts, open_workspace, workspace_dir
from tests import factories
from tests.factories import Watch, actor

REASON = "授权期满,不再续期。"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    """Licence l-0001 has ended; its workspace w-0001 is stopped and holds a notebook."""
    hub = factories.working(tmp_path / "state", clock=watch)
    workspace = factories.room(hub)
    factories.put(hub, workspace)
    close_workspace(hub, workspace_id=workspace.workspace_id, reason="licence")
    watch.move(days=31)
    return hub


def closed(hub: Hub, *, typed: str = "l-0001") -> DestructionCertificate:
    return close_licence(hub, actor(hub, "bureau-officer"), licence_id="l-0001", typed=typed, reason=REASON)


def code(kind: type[HubError], act: object) -> str:
    with pytest.raises(kind) as caught:
        act()  # type: ignore[operator]
    return caught.value.code


def test_everything_is_destroyed_and_the_certificate_names_it(hub: Hub) -> None:
    key = next((hub.settings.state_dir / "keys" / "licences").glob("l-0001.key"))
    secret = key.read_bytes()
    extract = next(hub.folders.extracts.glob("e-*"))
    with hub.reading() as session:
        issued = session.get_one(Extract, extract.name).digest
    certificate = closed(hub)
    assert not extract.exists()
    assert not workspace_dir(hub, "w-0001").exists()
    assert not key.exists()
    statement = unseal(certificate.envelope.encode(), public_keys(hub)["release"], predicate_type=DESTRUCTION_TYPE)
    items = {(item["kind"], item["id"]): item for item in statement["predicate"]["items"]}
    assert set(items) == {("extract", extract.name), ("workspace", "w-0001"), ("key", "l-0001")}
    assert items["extract", extract.name]["issued"] == issued
    assert items["workspace", "w-0001"]["files"] == 2
    assert [subject["digest"]["sha256"] for subject in statement["subject"]] == [
        item["sha256"] for item in statement["predicate"]["items"]
    ]
    assert secret.hex() not in certificate.envelope
    assert certificate.digest == hashlib.sha256(certificate.envelope.encode()).hexdigest()
    with hub.reading() as session:
        bodies = [json.loads(body) for body in session.scalars(select(LedgerEntry.body).order_by(LedgerEntry.seq))]
        assert verify(session, public=hub.ledger_key.public_key().public_bytes_raw()).holds
        assert session.get_one(Extract, extract.name).status is ExtractStatus.DESTROYED
    assert [body["kind"] for body in bodies[-2:]] == ["closing.begun", "licence.closed"]
    assert bodies[-1]["object_digest"] == certificate.digest


def test_certificate_is_no_release_statement(hub: Hub) -> None:
    certificate = closed(hub)
    with pytest.raises(BadStatement):
        unseal(certificate.envelope.encode(), public_keys(hub)["release"])


def test_nothing_destroyed_is_used_again_even_if_the_licence_lived_on(hub: Hub, watch: Watch) -> None:
    closed(hub)
    with hub.database.writing() as session:  # someone edits the licence in the database
        licence = session.get_one(Licence, "l-0001")
        licence.ends_at = watch.now.replace(year=watch.now.year + 1)
        licence.status = LicenceStatus.ACTIVE
    analyst = actor(hub, "ky-analyst")
    assert code(NotAllowed, lambda: open_workspace(hub, analyst, licence_id="l-0001")) == "workspace.no_extract"
    assert code(NotAllowed, lambda: mount_extracts(hub, analyst, workspace_id="w-0001")) == "workspace.destroyed"
    room = factories.Room(
        workspace_id="w-0001", number=0, licence_id="l-0001", person_id="ky-analyst", state_dir=Path("/nowhere")
    )
    assert code(NotAllowed, lambda: factories.submitted(hub, room)) == "workspace.destroyed"
    with pytest.raises(HubError) as caught:
        build_extract(hub, actor(hub, "centre-operator"), request_id="q-0001")
    assert caught.value.code == "licence.key_destroyed"


def test_closing_that_was_not_confirmed_touches_nothing(hub: Hub) -> None:
    assert code(NotAllowed, lambda: closed(hub, typed="l-0002")) == "closing.confirm"
    assert next(hub.folders.extracts.glob("e-*")).exists()
    assert workspace_dir(hub, "w-0001").exists()
    assert hub.keys.pseudonym_key_print("l-0001")
    assert closing.find_closing(hub, actor(hub, "ky-admin"), "l-0001")[1] is None


def test_open_workspace_and_open_request_stop_it(tmp_path: Path, watch: Watch) -> None:
    hub = factories.working(tmp_path / "state", clock=watch)
    request = factories.submitted(hub, factories.room(hub))
    assert code(NotAllowed, lambda: closed(hub)) == "closing.usable"
    watch.move(days=31)
    with pytest.raises(NotAllowed) as caught:
        closed(hub)
    assert {one.rule for one in caught.value.refusals} == {"closing.request_open", "closing.workspace_open"}
    withdraw_export(hub, actor(hub, "ky-analyst"), request_id=request.id)
    close_workspace(hub, workspace_id="w-0001", reason="licence")
    certificate = closed(hub)
    said = json.loads(_payload(certificate))["predicate"]
    assert said["kept"] == []
    assert [item["id"] for item in said["items"] if item["kind"] == "package"] == [request.id]


def _payload(certificate: DestructionCertificate) -> bytes:
    return base64.b64decode(json.loads(certificate.envelope)["payload"])


def test_closing_twice_is_refused_and_changes_nothing(hub: Hub) -> None:
    first = closed(hub)
    assert code(NotAllowed, lambda: closed(hub)) == "closing.done"
    found = closing.find_certificate(hub, actor(hub, "ky-admin"), "l-0001")
    assert found.digest == first.digest


def test_interrupted_closing_goes_on_and_certifies_only_when_nothing_remains(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwilling(root: Path) -> None:
        raise PermissionError(root)

    with monkeypatch.context() as patched:
        patched.setattr(closing, "destroy", unwilling)
        assert code(ChecksFailed, lambda: closed(hub)) == "closing.remains"
    _licence, begun, certificate = closing.find_closing(hub, actor(hub, "ky-admin"), "l-0001")
    assert begun is not None
    assert begun.status is ClosingStatus.BEGUN
    assert certificate is None
    assert closed(hub).digest
    assert not workspace_dir(hub, "w-0001").exists()


def test_other_operator_learns_nothing_of_it(hub: Hub) -> None:
    closed(hub)
    with pytest.raises(NotFound):
        closing.find_certificate(hub, actor(hub, "ps-admin"), "l-0001")


def test_missing_folder_is_certified_as_empty(hub: Hub) -> None:
    shutil.rmtree(workspace_dir(hub, "w-0001"))
    items = json.loads(_payload(closed(hub)))["predicate"]["items"]
    assert [item["files"] for item in items if item["kind"] == "workspace"] == [0]


@pytest.fixture
def released(tmp_path: Path, watch: Watch) -> Hub:
    """Licence l-0001 has ended; r-0001 was released, registered as d-0001 and not fetched; r-0002 was withdrawn."""
    hub = factories.working(tmp_path / "state", clock=watch)
    workspace = factories.room(hub)
    request = factories.submitted(hub, workspace)
    for person in ("mz-reviewer", "centre-reviewer"):
        reason = "逐格看过,每格八十人。"
        vote = {"digest": request.digest, "decision": Decision.APPROVE, "reason": reason}
        cast_vote(hub, actor(hub, person), request_id=request.id, **vote)  # type: ignore[arg-type]
    deliver_release(hub, actor(hub, "release-officer"), request_id=request.id, recipient_id="ky-admin")
    words = {"name": "街道就诊指数", "description": "按街道和年龄段汇总的就诊次数。"}
    propose_product(hub, actor(hub, "ky-admin"), request_id=request.id, **words)
    slug = factories.put(hub, workspace, slug="other", payload=b"street,n\nS0,80\nS1,80\nS2,90\n")
    other = factories.submitted(hub, workspace, slugs=[slug])
    withdraw_export(hub, actor(hub, "ky-analyst"), request_id=other.id)
    close_workspace(hub, workspace_id=workspace.workspace_id, reason="licence")
    watch.move(days=31)
    return hub


def sealed(hub: Hub) -> DestructionCertificate:
    officer = actor(hub, "bureau-officer")
    gap = "运营机构未报最后一期用量。"
    return close_licence(hub, officer, licence_id="l-0001", typed="l-0001", reason=REASON, usage_gap=gap)


def test_closing_waits_for_the_last_use_or_a_reason_why_it_cannot_be_had(released: Hub) -> None:
    assert code(NotAllowed, lambda: closed(released)) == "closing.usage_open"
    first = released.clock().date() - timedelta(days=31)
    meter_usage(
        released,
        actor(released, "ky-admin"),
        product_id="d-0001",
        unit=ChargeUnit.CALLS,
        amount=0,
        first=first,
        last=first + timedelta(days=30),
    )
    said = json.loads(_payload(closed(released)))["predicate"]["ended"]
    assert said["metered"] == [{"product": "d-0001", "until": str(first + timedelta(days=30))}]


def test_grants_registrations_and_the_licence_end_together_and_events_say_so(released: Hub) -> None:
    sealed(released)
    with released.reading() as session:
        kinds = [entry.kind for entry in session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq))]
        assert session.get_one(Licence, "l-0001").status is LicenceStatus.EXITED
    assert kinds[-4:] == ["grant.revoked", "registration.decided", "closing.begun", "licence.closed"]
    product = list_products(released, actor(released, "ky-admin"))[0]
    assert product.status is RegistrationStatus.CANCELLED
    with pytest.raises(NotAllowed) as caught:
        redeem_grant(released, actor(released, "ky-admin"), request_id="r-0001")
    assert "grant.revoked" in {refusal.rule for refusal in caught.value.refusals}


def test_what_was_never_released_is_destroyed_and_what_was_is_kept_until_its_day(released: Hub) -> None:
    frozen = {path.name for path in released.folders.frozen.rglob("*") if path.is_file()}
    certificate = sealed(released)
    said = json.loads(_payload(certificate))["predicate"]
    (package,) = [item for item in said["items"] if item["kind"] == "package"]
    assert package["id"] == "r-0002"
    left = {path.name for path in released.folders.frozen.rglob("*") if path.is_file()}
    assert frozen - left == set(package["contents"])
    assert left
    assert [(one["request"], one["until"]) for one in said["kept"]] == [("r-0001", "2031-11-24")]
    assert bundle_path(released, "r-0001").is_file()


def test_released_package_is_not_deleted_inside_its_time_and_is_after_it(released: Hub, watch: Watch) -> None:
    sealed(released)
    officer = actor(released, "bureau-officer")
    assert code(NotAllowed, lambda: discard_evidence(released, officer, request_id="r-0001")) == "retention.floor"
    assert bundle_path(released, "r-0001").is_file()
    with released.database.writing() as session:  # people's training would lapse with the years
        session.get_one(Person, "bureau-officer").trained_until = watch.now.replace(year=2040)
        session.get_one(Person, "bureau-officer").confidentiality_until = watch.now.replace(year=2040)
    watch.now = watch.now.replace(year=2031, month=11, day=26)
    discard_evidence(released, officer, request_id="r-0001")
    assert not bundle_path(released, "r-0001").exists()
    assert [path for path in released.folders.frozen.rglob("*") if path.is_file()] == []
    with released.reading() as session:
        assert verify(session, public=released.ledger_key.public_key().public_bytes_raw()).holds


def test_certificate_verifies_offline_and_recognises_a_copy_in_a_backup(released: Hub, tmp_path: Path) -> None:
    shutil.copytree(workspace_dir(released, "w-0001"), tmp_path / "backup", symlinks=True)
    bundle = tmp_path / "certificate.zip"
    bundle.write_bytes(certificate_bundle(released, sealed(released)))
    found = verify_bundle(bundle, trusted=public_keys(released))
    assert found.holds, found.as_json()
    assert run(["verify", str(bundle)]) == 0
    assert run(["verify", str(bundle), "--against", str(tmp_path / "backup")]) == 24
    (tmp_path / "backup" / "other").write_text("other")
    assert run(["verify", str(bundle), "--against", str(tmp_path / "backup")]) == 0


def test_file_beside_a_certificate_and_another_entry_are_seen(released: Hub, tmp_path: Path) -> None:
    whole = tmp_path / "whole.zip"
    whole.write_bytes(certificate_bundle(released, sealed(released)))
    for part, step in (("files/x.csv", "files.match"), ("ledger/entry.json", "entry.included")):
        changed = tmp_path / "changed.zip"
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(changed, "w") as target:
            for name in source.namelist():
                target.writestr(
                    name, source.read(name).replace(b"l-0001", b"l-0002") if name == part else source.read(name)
                )
            if part not in source.namelist():
                target.writestr(part, b"1")
        assert verify_bundle(changed).steps[-1].code == step


def test_statement_of_another_closing_does_not_fit_its_entry(released: Hub, tmp_path: Path) -> None:
    bundle = tmp_path / "certificate.zip"
    certificate = sealed(released)
    envelope = json.loads(certificate.envelope)
    certificate.envelope = json.dumps({**envelope, "note": "1"})  # still signed, other bytes than the ledger names
    bundle.write_bytes(certificate_bundle(released, certificate))
    assert verify_bundle(bundle).steps[-1].code == "entry.matches"
