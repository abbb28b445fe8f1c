"""Hostile words, files and moments: each is refused in words, leaves an event, and breaks nothing."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.catalog.actions import register_table
from hub.context import Hub
from hub.errors import HubError, InvalidInput, InvalidState, NotAllowed, NotFound
from hub.extracts import actions as extracts
from hub.extracts import worker
from hub.extracts.actions import (
    build_extract,
    find_extract,
    issued_rungs,
    revoke_extract,
    run_extract,
    start_extract,
)
from hub.extracts.model import ExtractStatus
from hub.extracts.requests import decide_extract, request_extract, withdraw_extract_request
from hub.gate.actions import cast_vote, submit_export, withdraw_export
from hub.gate.model import Decision, ExportRequest
from hub.intake.actions import receive_file
from hub.ledger.actions import read_entries, verify
from hub.licensing.actions import (
    decide_scenario,
    file_scenario,
    suspend_licence,
)
from hub.licensing.model import ExtractLevel, Lane, Licence, ProductForm
from hub.people.accounts import appoint_person
from hub.people.actor import Role
from hub.people.sign_in import sign_in
from hub.products.actions import deliver_release, issue_grant, redeem_grant
from hub.recovery import start_site
from hub.workspaces.actions import mount_extracts, open_workspace
from tests import factories
from tests.factories import Watch, actor

REASON = "逐格看过,每格八十人。"
SURROGATE, NUL, BIDI, HUGE = "a\ud800b", "a\x00b", "a\u202eb", "长" * 100_000
HOSTILE = [SURROGATE, NUL, BIDI, HUGE]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    return factories.working(tmp_path / "state", clock=watch)


@pytest.fixture
def empty(tmp_path: Path, watch: Watch) -> Hub:
    return factories.district(tmp_path / "empty", clock=watch)


def newest_event(hub: Hub) -> dict[str, Any]:
    with hub.reading() as session:
        body: dict[str, Any] = json.loads(read_entries(session, limit=1)[0].body)
    return body


def refused(hub: Hub, kind: type[HubError], code: str, act: Callable[[], object]) -> None:
    with pytest.raises(kind) as caught:
        act()
    assert code in {refusal.rule for refusal in caught.value.refusals}
    event = newest_event(hub)
    assert (event["kind"], code in event["reason_codes"]) == ("action.refused", True)
    assert len(event["object_id"]) <= 64


def submit(hub: Hub, **changes: Any) -> ExportRequest:
    room = factories.room(hub)
    given: dict[str, Any] = {
        "workspace_id": room.workspace_id,
        "slugs": [factories.put(hub, room)],
        "title": "按街道就诊人数",
        "reason": REASON,
        "product_form": ProductForm.INDEX,
        "screen": factories.screen_here,
    }
    return submit_export(hub, actor(hub, "ky-analyst"), **{**given, **changes})


def grant(hub: Hub, **changes: object) -> Licence:
    """Another licence on the scenario of l-0001; changes by place, with _ for the dots."""
    return factories.agreed(hub, changes={place.replace("__", "."): value for place, value in changes.items()})


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_refused_wherever_a_person_writes_them(hub: Hub, words: str) -> None:
    officer, admin = actor(hub, "bureau-officer"), actor(hub, "ky-admin")
    long = words * 10
    code = "words.long" if words is HUGE else "words.signs"
    request = submit(hub)
    acts: list[Callable[[], object]] = [
        lambda: submit(hub, title=words),
        lambda: submit(hub, reason=long),
        lambda: cast_vote(
            hub,
            actor(hub, "mz-reviewer"),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.OBJECT,
            reason=long,
        ),
        lambda: suspend_licence(hub, officer, licence_id="l-0001", reason=words),
        lambda: file_scenario(
            hub, admin, title=words, purpose=REASON * 2, lane=Lane.PUBLIC, table_ids=["clinic_visits"]
        ),
        lambda: file_scenario(hub, admin, title="t", purpose=long, lane=Lane.PUBLIC, table_ids=["clinic_visits"]),
        lambda: grant(hub, header__document_ref=words),
        lambda: grant(hub, items__security__duties=long),
        lambda: appoint_person(
            hub,
            officer,
            person_id="someone",
            name_zh=words,
            name_en="n",
            org_id="mz",
            roles=frozenset({Role.DEPT_STEWARD}),
        ),
    ]
    for act in acts:
        refused(hub, InvalidInput, code, act)


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("field", ["title_zh", "title_en", "description", "share_basis", "open_basis"])
def test_hostile_words_about_a_table_are_refused(empty: Hub, field: str, words: str) -> None:
    steward = actor(empty, "mz-steward")
    raw = receive_file(
        empty,
        steward,
        stream=io.BytesIO(factories.clinic_csv()),
        name="c.csv",
        no_state_secret=True,
        scan=factories.scan_here,
    )
    draft = factories.clinic_draft(**{field: words})
    code = "words.long" if words is HUGE else "words.signs"
    refused(empty, InvalidInput, code, lambda: register_table(empty, steward, draft, raw_digest=raw.digest))
    columns = factories.clinic_draft().columns
    renamed = factories.clinic_draft(columns=(replace(columns[0], name_zh=words), *columns[1:]))
    refused(empty, InvalidInput, code, lambda: register_table(empty, steward, renamed, raw_digest=raw.digest))


@pytest.mark.parametrize("name", [SURROGATE + ".csv", BIDI + ".csv", NUL + ".csv", "../x.csv", "a/b.csv", ".csv", ""])
def test_hostile_file_names_are_refused(empty: Hub, name: str) -> None:
    steward = actor(empty, "mz-steward")
    refused(
        empty,
        InvalidInput,
        "file.type",
        lambda: receive_file(
            empty, steward, stream=io.BytesIO(b"a\n1\n"), name=name, no_state_secret=True, scan=factories.scan_here
        ),
    )


@pytest.mark.parametrize("typed", ["张三 110101199003070000", SURROGATE, HUGE, "", "r-0001'--", NUL])
def test_what_was_typed_as_an_id_is_not_repeated_in_the_ledger(hub: Hub, typed: str) -> None:
    reviewer, officer = actor(hub, "mz-reviewer"), actor(hub, "bureau-officer")
    acts: list[Callable[[], object]] = [
        lambda: cast_vote(hub, reviewer, request_id=typed, digest="d", decision=Decision.APPROVE, reason=REASON),
        lambda: withdraw_export(hub, actor(hub, "ky-analyst"), request_id=typed),
        lambda: redeem_grant(hub, actor(hub, "ky-admin"), request_id=typed),
        lambda: suspend_licence(hub, officer, licence_id=typed, reason=REASON),
        lambda: submit(hub, workspace_id=typed),
        lambda: submit(hub, supersedes=typed or "x"),
        lambda: open_workspace(hub, actor(hub, "ky-analyst"), licence_id=typed),
        lambda: mount_extracts(hub, actor(hub, "ky-analyst"), workspace_id=typed),
    ]
    for act in acts:
        with pytest.raises(InvalidInput if typed in (SURROGATE, NUL) else NotFound):
            act()
        assert newest_event(hub)["kind"] == "action.refused"
        assert typed == "" or typed not in json.dumps(newest_event(hub), ensure_ascii=False)
    with pytest.raises(HubError):
        register_table(hub, actor(hub, "mz-steward"), factories.clinic_draft(id=typed), raw_digest="0" * 64)
    assert typed == "" or typed not in json.dumps(newest_event(hub), ensure_ascii=False)


@pytest.mark.parametrize("typed", [SURROGATE, NUL, HUGE, "system"])
def test_hostile_names_and_passwords_do_not_sign_in(hub: Hub, typed: str) -> None:
    def attempt(name: str, password: str, code: str) -> object:
        return sign_in(hub, username=name, password=password, code=code, session="s")

    refused(hub, NotAllowed, "sign_in.wrong", lambda: attempt(typed, "x" * 20, "000000"))
    refused(hub, NotAllowed, "sign_in.wrong", lambda: attempt("ky-analyst", typed, "000000"))
    refused(hub, NotAllowed, "sign_in.wrong", lambda: attempt("ky-analyst", "x" * 20, typed))


def test_nobody_can_be_named_as_the_service_itself(hub: Hub) -> None:
    refused(
        hub,
        InvalidInput,
        "name.form",
        lambda: appoint_person(
            hub,
            actor(hub, "bureau-officer"),
            person_id="system",
            name_zh="甲",
            name_en="a",
            org_id="mz",
            roles=frozenset({Role.DEPT_STEWARD}),
        ),
    )


@pytest.mark.parametrize(
    "policy",
    [
        "a = " + "[" * 50_000,
        "x = " + "{a=" * 20_000,
        "\n".join(f"[a.b{n}]" for n in range(60_000)),
        "a = '" + "x" * 1_000_000 + "'",
        SURROGATE,
        NUL,
        "",
    ],
    ids=["arrays", "tables", "sections", "long", "surrogate", "nul", "empty"],
)
def test_hostile_policies_are_refused(hub: Hub, policy: str) -> None:
    with pytest.raises(InvalidInput):
        grant(hub, items__scope__tables__0__policy=policy)
    assert newest_event(hub)["kind"] == "action.refused"


def test_impossible_terms_are_refused(hub: Hub) -> None:
    one = factories.terms(hub, "s-0001")[1]["scope"]["tables"][0]
    last, before = datetime(9999, 12, 31, tzinfo=UTC).isoformat(), datetime(9999, 12, 30, tzinfo=UTC).isoformat()
    backwards = {"items__term__starts_at": last, "items__term__ends_at": before}
    refused(hub, NotAllowed, "licence.term", lambda: grant(hub, **backwards))
    assert grant(hub, items__term__starts_at=before, items__term__ends_at=last).id == "l-0002"
    refused(hub, NotAllowed, "licence.tables", lambda: grant(hub, items__scope__tables=[one, one]))
    refused(hub, InvalidInput, "contract.bounds", lambda: grant(hub, items__products__reviewers=10**30))


# --- who may know -----------------------------------------------------------------------------------------------------


def test_stranger_hears_of_what_is_hidden_exactly_what_he_hears_of_nothing(hub: Hub) -> None:
    request = submit(hub)
    room = factories.room(hub)
    extract_id = find_extract(hub, actor(hub, "centre-operator"), "e-0001").id
    analyst, admin, other = actor(hub, "ps-analyst"), actor(hub, "ps-admin"), actor(hub, "tj-reviewer")

    def ballot(request_id: str, person: Any) -> object:
        return cast_vote(hub, person, request_id=request_id, digest="d", decision=Decision.APPROVE, reason=REASON)

    asks: list[tuple[str, Callable[[str], object]]] = [
        (request.id, lambda it: ballot(it, analyst)),
        (request.id, lambda it: ballot(it, other)),
        (request.id, lambda it: withdraw_export(hub, analyst, request_id=it)),
        (request.id, lambda it: deliver_release(hub, admin, request_id=it, recipient_id="ps-admin")),
        (request.id, lambda it: issue_grant(hub, admin, request_id=it, recipient_id="ps-admin")),
        (request.id, lambda it: redeem_grant(hub, admin, request_id=it)),
        (request.id, lambda it: submit(hub, supersedes=it) if it == "-" else submit_as(hub, analyst, it)),
        (room.workspace_id, lambda it: submit_as(hub, analyst, workspace=it)),
        (room.workspace_id, lambda it: mount_extracts(hub, analyst, workspace_id=it)),
        ("l-0001", lambda it: open_workspace(hub, analyst, licence_id=it)),
        ("l-0001", lambda it: suspend_licence(hub, admin, licence_id=it, reason=REASON)),
        (
            "l-0001",
            lambda it: request_extract(
                hub, admin, licence_id=it, table_id="clinic_visits", level=ExtractLevel.SYNTHETIC
            ),
        ),
        ("q-0001", lambda it: decide_extract(hub, admin, request_id=it, digest="", approve=True, reason=REASON)),
        ("q-0001", lambda it: withdraw_extract_request(hub, admin, request_id=it)),
        ("q-0001", lambda it: start_extract(hub, admin, request_id=it)),
        (extract_id, lambda it: revoke_extract(hub, admin, extract_id=it, reason=REASON)),
        ("s-0001", lambda it: decide_scenario(hub, admin, scenario_id=it, approve=True, reason=REASON)),
        (extract_id, lambda it: find_extract(hub, admin, it)),
    ]
    for hidden, ask in asks:
        said = []
        for name in (hidden, "-"):
            with pytest.raises(NotFound) as caught:
                ask(name)
            said.append(str(caught.value).replace(f" {name},", " -,"))
        assert said[0] == said[1]


def submit_as(hub: Hub, person: Any, supersedes: str | None = None, *, workspace: str = "-") -> ExportRequest:
    return submit_export(
        hub,
        person,
        workspace_id=workspace,
        slugs=["counts"],
        title="t",
        reason=REASON,
        product_form=ProductForm.INDEX,
        supersedes=supersedes,
    )


def test_stranger_who_tries_to_fetch_a_release_leaves_a_trace(hub: Hub) -> None:
    request = submit(hub)
    refused(hub, NotFound, "not_found", lambda: redeem_grant(hub, actor(hub, "ps-admin"), request_id=request.id))
    assert newest_event(hub)["object_id"] == request.id


def test_outbox_that_was_never_made_is_refused_in_words(hub: Hub) -> None:
    room = factories.room(hub)
    submit = lambda: submit_as(hub, actor(hub, "ky-analyst"), workspace=room.workspace_id)  # noqa: E731
    refused(hub, InvalidInput, "export.outbox", submit)


# --- extracts ---------------------------------------------------------------------------------------------------------


def test_licence_that_ends_while_the_worker_runs_yields_no_extract(empty: Hub, watch: Watch) -> None:
    hub, builder = empty, actor(empty, "centre-operator")
    job = factories.begun(hub, factories.licensed(hub).id)
    watch.move(days=31)
    extract = run_extract(hub, builder, extract_id=job.id)
    assert (extract.status, extract.refusal_code) == (ExtractStatus.REFUSED, "licence.expired")
    assert extract.refusal_zh
    assert newest_event(hub)["reason_codes"] == ["licence.expired"]
    assert list(hub.folders.extracts.iterdir()) == []


def test_ended_build_is_never_run_again(hub: Hub) -> None:
    builder = actor(hub, "centre-operator")
    folder = hub.folders.extracts / "e-0001"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    refused(hub, InvalidState, "extract.status", lambda: run_extract(hub, builder, extract_id="e-0001"))
    assert find_extract(hub, builder, "e-0001").status is ExtractStatus.ISSUED
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_worker_that_ends_after_its_job_was_closed_changes_nothing(empty: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, builder = empty, actor(empty, "centre-operator")
    job = factories.begun(hub, factories.licensed(hub).id)

    def slow(**given: Any) -> Any:
        built = worker.run_worker(**given)
        start_site(hub)  # meanwhile another process came up and closed what it took for dead
        return built

    monkeypatch.setattr(extracts, "run_worker", slow)
    refused(hub, InvalidState, "extract.status", lambda: run_extract(hub, builder, extract_id=job.id))
    assert find_extract(hub, builder, job.id).refusal_code == "extract.interrupted"
    assert list(hub.folders.extracts.iterdir()) == []


def test_raw_file_exchanged_after_the_scan_yields_no_extract_and_leaves_nothing(empty: Hub) -> None:
    hub = empty
    licence = factories.licensed(hub)
    raw = next(hub.folders.raw.iterdir())
    raw.chmod(0o600)
    raw.write_bytes(raw.read_bytes().replace(b"S0", b"S9"))
    extract = factories.built(hub, licence.id)
    assert (extract.status, extract.refusal_code) == (ExtractStatus.REFUSED, "extract.digests")
    assert list(hub.folders.extracts.iterdir()) == []


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b"[" * 100_000, b'{"digests": 5}'])
def test_broken_manifest_is_a_refusal_not_a_job_that_never_ends(
    empty: Hub, monkeypatch: pytest.MonkeyPatch, manifest: bytes
) -> None:
    hub = empty
    licence = factories.licensed(hub)
    real = subprocess.run

    def meddled(*given: Any, **named: Any) -> Any:
        done = real(*given, **named)
        next(hub.folders.extracts.rglob("manifest.json")).write_bytes(manifest)
        return done

    monkeypatch.setattr(subprocess, "run", meddled)
    extract = factories.built(hub, licence.id)
    assert (extract.status, extract.refusal_code) == (ExtractStatus.REFUSED, "extract.crashed")
    assert list(hub.folders.extracts.iterdir()) == []


def test_newest_is_newest_beyond_four_digits(hub: Hub) -> None:
    with hub.database.writing() as session:
        session.execute(text("UPDATE counter SET last = 9998 WHERE prefix = 'e'"))
    builder = actor(hub, "centre-operator")
    made = [build_extract(hub, builder, request_id="q-0001").id for _ in range(2)]
    assert made == ["e-9999", "e-10000"]
    with hub.reading() as session:
        rungs = issued_rungs(session, "l-0001", hub.clock())["clinic_visits"]
    assert {level: extract.id for level, extract in rungs.items()} == {ExtractLevel.FULL: "e-10000"}
    assert [extract.id for extract in extracts.list_extracts(hub, builder)][:2] == ["e-10000", "e-9999"]


def test_newest_grant_counts_beyond_four_digits(hub: Hub) -> None:
    request = submit(hub)
    for person in ("mz-reviewer", "centre-reviewer"):
        cast_vote(
            hub,
            actor(hub, person),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason=REASON,
        )
    with hub.database.writing() as session:
        session.execute(text("INSERT INTO counter (prefix, last) VALUES ('g', 9998)"))
    officer, admin = actor(hub, "release-officer"), actor(hub, "ky-admin")
    deliver_release(hub, officer, request_id=request.id, recipient_id="ky-admin")
    redeem_grant(hub, admin, request_id=request.id)
    assert issue_grant(hub, officer, request_id=request.id, recipient_id="ky-admin").id == "g-10000"
    assert redeem_grant(hub, admin, request_id=request.id).is_file()


# --- crash ------------------------------------------------------------------------------------------------------------


def test_start_takes_away_copies_that_a_killed_intake_left(hub: Hub) -> None:
    left = hub.folders.raw / ".incoming-00.csv"
    left.write_bytes(b"secret")
    half = hub.folders.extracts / ".e-0009.abc"
    half.mkdir()
    kept = {path.name for path in hub.folders.raw.iterdir()} - {left.name}
    start_site(hub)
    assert {path.name for path in hub.folders.raw.iterdir()} == kept
    assert not half.exists()


def test_scan_that_says_nonsense_is_refused(empty: Hub) -> None:
    steward = actor(empty, "mz-steward")
    nonsense: list[dict[str, Any]] = [
        {"rows": 1, "columns": [{}]},
        {"rows": 2**60, "columns": [{"name": "a"}]},
        {"rows": -1, "columns": [{"name": "a"}]},
        {"rows": 1, "columns": [{"name": 5}]},
        {"rows": 1, "columns": [{"name": "a\ud800"}]},
        {"rows": True, "columns": [{"name": "a"}]},
    ]
    for said in nonsense:
        with pytest.raises(InvalidInput):
            receive_file(
                empty,
                steward,
                stream=io.BytesIO(b"a\n1\n"),
                name="a.csv",
                no_state_secret=True,
                scan=lambda _, said=said: said,  # type: ignore[misc]
            )
    assert list(empty.folders.raw.iterdir()) == []


def test_ledger_holds_after_all_of_it(hub: Hub) -> None:
    with pytest.raises((NotAllowed, NotFound)):
        submit_as(hub, actor(hub, "ps-analyst"))
    with hub.reading() as session:
        assert verify(session, public=hub.ledger_key.public_key().public_bytes_raw()).holds


def test_file_marked_as_a_state_secret_leaves_nothing_but_the_event(empty: Hub) -> None:
    steward = actor(empty, "mz-steward")
    for content, declared in ((b"a\n1\n", False), ("名称\n机密★10年\n".encode(), True)):
        refused(
            empty,
            InvalidInput,
            "file.state_secret",
            lambda content=content, declared=declared: receive_file(  # type: ignore[misc]
                empty,
                steward,
                stream=io.BytesIO(content),
                name="a.csv",
                no_state_secret=declared,
                scan=factories.scan_here,
            ),
        )
    assert list(empty.folders.raw.iterdir()) == []


def test_mark_of_a_state_secret_is_seen_across_the_pieces_of_a_large_file(empty: Hub) -> None:
    steward, mark = actor(empty, "mz-steward"), "绝密★".encode()
    for start in range(2**20 - len(mark), 2**20 + 1):
        stream = io.BytesIO(b"a\n" + b"x" * (start - 2) + mark)
        with pytest.raises(InvalidInput) as caught:
            receive_file(empty, steward, stream=stream, name="a.csv", no_state_secret=True, scan=factories.scan_here)
        assert caught.value.code == "file.state_secret"


def test_result_marked_as_a_state_secret_is_not_submitted(hub: Hub) -> None:
    room = factories.room(hub)
    slug = factories.put(hub, room, payload="街道,人数\n甲【机密】,80\n".encode())
    refused(hub, InvalidInput, "export.state_secret", lambda: factories.submitted(hub, room, slugs=[slug]))


def test_build_that_was_begun_is_run_by_the_centre_alone(empty: Hub) -> None:
    job = factories.begun(empty, factories.licensed(empty).id)
    for person in ("ky-analyst", "auditor", "mz-steward"):
        refused(
            empty,
            NotAllowed,
            "role.missing",
            lambda person=person: run_extract(empty, actor(empty, person), extract_id=job.id),
        )  # type: ignore[misc]
