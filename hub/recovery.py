"""What must be true before a site serves, and what a crash may have left undone.

At each start: (1) the ledger holds, also against the checkpoint kept beside the database; (2) the start is an event
that names every unsafe setting and every weakness of the machine; (3) an extract whose worker died is written down as
refused; (4) copies of raw data and builds that nothing refers to are taken away; (5) a sealed run that was cut off is
written down as interrupted, and a noisy answer as lost, its price spent; (6) a request whose checks were cut off is
checked now; (7) an approval that was not used in time is ended. Bundles need nothing: they are made from what is
committed when first needed.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from hub.context import Hub
from hub.errors import ChecksFailed
from hub.extracts.model import Extract, ExtractStatus
from hub.gate.actions import check_export, expire_approvals
from hub.gate.model import ExportRequest, RequestStatus
from hub.ledger.actions import LedgerVerdict, refusal_of, verify
from hub.ledger.events import EventKind
from hub.message import msg
from hub.noisy.actions import end_cut_off_answers
from hub.people.actor import SYSTEM
from hub.runs.actions import end_cut_off_runs
from hub.seals import changed_rows

_MOST_NAMED = 20


def start_site(hub: Hub, *, weaknesses: Sequence[str] = ()) -> None:
    """Make the site fit to serve.

    Args:
        weaknesses: Codes of what is weaker on this machine than by design.

    Raises:
        ChecksFailed: The ledger does not hold; nothing is served on it.
    """
    require_ledger(hub)
    with hub.transaction(SYSTEM, "start_site") as tx:
        tx.record(
            EventKind.SITE_STARTED,
            "site",
            "zhakou",
            details={"unsafe": " ".join(hub.settings.unsafe), "weaker": " ".join(weaknesses)},
        )
    _close_cut_off_extracts(hub)
    _take_away_leftovers(hub)
    end_cut_off_answers(hub)
    end_cut_off_runs(hub)
    _check_cut_off_requests(hub)
    expire_approvals(hub)


def require_ledger(hub: Hub) -> None:
    """Refuse to go on with a ledger that does not hold. Asked before anything is written.

    Raises:
        ChecksFailed: It does not.
    """
    verdict = verify_ledger(hub)
    if not verdict.holds:
        raise ChecksFailed(refusal_of(verdict))


def verify_ledger(hub: Hub, outside: Sequence[str] = ()) -> LedgerVerdict:
    """Verify the whole ledger, against checkpoints kept elsewhere and the one beside the database."""
    kept = hub.checkpoint_file.read_text(encoding="utf-8") if hub.checkpoint_file.exists() else ""
    notes = [*outside, *([kept] if kept else [])]
    with hub.reading() as session:
        if not kept and not notes and hub.is_new(session):
            return LedgerVerdict(holds=True, size=0, root="")
        return verify(session, public=hub.ledger_key.public_key().public_bytes_raw(), outside=notes)


def verify_everything(hub: Hub, outside: Sequence[str] = ()) -> LedgerVerdict:
    """Verify the whole ledger, then the seal of every row."""
    verdict = verify_ledger(hub, outside)
    if not verdict.holds:
        return verdict
    with hub.reading() as session:
        changed = list(changed_rows(session))
    if not changed:
        return verdict
    return replace(
        verdict,
        holds=False,
        code="row.changed",
        text=msg(
            "{count} records in the database are not as the platform wrote them: {records}",
            count=len(changed),
            records=", ".join(changed[:_MOST_NAMED]),
        ),
    )


def _close_cut_off_extracts(hub: Hub) -> None:
    with hub.reading() as session:
        cut_off = list(session.scalars(select(Extract.id).where(Extract.status == ExtractStatus.BUILDING)))
    for extract_id in cut_off:
        with hub.transaction(SYSTEM, "build_extract", extract_id) as tx:
            extract = tx.session.get_one(Extract, extract_id)
            extract.status, extract.finished_at = ExtractStatus.REFUSED, tx.now
            extract.refusal_code = "extract.interrupted"
            extract.refusal_zh = "平台在制作过程中停止，没有采用任何产出；请重新制作。"
            extract.refusal_en = "The service stopped while it was built; nothing of it is used. Build it again."
            tx.record(
                EventKind.EXTRACT_REFUSED,
                "extract",
                extract_id,
                licence_id=extract.licence_id,
                decision="refused",
                reason_codes=[extract.refusal_code],
            )


def _take_away_leftovers(hub: Hub) -> None:
    with hub.reading() as session:
        kept = [
            ExtractStatus.ISSUED,
            ExtractStatus.REVOKED,
        ]  # a revoked one is kept for the checks until it is destroyed
        issued = set(session.scalars(select(Extract.folder).where(Extract.status.in_(kept))))
    for path in hub.folders.extracts.iterdir():
        if path.name in issued:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in hub.folders.raw.glob(".incoming-*"):
        path.unlink()
    for path in hub.folders.frozen.glob(".new-*"):
        path.unlink()


def _check_cut_off_requests(hub: Hub) -> None:
    with hub.reading() as session:
        cut_off = list(session.scalars(select(ExportRequest.id).where(ExportRequest.status == RequestStatus.CHECKING)))
    for request_id in cut_off:
        check_export(hub, request_id=request_id)
