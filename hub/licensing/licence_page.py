"""The page of one licence: where it stands, which step comes next and who takes it, its terms, its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from starlette.responses import Response

from hub.catalog.actions import find_table
from hub.closing.rules import has_ended
from hub.context import lapses_in
from hub.errors import HubError, Refusal
from hub.extracts.ladder import ladder_of
from hub.licensing.actions import facts_of, find_scenario, list_licences, refusals_to_work, terms_of
from hub.licensing.annex import listing_of
from hub.licensing.model import (
    ExtractLevel,
    Licence,
    LicenceStatus,
    PersonnelChange,
    PersonnelStatus,
    SigningSide,
)
from hub.licensing.moves import leads, side_of
from hub.licensing.personnel import KEPT_UP
from hub.licensing.rules import is_expiring
from hub.people.model import Person, PersonStatus
from hub.people.rules import Verb, refusals_to_act
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.web.history import history
from hub.web.visit import Visit

PATH = (
    LicenceStatus.DRAFTING,
    LicenceStatus.DELIBERATING,
    LicenceStatus.SIGNED,
    LicenceStatus.FILED,
    LicenceStatus.ACTIVE,
)
"""The steps into force, in order."""

STEPS = (
    Verb.DRAFT_LICENCE,
    Verb.DELIBERATE_LICENCE,
    Verb.SIGN_LICENCE,
    Verb.FILE_LICENCE,
    Verb.GRANT_LICENCE,
    Verb.SUSPEND_LICENCE,
    Verb.RESUME_LICENCE,
    Verb.TERMINATE_LICENCE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Personnel:
    """The personnel list as the page shows it."""

    people: tuple[Person, ...]
    """Who is on the list."""
    lapsed: Mapping[str, tuple[Refusal, ...]]
    """What keeps whom of them from working now: training, confidentiality, a closed account."""
    waiting: tuple[PersonnelChange, ...]
    past: tuple[PersonnelChange, ...]
    """Decided changes, the newest first."""
    others: tuple[Person, ...]
    """Who could be proposed; empty for whoever may not."""
    may_remove: bool
    may_decide: bool


def licence_page(visit: Visit, licence: Licence, error: HubError | None = None) -> Response:
    """The page, with what was refused on top if something was."""
    now = visit.hub.clock()
    terms, facts = terms_of(licence), facts_of(licence)
    side = side_of(facts, visit.actor)
    open_steps = {verb.value: leads(verb, licence.status) and not refusals_to_act(visit.actor, verb) for verb in STEPS}
    own_draft = visit.actor.person_id == licence.drafted_by
    return visit.page(
        "licensing/licence.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        licence=licence,
        scenario=find_scenario(visit.hub, visit.actor, licence.scenario_id),
        against=refusals_to_work(licence, visit.actor, now),
        expiring=is_expiring(terms, now, pack_in_force(now)),
        agreed=terms.agreed,
        personnel=_personnel(visit, licence),
        personnel_decisions=[(one.value, one) for one in (PersonnelStatus.IN_FORCE, PersonnelStatus.DECLINED)],
        asked_at=now,
        steps_done=PATH.index(licence.status) if licence.status in PATH else None,
        path_steps=PATH,
        open_steps=open_steps,
        own_draft=own_draft,
        may_sign=open_steps["sign_licence"] and side is not None and side not in facts.signed and not own_draft,
        signed={signature.side: signature for signature in licence.current.signatures},
        sides=list(SigningSide),
        levels=list(ExtractLevel),
        today=district_day(now).isoformat(),
        tables={row.table_id: find_table(visit.hub, visit.actor, row.table_id) for row in licence.tables},
        renewals=[one for one in list_licences(visit.hub, visit.actor) if one.renews == licence.id],
        was_in_force=licence.granted_at is not None,
        has_ended=licence.granted_at is not None and has_ended(licence.status, licence.ends_at, now),
        ladder=ladder_of(visit.hub, visit.actor, licence) if licence.granted_at is not None else (),
        open_refusals=refusals_to_act(visit.actor, Verb.OPEN_WORKSPACE),
        draft_refusals=refusals_to_act(visit.actor, Verb.DRAFT_LICENCE),
        events=history(visit.hub, visit.actor, licence.id, *(one.id for one in licence.personnel_changes)),
    )


def _personnel(visit: Visit, licence: Licence) -> Personnel:
    is_kept_up = licence.status in KEPT_UP
    actor, now, listing = visit.actor, visit.hub.clock(), listing_of(licence)
    is_admin = actor.org_id == licence.operator_org and not refusals_to_act(actor, Verb.PROPOSE_PERSONNEL)
    is_bureau = not refusals_to_act(actor, Verb.DECIDE_PERSONNEL)
    decided = [one for one in licence.personnel_changes if one.status is not PersonnelStatus.PROPOSED]
    taken = {*listing.people, *listing.proposed}
    with visit.hub.reading() as session:
        ours = select(Person).where(Person.org_id.in_([licence.operator_org, *licence.developers]))
        found = list(session.scalars(ours.order_by(Person.org_id, Person.id)))
        lapsed = {one.id: lapses_in(session, one.actor, now) for one in found}
    return Personnel(
        people=tuple(one for one in found if one.id in listing.people),
        lapsed=lapsed,
        waiting=tuple(one for one in licence.personnel_changes if one.status is PersonnelStatus.PROPOSED),
        past=tuple(reversed(decided)),
        others=tuple(one for one in found if one.status is PersonStatus.ACTIVE and one.id not in taken)
        if is_admin and is_kept_up
        else (),
        may_remove=is_kept_up and (is_admin or is_bureau),
        may_decide=is_kept_up and is_bureau,
    )
