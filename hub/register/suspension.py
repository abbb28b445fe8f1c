"""Causes for which a licence in force may be suspended by its own agreement (item 12), for the bureau to decide on.

The daily look only proposes: a person suspends, with a written reason, on the licence's page. A proposal is gone when
its cause is mended or the licence is suspended. What no part of the platform knows (a security incident outside, an
order of an authority, an expired certificate of a body) is proposed by nobody here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from hub.context import Hub, lapses_in
from hub.licensing.actions import agreed_in, list_licences, listed_people, terms_of
from hub.licensing.model import Licence, LicenceStatus, SuspensionTrigger
from hub.licensing.rules import refusals_to_use
from hub.message import Message, msg
from hub.people.actor import Actor
from hub.people.model import Person
from hub.people.rules import Verb, refusals_to_act
from hub.register.clock import Timing
from hub.register.papers import Owed, owed
from hub.rulebook.model import district_day


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspensionProposal:
    """One cause under one licence."""

    licence: Licence
    trigger: SuspensionTrigger
    cause: Message


def suspension_proposals(hub: Hub, actor: Actor) -> list[SuspensionProposal]:
    """Every cause that stands now, by licence; empty for whoever may not suspend."""
    if refusals_to_act(actor, Verb.SUSPEND_LICENCE):
        return []
    today = district_day(hub.clock())
    late = [paper for paper in owed(hub, actor) if paper.due.timing(today) is Timing.OVERDUE]
    licences = [one for one in list_licences(hub, actor) if one.status is LicenceStatus.ACTIVE]
    return [
        SuspensionProposal(licence=licence, trigger=trigger, cause=cause)
        for licence in sorted(licences, key=lambda one: (len(one.id), one.id))
        for trigger, cause in _causes(hub, licence, late)
        if trigger in agreed_in(licence).suspension_triggers
    ]


def _causes(hub: Hub, licence: Licence, late: Collection[Owed]) -> Iterator[tuple[SuspensionTrigger, Message]]:
    now = hub.clock()
    against = {refusal.rule for refusal in refusals_to_use(terms_of(licence), now)}
    if "licence.expired" in against:
        return
    if "licence.consent_withdrawn" in against:
        yield SuspensionTrigger.CONSENT_WITHDRAWN, msg("A provider has withdrawn its consent; nothing can be used now.")
    officer = agreed_in(licence).security_officer
    with hub.reading() as session:
        person = session.get(Person, officer)
        lapsed = person is None or bool(lapses_in(session, person.actor, now))
    if lapsed:
        text = msg("The security officer's training, promise of confidentiality or account is not in date.")
        yield SuspensionTrigger.SECURITY_OFFICER, text
    elif officer not in listed_people(licence):
        text = msg("The security officer is no longer on the personnel list.")
        yield SuspensionTrigger.SECURITY_OFFICER, text
    for paper in late:
        if paper.org_id == licence.operator_org:
            text = msg(
                "{paper} of {year} is overdue since {day}.", paper=paper.kind, year=paper.year, day=str(paper.due.day)
            )
            yield SuspensionTrigger.REPORT_OVERDUE, text
