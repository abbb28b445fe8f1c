"""The demonstration district: organisations, people, published tables, and a licence in each notable state.

Everything is entered by the same actions a person's click calls, each by the role that may do it. The district's
history begins some months ago, so that an expired licence was granted while it could still run: `_earlier` is the hub
with that clock, used before anything of today is written.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from hub.catalog.actions import publish_table, register_table
from hub.catalog.model import CatalogTable
from hub.catalog.rules import TableDraft
from hub.context import Hub
from hub.demo.catalog import ELDER_CARE, FAIR
from hub.demo.codes import keep, kept
from hub.demo.ladder import climb
from hub.demo.licences import CURRENT, OVER, licensed, renewed, suspended, without_consent
from hub.demo.parking import PARKING, write_parking
from hub.demo.people import appoint_everyone
from hub.demo.tables import write_elder_care, write_fair
from hub.demo.visits import VISIT_SUMMARY, write_visit_summary
from hub.errors import ChecksFailed, Refusal
from hub.extracts.actions import issued_rungs, prepare_rungs
from hub.extracts.model import ExtractStatus
from hub.intake.actions import receive_file
from hub.licensing.model import ExtractLevel, Licence
from hub.message import Message, both, msg
from hub.people.actions import find_person
from hub.people.actor import Actor
from hub.people.model import Person

BACK = timedelta(days=200)
"""Short enough that the rulebook, which decides every grant by that day's thresholds, knows the time."""


def is_unfinished(hub: Hub) -> bool:
    """Whether nobody has an account yet, or an earlier seeding was cut off."""
    with hub.reading() as session:
        if not session.scalar(select(func.count(Person.id))):
            return True
    known = kept(hub.settings.state_dir)
    return bool(known) and not known["complete"]


def seed(hub: Hub, *, elder_rows: int = 12_000, say: Callable[[Message], None] = lambda _: None) -> None:
    """Fill an empty state. Takes some seconds: the tables are scanned and their extracts built for real.

    What is there already is left alone, so that a seeding that was cut off is finished by the next.
    """
    then = hub.clock() - BACK
    earlier = Hub(hub.settings, clock=lambda: then)
    appoint_everyone(earlier)
    with tempfile.TemporaryDirectory(prefix="zhakou-seed-") as folder:
        say(msg("Generating and registering the demonstration tables…"))
        elder, fair = Path(folder) / "mz_elder_care.csv", Path(folder) / "fair.csv"
        write_elder_care(elder, rows=elder_rows)
        write_fair(fair)
        _table(earlier, fair, steward="tj-steward", draft=FAIR)
        _table(earlier, elder, steward="mz-steward", draft=ELDER_CARE)
        visits = Path(folder) / "wj_visit_summary.csv"
        write_visit_summary(visits)
        _table(earlier, visits, steward="mz-steward", draft=VISIT_SUMMARY)
        parking = Path(folder) / "cg_session.csv"
        write_parking(parking)
        _table(earlier, parking, steward="cg-steward", draft=PARKING)
    say(msg("Granting licences and building extracts…"))
    over = licensed(earlier, OVER, starts=then, ends=then + BACK / 2)
    _extract(earlier, over, OVER.table_id, requester="ps-analyst")
    now = hub.clock()
    current = licensed(hub, CURRENT, starts=now, ends=now + timedelta(days=3 * 365))
    prepare_rungs(hub, licence_id=current.id)
    _extract(hub, current, CURRENT.table_id, requester="ky-analyst")
    suspended(hub, starts=now, ends=now + timedelta(days=365))
    renewed(hub, over, starts=now, ends=now + timedelta(days=365))
    without_consent(hub)
    keep(hub.settings.state_dir, {**kept(hub.settings.state_dir), "complete": True})


def _table(hub: Hub, file: Path, *, steward: str, draft: TableDraft) -> None:
    with hub.reading() as session:
        known = session.get(CatalogTable, draft.id)
    if known is not None:
        return
    actor = _actor(hub, steward)
    raw = receive_file(hub, actor, stream=io.BytesIO(file.read_bytes()), name=file.name, no_state_secret=True)
    register_table(hub, actor, draft, raw_digest=raw.digest)
    publish_table(hub, _actor(hub, "bureau-officer"), table_id=draft.id)


def _actor(hub: Hub, person_id: str) -> Actor:
    return find_person(hub, person_id).actor


def _extract(hub: Hub, licence: Licence, table_id: str, *, requester: str) -> None:
    with hub.reading() as session:
        if ExtractLevel.FULL in issued_rungs(session, licence.id, hub.clock()).get(table_id, {}):
            return
    extract = climb(hub, licence_id=licence.id, table_id=table_id, level=ExtractLevel.FULL, requester=requester)
    if extract.status is not ExtractStatus.ISSUED:
        raise ChecksFailed(
            Refusal(
                rule=extract.refusal_code,
                subject=extract.id,
                text=both(en=extract.refusal_en, zh=extract.refusal_zh),
                next_step=msg("The demonstration district cannot be completed; see the log of the extract worker."),
            )
        )
