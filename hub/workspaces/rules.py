"""May a workspace be opened, and if not, why. The licence's own rules are in `hub.licensing.rules`.

Rules here: `workspace.organisation` (only people of the licensed operator), `workspace.no_extract` (nothing to work
on), `extract.changed` (an extract's bytes are not those that were issued), `extract.stale` (an extract was made from
another source or by another policy than the licence and catalog name now).
"""

from __future__ import annotations

from hub.errors import Refusal
from hub.message import msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act


def refusals_to_open(*, actor: Actor, licence_id: str, operator_org: str, extracts: int) -> tuple[Refusal, ...]:
    """Everything against this person opening a workspace under this licence."""
    found = list(refusals_to_act(actor, Verb.OPEN_WORKSPACE))
    if actor.org_id != operator_org:
        found.append(
            Refusal(
                rule="workspace.organisation",
                subject=licence_id,
                text=msg("Licence {licence} belongs to another institution.", licence=licence_id),
                next_step=msg("Only analysts of the licensed operator can open a workspace under it."),
                basis="公共数据资源授权运营实施规范(试行) 第二十一条",
            )
        )
    if extracts == 0:
        found.append(
            Refusal(
                rule="workspace.no_extract",
                subject=licence_id,
                text=msg("No extract has been issued under licence {licence} yet.", licence=licence_id),
                next_step=msg("Wait until the operations centre has built one; the licence page shows it."),
            )
        )
    return tuple(found)


def refusals_to_mount(*, extract_id: str, issued_digest: str, found_digest: str) -> tuple[Refusal, ...]:
    """Everything against binding this extract's file into a workspace."""
    if found_digest == issued_digest:
        return ()
    return (
        Refusal(
            rule="extract.changed",
            subject=extract_id,
            text=msg("The file of extract {extract} is not the one that was issued.", extract=extract_id),
            next_step=msg("Tell the operations centre: the extract must be built anew and the case be looked into."),
        ),
    )
