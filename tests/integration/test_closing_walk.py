"""A licence ends, is closed for good, and nothing of it can be used again; the certificate says what was destroyed."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.closing import actions as closing
from hub.closing.actions import PREDICATE_TYPE, close_licence
from hub.closing.model import ClosingStatus, DestructionCertificate
from hub.context import Hub
from hub.errors import ChecksFailed, HubError, NotAllowed, NotFound
from hub.extracts.actions import build_extract
from hub.extracts.model import Extract, ExtractStatus
from hub.gate.actions import withdraw_export
from hub.ledger.actions import verify
from hub.ledger.model import LedgerEntry
from hub.licensing.model import Licence
from hub.products.actions import public_keys
from hub.products.statement import BadStatement, unseal
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
    statement = unseal(certificate.envelope.encode(), public_keys(hub)["release"], predicate_type=PREDICATE_TYPE)
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
    with hub.database.writing() as session:  # someone moves the licence's end in the database
        licence = session.get_one(Licence, "l-0001")
        licence.ends_at = watch.now.replace(year=watch.now.year + 1)
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
    assert json.loads(_payload(certificate))["predicate"]["kept"] == {"requests": 1, "releases": 0}


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
