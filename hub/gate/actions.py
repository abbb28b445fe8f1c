"""Submit, check, vote, withdraw. Every decision binds to the digest of the frozen package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.catalog.model import CatalogTable
from hub.context import Hub, Transaction, lapses_in
from hub.errors import ChecksFailed, InvalidInput, NotAllowed, NotFound, Refusal, unknown
from hub.extracts.actions import extract_path
from hub.extracts.issue import REAL
from hub.extracts.model import Extract
from hub.gate.evidence import said_of_origin
from hub.gate.model import (
    CheckRun,
    Decision,
    ExportFile,
    ExportRequest,
    Look,
    RequestStatus,
    Seat,
    Vote,
)
from hub.gate.rules import (
    CastVote,
    RequestFacts,
    approved,
    refusals_of_age,
    refusals_of_files,
    refusals_of_made_up,
    refusals_of_secrets,
    refusals_to_submit,
    refusals_to_vote,
    refusals_to_withdraw,
    seat_of,
)
from hub.gate.screening import Report, Screen, screen_frozen
from hub.ledger.canonical import canonical
from hub.ledger.events import EventKind
from hub.licensing.actions import agreed_in, licence_in, licence_to_work, listed_people, usable_licence
from hub.licensing.actions import may_see as may_see_licence
from hub.licensing.model import Lane, Licence, ProductForm
from hub.licensing.personnel import refusals_of_personnel
from hub.licensing.terms import refusals_to_offer
from hub.message import both, msg
from hub.numbering import newest_first, next_id
from hub.people.actions import lapses_of
from hub.people.actor import REVIEWERS, SYSTEM, Actor, OrgKind, Role
from hub.people.rules import Verb, refusals_of_interest
from hub.rulebook.calendar import district_calendar
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.secrecy import holds_mark, is_marked
from hub.wording import refusals_of_words
from hub.workspaces.actions import sources_of, workspace_dir
from hub.workspaces.model import Workspace
from hub.workspaces.rules import refusals_of_destroyed
from sandbox.errors import SandboxError
from sandbox.outbox import freeze, list_items


def submit_export(
    hub: Hub,
    actor: Actor,
    *,
    workspace_id: str,
    slugs: Sequence[str],
    title: str,
    reason: str,
    product_form: ProductForm,
    lane: Lane | None = None,
    supersedes: str | None = None,
    made_up: bool = False,
    screen: Screen = screen_frozen,
) -> ExportRequest:
    """Freeze items of the outbox by digest and run the machine checks on the frozen bytes.

    The bytes are copied before anything is written down; copies without a request are harmless.

    Args:
        made_up: The author says that the results were made on rows that are nobody's, so that no figure is a fact.
        lane: That of the licence unless another is named; the licence's product plan must have form and lane.

    Raises:
        NotFound: There is no such workspace, or it is one of another institution.
        NotAllowed: The licence is not usable now, or the workspace is a colleague's.
        InvalidInput: An item of the outbox is no regular file, too large, or badly named.
    """
    with hub.transaction(actor, Verb.SUBMIT_EXPORT, workspace_id) as tx:
        workspace = tx.session.get(Workspace, workspace_id)
        if workspace is None or not may_see_licence(licence_in(tx.session, workspace.licence_id).operator_org, actor):
            raise NotFound(unknown(workspace_id))
        tx.refuse(refusals_of_words(workspace_id, lines=[title], texts=[reason]), InvalidInput)
        tx.refuse(
            refusals_to_submit(
                actor=actor,
                owner_id=workspace.person_id,
                workspace_id=workspace_id,
                title=title,
                reason=reason,
                slugs=slugs,
            ),
            NotAllowed,
        )
        tx.refuse(refusals_of_destroyed(workspace_id, workspace.status), NotAllowed)
        licence = licence_to_work(tx.session, workspace.licence_id, actor, tx.now)
        lane = lane or licence.lane
        _refuse_unplanned(tx, licence, product_form, lane)
        outbox = workspace_dir(hub, workspace_id) / "outbox"
        sources = sources_of(tx.session, workspace, put_at=_put_at(outbox, slugs, tx.now), now=tx.now)
        tx.refuse(refusals_of_made_up(workspace_id, only_made_up=sources.only_made_up, marked=made_up), NotAllowed)
        files = _freeze(hub, outbox, slugs, subject=workspace_id)
        extracts = sources.extracts
        request = ExportRequest(
            id=next_id(tx.session, "r"),
            licence_id=licence.id,
            workspace_id=workspace_id,
            author_id=actor.person_id,
            author_org=actor.org_id,
            operator_org=licence.operator_org,
            title=title.strip(),
            reason=reason.strip(),
            product_form=product_form,
            lane=lane,
            status=RequestStatus.CHECKING,
            digest="",
            extract_ids=[extract.id for extract in extracts],
            provider_orgs=sorted(_owners(tx.session, extracts)),
            made_up=made_up,
            made_up_tables=list(sources.made_up),
            run_id="",
            provenance={},
            prechecked_by=[],
            supersedes=_superseded(tx.session, supersedes, actor),
            submitted_at=tx.now,
            files=files,
            votes=[],
            check=None,
        )
        _enter(tx, request)
    return check_export(hub, request_id=request.id, screen=screen)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedOutputs:
    """What a sealed run left in its outbox, and whose it is."""

    run_id: str
    licence_id: str
    workspace_id: str
    author_id: str
    author_org: str
    title: str
    reason: str
    product_form: ProductForm
    extract_ids: tuple[str, ...]
    outbox: Path
    slugs: tuple[str, ...]
    provenance: Mapping[str, str]
    prechecked_by: tuple[str, ...]


def enter_sealed(hub: Hub, tx: Transaction, outputs: SealedOutputs) -> ExportRequest:
    """Freeze the outputs of a sealed run as an export request of the analyst who asked for it. `check_export` is next.

    The analyst cannot read them before they are released (`may_preview`).

    Raises:
        NotAllowed: The licence is not usable now, its agreement plans no such product, or the analyst is no longer on
            its personnel list.
        InvalidInput: An output is no regular file, too large, or badly named.
    """
    licence = usable_licence(tx.session, outputs.licence_id, tx.now)
    tx.refuse(refusals_of_personnel(licence.id, outputs.author_id, listed_people(licence)), NotAllowed)
    _refuse_unplanned(tx, licence, outputs.product_form, licence.lane)
    files = _freeze(hub, outputs.outbox, outputs.slugs, subject=outputs.run_id)
    extracts = [tx.session.get_one(Extract, extract_id) for extract_id in outputs.extract_ids]
    request = ExportRequest(
        id=next_id(tx.session, "r"),
        licence_id=licence.id,
        workspace_id=outputs.workspace_id,
        author_id=outputs.author_id,
        author_org=outputs.author_org,
        operator_org=licence.operator_org,
        title=outputs.title,
        reason=outputs.reason,
        product_form=outputs.product_form,
        lane=licence.lane,
        status=RequestStatus.CHECKING,
        digest="",
        extract_ids=[extract.id for extract in extracts],
        provider_orgs=sorted(_owners(tx.session, extracts)),
        made_up=False,
        made_up_tables=[],
        run_id=outputs.run_id,
        provenance=dict(outputs.provenance),
        prechecked_by=sorted(outputs.prechecked_by),
        supersedes=None,
        submitted_at=tx.now,
        files=files,
        votes=[],
        check=None,
    )
    _enter(tx, request)
    return request


def _enter(tx: Transaction, request: ExportRequest) -> None:
    request.digest = package_digest(request)
    tx.session.add(request)
    tx.session.flush()
    tx.record(
        EventKind.EXPORT_SUBMITTED,
        "export_request",
        request.id,
        digest=request.digest,
        licence_id=request.licence_id,
        counters={"files": len(request.files), "bytes": sum(file.size for file in request.files)},
        details={
            "author": request.author_id,
            "author_org": request.author_org,
            "extracts": " ".join(request.extract_ids),
            "providers": " ".join(request.provider_orgs),
            "made": said_of_origin(request),
            **({"supersedes": request.supersedes} if request.supersedes else {}),
            **{f"file.{file.position}": file.sha256 for file in request.files},
        },
    )


def _put_at(outbox: Path, slugs: Sequence[str], now: datetime) -> datetime:
    """When the oldest of these items was put, by the time of its file; now, if there is none to be seen.

    The analyst can set that time to anything, also to what no calendar has.
    """
    try:
        written = [item.written for item in list_items(outbox) if item.slug in slugs]
    except (SandboxError, OSError):
        return now  # there is nothing to freeze either, and that is refused in words
    return datetime.fromtimestamp(min(max(min(written), 0.0), now.timestamp()), UTC) if written else now


def _refuse_unplanned(tx: Transaction, licence: Licence, form: ProductForm, lane: Lane) -> None:
    """Ask the agreement whether a product of this form and lane may ask to leave this week."""
    week = _submitted_since(tx.session, licence.id, tx.now - timedelta(days=7))
    tx.refuse(
        refusals_to_offer(licence.id, agreed_in(licence), form=form, lane=lane, submitted_in_week=week), NotAllowed
    )


def _submitted_since(session: Session, licence_id: str, since: datetime) -> int:
    """Requests of a licence since then that were neither withdrawn nor stopped by the machine."""
    query = select(func.count(ExportRequest.id)).where(
        ExportRequest.licence_id == licence_id,
        ExportRequest.submitted_at > since,
        ExportRequest.status.not_in([RequestStatus.WITHDRAWN, RequestStatus.MACHINE_REFUSED]),
    )
    return int(session.scalar(query) or 0)


def check_export(hub: Hub, *, request_id: str, screen: Screen = screen_frozen) -> ExportRequest:
    """Run the machine checks on a submitted request. Whatever goes wrong with a check counts as a block."""
    with hub.reading() as session:
        request = _request(session, request_id)
        made_from = [session.get_one(Extract, extract_id) for extract_id in request.extract_ids]
        real = {one.table_id for one in made_from if one.level in REAL}
        # Rows of a lower rung are nobody's: they are looked for only where no other rung of the table was there.
        extracts = [extract_path(hub, one) for one in made_from if one.level in REAL or one.table_id not in real]
    report = screen(files=[(file.name, stored(hub, file.sha256)) for file in request.files], extracts=extracts)
    with hub.transaction(SYSTEM, "check_export", request_id) as tx:
        request = _request(tx.session, request_id)
        if request.status is not RequestStatus.CHECKING:
            return request
        _keep_report(tx, request, report, changed=bool(refusals_of_bytes(hub, request)))
        return request


def _keep_report(tx: Transaction, request: ExportRequest, report: Report, *, changed: bool) -> None:
    blocked = report.verdict not in ("pass", "flag") or changed
    request.status = RequestStatus.MACHINE_REFUSED if blocked else RequestStatus.IN_REVIEW
    if blocked:
        request.closed_at = tx.now
    request.check = CheckRun(
        digest=request.digest,
        verdict="block" if blocked else report.verdict,
        pack=report.pack,
        report=report.document,
        ran_at=tx.now,
    )
    tx.record(
        EventKind.EXPORT_CHECKED,
        "export_request",
        request.id,
        digest=request.digest,
        licence_id=request.licence_id,
        decision=request.check.verdict,
        reason_codes=sorted({*report.codes, *(["FILE_CHANGED"] if changed else [])}),
        counters={"findings": report.findings},
        details={"pack": report.pack},
    )


def cast_vote(
    hub: Hub, actor: Actor, *, request_id: str, digest: str, decision: Decision, reason: str, seat: Seat | None = None
) -> ExportRequest:
    """Vote on the digest under review. Any objection refuses the request; enough approvals approve it.

    Raises:
        NotFound: There is no such request, or the actor may not see it.
        NotAllowed: A rule of the gate stands against this vote, or the licence is not usable now.
        ChecksFailed: A frozen file is not the one that was submitted.
    """
    with hub.transaction(actor, Verb.CAST_VOTE, request_id) as tx:
        request = visible_request(tx.session, request_id, actor)
        facts = facts_of(tx.session, request)
        tx.refuse(refusals_of_words(request_id, texts=[reason]), InvalidInput)
        tx.refuse(refusals_to_vote(facts, actor, digest=digest, reason=reason, seat=seat), NotAllowed)
        tx.refuse(refusals_of_interest(actor, facts.operator_org), NotAllowed)
        usable_licence(tx.session, request.licence_id, tx.now)
        tx.refuse(refusals_of_bytes(hub, request), ChecksFailed)
        taken = seat or seat_of(actor, facts.provider_orgs)
        if taken is None:
            raise AssertionError("a vote without a seat was let through")  # refusals_to_vote says vote.provider_org
        request.votes.append(
            Vote(
                person_id=actor.person_id,
                org_id=actor.org_id,
                seat=taken,
                decision=decision,
                reason=reason.strip(),
                digest=digest,
                cast_at=tx.now,
            )
        )
        tx.session.flush()
        tx.record(
            EventKind.VOTE_CAST,
            "export_request",
            request_id,
            digest=digest,
            licence_id=request.licence_id,
            decision=decision,
            details={"seat": taken, "reason_digest": hashlib.sha256(reason.strip().encode()).hexdigest()},
        )
        _conclude(tx, request)
        return request


def _conclude(tx: Transaction, request: ExportRequest) -> None:
    if any(vote.decision is Decision.OBJECT for vote in request.votes):
        request.status, request.closed_at = RequestStatus.REFUSED, tx.now
        kind = EventKind.EXPORT_REFUSED
    elif approved(facts_of(tx.session, request)):
        request.status = RequestStatus.APPROVED
        kind = EventKind.EXPORT_APPROVED
    else:
        return
    tx.record(kind, "export_request", request.id, digest=request.digest, licence_id=request.licence_id)


def refusals_of_approval(request: ExportRequest, now: datetime) -> tuple[Refusal, ...]:
    """Everything the age of its approval has against a request that is approved."""
    if request.status is not RequestStatus.APPROVED:
        return ()
    approved_at = max(vote.cast_at for vote in request.votes)
    return refusals_of_age(
        request.id,
        approved=district_day(approved_at),
        today=district_day(now),
        pack=pack_in_force(now),
        calendar=district_calendar(),
    )


def expire_approvals(hub: Hub) -> list[str]:
    """End approved requests that nobody released in time; gives their ids. Done at each start of a site.

    Between two starts nothing leaves either: the age is asked at the release.
    """
    with hub.reading() as session:
        query = select(ExportRequest.id).where(ExportRequest.status == RequestStatus.APPROVED)
        waiting = sorted(session.scalars(query))
    ended = []
    for request_id in waiting:
        with hub.transaction(SYSTEM, "expire_approval", request_id) as tx:
            request = tx.session.get_one(ExportRequest, request_id)
            if {refusal.rule for refusal in refusals_of_approval(request, tx.now)} != {"release.expired"}:
                continue
            request.status, request.closed_at = RequestStatus.EXPIRED, tx.now
            tx.record(
                EventKind.EXPORT_EXPIRED,
                "export_request",
                request_id,
                digest=request.digest,
                licence_id=request.licence_id,
            )
            ended.append(request_id)
    return ended


def withdraw_export(hub: Hub, actor: Actor, *, request_id: str) -> ExportRequest:
    """Take a request back. Its files stay frozen as evidence; a corrected one is a new request."""
    with hub.transaction(actor, Verb.WITHDRAW_EXPORT, request_id) as tx:
        request = visible_request(tx.session, request_id, actor)
        tx.refuse(refusals_to_withdraw(facts_of(tx.session, request), actor), NotAllowed)
        request.status, request.closed_at = RequestStatus.WITHDRAWN, tx.now
        tx.record(
            EventKind.EXPORT_WITHDRAWN,
            "export_request",
            request_id,
            digest=request.digest,
            licence_id=request.licence_id,
        )
        return request


def package_digest(request: ExportRequest) -> str:
    """What reviewers vote on: SHA-256 over the canonical list of files, the words and licence they leave under, and the
    earlier request that they replace."""
    described = {
        "files": [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in request.files],
        "form": request.product_form.value,
        "lane": request.lane.value,
        "licence": request.licence_id,
        "reason": request.reason,
        "supersedes": request.supersedes or "",
        "title": request.title,
    }
    return hashlib.sha256(canonical(described)).hexdigest()


def refusals_of_bytes(hub: Hub, request: ExportRequest) -> tuple[Refusal, ...]:
    """Hash the frozen files again and hold them, and the package digest, against what was submitted."""
    found = {}
    for file in request.files:
        path = stored(hub, file.sha256)
        if path.is_file() and not path.is_symlink():
            found[file.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    expected = {file.name: file.sha256 for file in request.files}
    refusals = refusals_of_files(request.id, expected, found)
    if not refusals and package_digest(request) != request.digest:
        return refusals_of_files(request.id, expected, {})
    return refusals


def stored(hub: Hub, sha256: str) -> Path:
    """Where the frozen bytes of a digest lie."""
    return hub.folders.frozen / sha256[:2] / sha256


def facts_of(session: Session, request: ExportRequest) -> RequestFacts:
    """The request as rules see it."""
    licence = licence_in(session, request.licence_id)
    builders = session.scalars(select(Extract.built_by).where(Extract.id.in_(request.extract_ids)))
    return RequestFacts(
        id=request.id,
        status=request.status,
        digest=request.digest,
        author_id=request.author_id,
        author_org=request.author_org,
        operator_org=licence.operator_org,
        provider_orgs=frozenset(request.provider_orgs),
        extract_builders=frozenset(builders),
        reviewers_required=licence.reviewers_required,
        votes=tuple(
            CastVote(
                person_id=vote.person_id,
                org_id=vote.org_id,
                seat=vote.seat,
                decision=vote.decision,
                digest=vote.digest,
            )
            for vote in request.votes
        ),
        check_verdict=request.check.verdict if request.check else "",
        check_digest=request.check.digest if request.check else "",
        prechecked_by=frozenset(request.prechecked_by),
    )


def may_see(request: ExportRequest, actor: Actor) -> bool:
    """The author's institution, the licensed operator, the departments whose data it is, bureau, centre and audit.

    The operator receives what its development entity made. Its own compliance expert reads along, and can never vote
    there; what another licensee asks to take out is none of their business (DOMAIN.md §1.2).
    """
    match actor.org_kind:
        case OrgKind.OPERATOR | OrgKind.DEVELOPER:
            return actor.org_id in (request.author_org, request.operator_org)
        case OrgKind.DEPARTMENT:
            return actor.org_id in request.provider_orgs
        case OrgKind.BUREAU | OrgKind.CENTRE | OrgKind.AUDIT:
            return True
        case OrgKind.CYBERSPACE | OrgKind.EXPERTS | OrgKind.ASSESSOR | OrgKind.SYSTEM:
            return False


def is_veiled(request: ExportRequest, actor: Actor) -> bool:
    """Whether contents, digests and findings of a sealed run's outputs are still kept from this actor's institution.

    A digest would let its author try guesses; a finding may name a column or count cells.
    """
    return bool(request.run_id) and request.status is not RequestStatus.RELEASED and actor.is_outside


def may_preview(request: ExportRequest, actor: Actor) -> bool:
    """Contents are seen by the author and by reviewers and release officers, nobody else; what a sealed run made is
    kept from its author until it is released."""
    if is_veiled(request, actor):
        return False
    own = (request.author_org, request.operator_org)
    return actor.person_id == request.author_id or (
        actor.org_id not in own and actor.has(*REVIEWERS, Role.RELEASE_OFFICER) and may_see(request, actor)
    )


def look_at_files(hub: Hub, actor: Actor, *, request_id: str) -> ExportRequest:
    """Let the actor see the contents: the event is written before a byte is shown, once a person and day.

    Raises:
        NotFound: There is no such request, or its contents are not for the actor.
        NotAllowed: The actor's training or confidentiality has lapsed.
    """
    with hub.reading() as session:
        request = visible_request(session, request_id, actor)
        if not may_preview(request, actor):
            raise NotFound(unknown(request_id))
        seen = session.get(Look, (request_id, actor.person_id, hub.clock().date())) is not None
        lapsed = lapses_in(session, actor, hub.clock())
    if seen and not lapsed:
        return request
    with hub.transaction(actor, "look_at_files", request_id) as tx:
        if tx.session.get(Look, (request_id, actor.person_id, tx.now.date())) is None:
            tx.session.add(Look(request_id=request_id, person_id=actor.person_id, day=tx.now.date()))
            tx.record(
                EventKind.EXPORT_LOOKED_AT,
                "export_request",
                request_id,
                digest=request.digest,
                licence_id=request.licence_id,
                counters={"files": len(request.files)},
            )
    return request


def list_requests(hub: Hub, actor: Actor) -> list[ExportRequest]:
    """Requests that the actor may see, newest first."""
    with hub.reading() as session:
        found = session.scalars(select(ExportRequest).order_by(*newest_first(ExportRequest.id)))
        return [request for request in found if may_see(request, actor)]


def find_request(hub: Hub, actor: Actor, request_id: str) -> ExportRequest:
    """One request, if the actor may see it."""
    with hub.reading() as session:
        return visible_request(session, request_id, actor)


def visible_request(session: Session, request_id: str, actor: Actor) -> ExportRequest:
    """One request, for a transaction of the actor's.

    Raises:
        NotFound: There is none, or the actor may not see it: one answer for both.
    """
    request = _request(session, request_id)
    if not may_see(request, actor):
        raise NotFound(unknown(request_id))
    return request


def vote_refusals(hub: Hub, actor: Actor, request: ExportRequest) -> tuple[Refusal, ...]:
    """What stands against the actor voting now, whatever reason they would write; for the grey button."""
    with hub.reading() as session:
        facts = facts_of(session, request)
    return (*lapses_of(hub, actor), *refusals_to_vote(facts, actor, digest=request.digest, reason="-" * 99))


def _freeze(hub: Hub, outbox: Path, slugs: Sequence[str], *, subject: str) -> list[ExportFile]:
    try:
        frozen = freeze(outbox, list(slugs), hub.folders.frozen)
    except (FileNotFoundError, NotADirectoryError) as error:  # the workspace was never started, or is no folder
        raise InvalidInput(
            Refusal(
                rule="export.outbox",
                subject=subject,
                text=msg("The workspace has no outbox yet."),
                next_step=msg("Start the workspace and put a result there with outbox.put(...)."),
            )
        ) from error
    except SandboxError as error:
        raise InvalidInput(
            Refusal(
                rule=error.code,
                subject=subject,
                text=both(en=str(error.text), zh=error.text.zh),
                next_step=both(en=str(error.next_step), zh=error.next_step.zh),
            )
        ) from error
    marked = [file for file in frozen if is_marked(file.name) or holds_mark(file.path.read_bytes())]
    secrets = refusals_of_secrets(subject, marked=len(marked))
    if secrets:
        raise InvalidInput(*secrets)
    return [
        ExportFile(position=position, name=file.name, size=file.size, sha256=file.sha256)
        for position, file in enumerate(frozen)
    ]


def _owners(session: Session, extracts: Sequence[Extract]) -> set[str]:
    tables = {extract.table_id for extract in extracts}
    return set(session.scalars(select(CatalogTable.owner_org).where(CatalogTable.id.in_(tables))))


def _superseded(session: Session, request_id: str | None, actor: Actor) -> str | None:
    if not request_id:
        return None
    earlier = _request(session, request_id)
    if earlier.author_org != actor.org_id:
        raise NotFound(unknown(request_id))
    return earlier.id


def _request(session: Session, request_id: str) -> ExportRequest:
    request = session.get(ExportRequest, request_id)
    if request is None:
        raise NotFound(unknown(request_id))
    return request
