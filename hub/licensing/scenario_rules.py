"""May a scenario be filed, spoken on, and decided, and if not, why.

Rules here: `scenario.tables`, `scenario.incomplete`, `scenario.status`, `scenario.reason_missing`,
`scenario.opinion_body` (the person's body has no opinion to give), `scenario.opinion_given` (each body gives one),
`scenario.opinion_incomplete`, `scenario.opinion_missing`, `scenario.opposed`, `scenario.own_opinion`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.errors import Refusal
from hub.licensing.model import SCENARIO_MOVES, OpinionBody, ScenarioStatus, Stance
from hub.licensing.terms import refusals_of_secrets
from hub.message import Message, msg
from hub.people.actor import Actor, OrgKind, Role
from hub.people.rules import Verb, refusals_to_act

SCENARIO_BASIS = "上海市数据条例 第四十五条"
LEAST_OPINION = 10
"""Characters below which a text says nothing of a scenario."""

SIGNS_FOR: Mapping[OpinionBody, tuple[OrgKind, Role]] = {
    OpinionBody.BUREAU: (OrgKind.BUREAU, Role.BUREAU_OFFICER),
    OpinionBody.CYBERSPACE: (OrgKind.CYBERSPACE, Role.CAC_SUPERVISOR),
    OpinionBody.EXPERTS: (OrgKind.EXPERTS, Role.DATA_EXPERT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What of a signed opinion decides whether a scenario may be approved."""

    body: OpinionBody
    stance: Stance
    given_by: str


def refusals_to_file(
    *,
    actor: Actor,
    title: str,
    purpose: str,
    table_ids: Sequence[str],
    published: Sequence[str],
    secret: Sequence[str] = (),
) -> tuple[Refusal, ...]:
    """Everything against filing this scenario."""
    found = list(refusals_to_act(actor, Verb.FILE_SCENARIO))
    found.extend(refusals_of_secrets(sorted(set(table_ids) & set(secret))))
    if not title.strip() or len(purpose.strip()) < 10:
        found.append(
            _refusal(
                "scenario.incomplete",
                "-",
                msg("A scenario needs a title and a purpose of at least {count} characters.", count=10),
                msg("Say what the data are for, for whom, and what product comes of it."),
                SCENARIO_BASIS,
            )
        )
    unknown = len(set(table_ids) - set(published))
    if not table_ids or unknown:
        found.append(
            _refusal(
                "scenario.tables",
                "-",
                msg("A scenario names one or more published tables; {count} are not published.", count=unknown),
                msg("Choose them from the catalog."),
                SCENARIO_BASIS,
            )
        )
    return tuple(found)


def body_of(actor: Actor) -> OpinionBody | None:
    """The body this person can sign for, if any: the office they hold and the organisation they hold it in."""
    for body, (kind, role) in SIGNS_FOR.items():
        if actor.org_kind is kind and actor.has(role):
            return body
    return None


def refusals_to_give_opinion(
    *,
    actor: Actor,
    scenario_id: str,
    status: ScenarioStatus,
    given: Collection[OpinionBody],
    compliance: str,
    security: str,
) -> tuple[Refusal, ...]:
    """Everything against this person signing their body's opinion with these two texts."""
    found = list(refusals_to_act(actor, Verb.GIVE_OPINION))
    body = body_of(actor)
    if body is None:
        found.append(
            _refusal(
                "scenario.opinion_body",
                scenario_id,
                msg("An opinion is signed by a person of the bureau, the cyberspace office or the expert committee."),
                msg("Leave it to a person appointed in one of these bodies."),
                SCENARIO_BASIS,
            )
        )
    if body in given:
        found.append(
            _refusal(
                "scenario.opinion_given",
                scenario_id,
                msg("Your body has given its opinion on scenario {scenario} already.", scenario=scenario_id),
                msg("An opinion stands as it was signed; a scenario that is changed is filed anew."),
                SCENARIO_BASIS,
            )
        )
    if status is not ScenarioStatus.FILED:
        found.append(_decided(scenario_id, status))
    if min(len(compliance.strip()), len(security.strip())) < LEAST_OPINION:
        found.append(
            _refusal(
                "scenario.opinion_incomplete",
                scenario_id,
                msg(
                    "An opinion speaks of compliance and of security risk, each in at least {count} characters.",
                    count=LEAST_OPINION,
                ),
                msg("Write both parts."),
                SCENARIO_BASIS,
            )
        )
    return tuple(found)


def refusals_to_decide(
    *,
    actor: Actor,
    scenario_id: str,
    status: ScenarioStatus,
    to: ScenarioStatus,
    reason: str,
    opinions: Sequence[Opinion] = (),
) -> tuple[Refusal, ...]:
    """Everything against deciding this scenario now.

    An approval needs all three opinions and none against: a body that opposes is not outvoted. A refusal needs none.
    Source: 上海市数据条例 第四十五条 asks for the assessment by the three bodies and knows no way around one of them.
    """
    found = list(refusals_to_act(actor, Verb.DECIDE_SCENARIO))
    if to not in SCENARIO_MOVES[status]:
        found.append(_decided(scenario_id, status))
    if to is ScenarioStatus.APPROVED:
        found.extend(_refusals_of_opinions(actor, scenario_id, opinions))
    if not reason.strip():
        found.append(
            _refusal(
                "scenario.reason_missing",
                scenario_id,
                msg("A decision needs a written reason."),
                msg("Write why the scenario is approved or refused."),
                SCENARIO_BASIS,
            )
        )
    return tuple(found)


def _refusals_of_opinions(actor: Actor, scenario_id: str, opinions: Sequence[Opinion]) -> Iterator[Refusal]:
    stances = {opinion.body: opinion.stance for opinion in opinions}
    missing = [body.value for body in OpinionBody if body not in stances]
    if missing:
        yield _refusal(
            "scenario.opinion_missing",
            scenario_id,
            msg("A scenario is approved after three opinions; these are missing: {bodies}.", bodies=", ".join(missing)),
            msg("Wait until each of them has signed its opinion on the scenario's page."),
            SCENARIO_BASIS,
        )
    against = [body.value for body, stance in stances.items() if stance is Stance.OPPOSE]
    if against:
        yield _refusal(
            "scenario.opposed",
            scenario_id,
            msg("These bodies are against the scenario: {bodies}.", bodies=", ".join(against)),
            msg("Refuse it; the operator can mend it and file a new scenario."),
            SCENARIO_BASIS,
        )
    if any(opinion.given_by == actor.person_id for opinion in opinions):
        yield _refusal(
            "scenario.own_opinion",
            scenario_id,
            msg("Who signed an opinion on a scenario does not approve it."),
            msg("Let another officer of the bureau decide."),
            SCENARIO_BASIS,
        )


def _decided(scenario_id: str, status: ScenarioStatus) -> Refusal:
    return _refusal(
        "scenario.status",
        scenario_id,
        msg("Scenario {scenario} is {status} already.", scenario=scenario_id, status=status),
        msg("A decision stands; the operator can file a new scenario."),
        SCENARIO_BASIS,
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str = "") -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
