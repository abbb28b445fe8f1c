"""Has the department that shared a table consented to this use, and may a person say so.

Rules here: `licence.consent_missing` (asked and not answered, refused, or never asked), `licence.consent_withdrawn`,
`consent.provider` (only the providing department answers), `consent.status`, `consent.reason_missing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.errors import Refusal
from hub.message import msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act
from hub.sharing.model import CONSENT_MOVES, ConsentStatus

CONSENT_BASIS = "公共数据资源授权运营实施规范(试行) 第五条"
SHARING_BASIS = "普陀区公共数据管理办法 第十四条"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFact:
    """A shared-in table and what its provider said of this purpose; `status` is None where it was never asked."""

    table_id: str
    provider_org: str
    status: ConsentStatus | None


def refusals_of_consent(facts: Sequence[ConsentFact]) -> tuple[Refusal, ...]:
    """Everything against using these shared-in tables now. Asked again at every step (reason code NO_CONSENT).

    One table without consent stops the licence that covers it: its extracts lie side by side in one workspace.
    """
    found = []
    for fact in facts:
        if fact.status is ConsentStatus.GIVEN:
            continue
        if fact.status is ConsentStatus.WITHDRAWN:
            found.append(
                Refusal(
                    rule="licence.consent_withdrawn",
                    subject=fact.table_id,
                    text=msg(
                        "Department {org}, which shared table {table}, has withdrawn its consent to this purpose.",
                        org=fact.provider_org,
                        table=fact.table_id,
                    ),
                    next_step=msg("All use has to stop; the operator can file a new scenario, which asks anew."),
                    basis=CONSENT_BASIS,
                )
            )
        else:
            found.append(
                Refusal(
                    rule="licence.consent_missing",
                    subject=fact.table_id,
                    text=msg(
                        "Table {table} was shared in; consent of department {org} to this purpose is missing.",
                        table=fact.table_id,
                        org=fact.provider_org,
                    ),
                    next_step=msg("Wait for its answer, or leave the table out."),
                    basis=CONSENT_BASIS,
                )
            )
    return tuple(found)


def refusals_to_answer(
    *,
    actor: Actor,
    verb: Verb,
    consent_id: str,
    provider_org: str,
    status: ConsentStatus,
    to: ConsentStatus,
    reason: str,
) -> tuple[Refusal, ...]:
    """Everything against this person giving, refusing or withdrawing a consent."""
    found = list(refusals_to_act(actor, verb))
    if actor.org_id != provider_org:
        found.append(
            Refusal(
                rule="consent.provider",
                subject=consent_id,
                text=msg("Only the department that shared the data answers for them."),
                next_step=msg("Leave it to the steward of department {org}.", org=provider_org),
                basis=SHARING_BASIS,
            )
        )
    if to not in CONSENT_MOVES[status]:
        found.append(
            Refusal(
                rule="consent.status",
                subject=consent_id,
                text=msg("Consent {consent} is {status}.", consent=consent_id, status=status),
                next_step=msg("An answer stands; a given consent can be withdrawn, and a new scenario asks anew."),
                basis=CONSENT_BASIS,
            )
        )
    if not reason.strip():
        found.append(
            Refusal(
                rule="consent.reason_missing",
                subject=consent_id,
                text=msg("A decision needs a written reason."),
                next_step=msg("Write why, with the legal basis if it is refused."),
                basis=SHARING_BASIS,
            )
        )
    return tuple(found)
