"""May an extract be built, and if not, why. The licence's own rules are in `hub.licensing.rules`.

Rules here: `extract.table` (the licence does not cover the table), `extract.running` (a build is under way),
`extract.status` (a build that has ended is not run or ended again).
"""

from __future__ import annotations

from collections.abc import Collection

from hub.errors import Refusal
from hub.extracts.model import EXTRACT_MOVES, ExtractStatus
from hub.message import msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act


def refusals_to_build(
    *, actor: Actor, licence_id: str, table_id: str, covered: Collection[str], running: bool
) -> tuple[Refusal, ...]:
    """Everything against building an extract of this table under this licence."""
    found = list(refusals_to_act(actor, Verb.BUILD_EXTRACT))
    if table_id not in covered:
        found.append(
            Refusal(
                rule="extract.table",
                subject=licence_id,
                text=msg("Licence {licence} does not cover table {table}.", licence=licence_id, table=table_id),
                next_step=msg("Choose a table of the licence."),
                basis="公共数据资源授权运营实施规范(试行) 第二十一条",
            )
        )
    if running:
        found.append(
            Refusal(
                rule="extract.running",
                subject=licence_id,
                text=msg("An extract of {table} is being built already.", table=table_id),
                next_step=msg("Wait until it has ended."),
            )
        )
    return tuple(found)


def refusals_to_end(*, extract_id: str, status: ExtractStatus) -> tuple[Refusal, ...]:
    """Everything against running this build, or writing down how it ended."""
    if ExtractStatus.ISSUED in EXTRACT_MOVES[status]:
        return ()
    return (
        Refusal(
            rule="extract.status",
            subject=extract_id,
            text=msg("The build of extract {extract} has ended: {status}.", extract=extract_id, status=status),
            next_step=msg("Request a new extract."),
        ),
    )
