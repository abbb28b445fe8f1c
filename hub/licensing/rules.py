"""May a licence be agreed on by these terms, or be used, and if not, why. Scenarios have `scenario_rules`.

Rules here: `licence.scenario`, `licence.term`, `licence.past`, `licence.reviewers`, `licence.document`,
`licence.columns`, `licence.policy_columns`, `licence.policy_class`, `licence.policy_k`, and for use at every step
`licence.not_started`, `licence.expired` and, for each status but the one in force, `licence.drafting`,
`licence.deliberating`, `licence.signed`, `licence.filed`, `licence.suspended`, `licence.terminated`, `licence.exited`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.catalog.model import ColumnClass
from hub.errors import Refusal
from hub.licensing.model import (
    LicenceStatus,
    ScenarioStatus,
)
from hub.licensing.scenario_rules import SCENARIO_BASIS
from hub.licensing.terms import Agreed, refusals_of_secrets
from hub.message import Message, msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act
from hub.rulebook.calendar import add_years
from hub.rulebook.model import DISTRICT_TIME, Pack
from hub.rulebook.parameters import Parameter
from hub.sharing.rules import ConsentFact, refusals_of_consent

MOST_REVIEWERS = 9
"""More seats than a district can fill would be a licence that never releases."""

TERM_BASIS = "公共数据资源授权运营实施规范(试行) 第十四条"


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceTerms:
    """What of a licence decides whether it may be used at a given time."""

    id: str
    status: LicenceStatus
    starts_at: datetime
    ends_at: datetime
    consents: tuple[ConsentFact, ...] = ()
    secret_tables: tuple[str, ...] = ()
    """Tables of the licence that were marked as concerning state secrets."""
    agreed: Agreed | None = None
    """The terms of the agreement that machines check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFacts:
    """What the rules must know of a policy: its target and what it says of each column."""

    k: int
    classes: Mapping[str, ColumnClass]
    dropped: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableGrant:
    """One table to be licensed: the columns asked for, the catalog's classes, and the policy."""

    table_id: str
    columns: tuple[str, ...]
    catalog: Mapping[str, ColumnClass]
    policy: PolicyFacts


def refusals_to_grant(
    *,
    actor: Actor,
    scenario_id: str,
    scenario_status: ScenarioStatus,
    scenario_tables: Sequence[str],
    tables: Sequence[TableGrant],
    starts_at: datetime,
    ends_at: datetime,
    reviewers_required: int,
    min_reviewers: int,
    max_days: int,
    document_ref: str,
    now: datetime,
    pack: Pack,
    consents: Sequence[ConsentFact] = (),
    verb: Verb = Verb.GRANT_LICENCE,
) -> tuple[Refusal, ...]:
    """Everything against a licence on these terms at `now`: asked when it is drafted and at each step until in force.

    Args:
        min_reviewers: What this site asks for; the pack's number holds besides.
        max_days: What this site allows at most; the pack's years hold besides.
        pack: The thresholds in force when this is decided; a past grant is asked again under its own.
    """
    found = list(refusals_to_act(actor, verb))
    if scenario_status is not ScenarioStatus.APPROVED:
        found.append(
            _refusal(
                "licence.scenario",
                scenario_id,
                msg("Scenario {scenario} is not approved.", scenario=scenario_id),
                msg("Decide on the scenario first."),
                SCENARIO_BASIS,
            )
        )
    years = pack.count(Parameter.LICENCE_MAX_TERM)
    if not timedelta(0) < ends_at - starts_at <= timedelta(days=max_days) or ends_at > add_years(starts_at, years):
        found.append(
            _refusal(
                "licence.term",
                scenario_id,
                msg(
                    "The term must end after it starts and may be at most {years} years, on this site {days} days.",
                    years=years,
                    days=max_days,
                ),
                msg("Choose an earlier end; a licence can be renewed."),
                TERM_BASIS,
            )
        )
    if ends_at <= now:
        found.append(
            _refusal(
                "licence.past",
                scenario_id,
                msg("The term is over already; such a licence would only back-date what happened."),
                msg("Choose an end that lies ahead."),
                TERM_BASIS,
            )
        )
    fewest = max(min_reviewers, pack.count(Parameter.LICENCE_MIN_REVIEWERS))
    if not fewest <= reviewers_required <= MOST_REVIEWERS:
        found.append(
            _refusal(
                "licence.reviewers",
                scenario_id,
                msg("A licence asks for {least} to {most} reviewers.", least=fewest, most=MOST_REVIEWERS),
                msg("Choose another number of reviewers."),
                "DOMAIN §0.7",
            )
        )
    if not document_ref.strip():
        found.append(
            _refusal(
                "licence.document",
                scenario_id,
                msg("A licence needs a reference to the document that gives the power to grant it."),
                msg("Enter the number of the document."),
                TERM_BASIS,
            )
        )
    named = [table.table_id for table in tables]
    if not named or set(named) - set(scenario_tables) or len(set(named)) < len(named):
        found.append(
            _refusal(
                "licence.tables",
                scenario_id,
                msg("A licence covers one or more of the tables named in its scenario, each once, and no others."),
                msg("Choose from the tables of scenario {scenario}.", scenario=scenario_id),
                SCENARIO_BASIS,
            )
        )
    found.extend(refusals_of_consent(consents))
    for table in tables:
        found.extend(refusals_to_policy(table, pack))
    return tuple(found)


def refusals_to_policy(grant: TableGrant, pack: Pack) -> tuple[Refusal, ...]:
    """Everything against making extracts of this table by this policy, with the thresholds of `pack`."""
    found: list[Refusal] = []
    catalog = set(grant.catalog)
    if not grant.columns or set(grant.columns) - catalog:
        found.append(
            _refusal(
                "licence.columns",
                grant.table_id,
                msg("The licensed columns of {table} must be columns of the catalog entry.", table=grant.table_id),
                msg("Choose from the columns listed in the catalog."),
            )
        )
    if set(grant.policy.classes) != catalog:
        found.append(
            _refusal(
                "licence.policy_columns",
                grant.table_id,
                msg("The policy of {table} must name each column of the table once.", table=grant.table_id),
                msg("Start from the policy that `zhakou scan --write-policy` proposes."),
            )
        )
    weaker = [name for name, cls in grant.policy.classes.items() if name in catalog and cls is not grant.catalog[name]]
    if weaker:
        found.append(
            _refusal(
                "licence.policy_class",
                grant.table_id,
                msg(
                    "{count} columns of {table} have another class in the policy than in the catalog: {columns}.",
                    count=len(weaker),
                    table=grant.table_id,
                    columns=", ".join(sorted(weaker)),
                ),
                msg("Use the catalog's class, or have the department change the catalog first."),
            )
        )
    leaking = sorted(set(grant.policy.classes) - set(grant.columns) - grant.policy.dropped)
    if leaking:
        found.append(
            _refusal(
                "licence.policy_scope",
                grant.table_id,
                msg(
                    "Columns outside the licence must be dropped by the policy: {columns}.", columns=", ".join(leaking)
                ),
                msg("Set their technique to drop, or license them."),
                "公共数据资源授权运营实施规范(试行) 第二十一条",
            )
        )
    least = pack.count(Parameter.EXTRACT_MIN_K)
    if grant.policy.k < least:
        found.append(
            _refusal(
                "licence.policy_k",
                grant.table_id,
                msg(
                    "The policy of {table} asks for k = {k}; at least {least}.",
                    table=grant.table_id,
                    k=grant.policy.k,
                    least=least,
                ),
                msg("Raise k in the policy's target."),
                "DOMAIN §6.6",
            )
        )
    return tuple(found)


def refusals_to_use(terms: LicenceTerms, now: datetime) -> tuple[Refusal, ...]:
    """Everything against acting under this licence at `now`. Asked again at every step."""
    found: list[Refusal] = []
    if terms.status is not LicenceStatus.ACTIVE:
        found.append(_not_in_force(terms.id, terms.status))
    if now < terms.starts_at:
        found.append(
            _refusal(
                "licence.not_started",
                terms.id,
                msg("Licence {licence} starts on {day}.", licence=terms.id, day=_day(terms.starts_at)),
                msg("Come back when it has started."),
                TERM_BASIS,
            )
        )
    if now >= terms.ends_at:
        found.append(
            _refusal(
                "licence.expired",
                terms.id,
                msg("Licence {licence} expired on {day}.", licence=terms.id, day=_day(terms.ends_at)),
                msg("The operator's administrator can apply for a new licence."),
                TERM_BASIS,
            )
        )
    found.extend(refusals_of_consent(terms.consents))
    found.extend(refusals_of_secrets(terms.secret_tables))
    return tuple(found)


def is_expiring(terms: LicenceTerms, now: datetime, pack: Pack) -> bool:
    """Whether a licence in force ends soon: the time to renew it."""
    notice = timedelta(days=pack.count(Parameter.LICENCE_EXPIRING_NOTICE))
    return terms.status is LicenceStatus.ACTIVE and terms.ends_at - notice <= now < terms.ends_at


def _not_in_force(licence: str, status: LicenceStatus) -> Refusal:
    said = {
        LicenceStatus.DRAFTING: _refusal(
            "licence.drafting",
            licence,
            msg("Licence {licence} is a draft; nobody has decided on it.", licence=licence),
            msg("Wait for the collective decision, both signatures, the filing and the beginning of use."),
            TERM_BASIS,
        ),
        LicenceStatus.DELIBERATING: _refusal(
            "licence.deliberating",
            licence,
            msg("Licence {licence} has its collective decision but not both signatures.", licence=licence),
            msg("The implementing body and the operator's administrator sign it on its page."),
            TERM_BASIS,
        ),
        LicenceStatus.SIGNED: _refusal(
            "licence.signed",
            licence,
            msg("Licence {licence} is signed but not filed.", licence=licence),
            msg("The bureau enters the filing number on its page; then it can be put into force."),
            TERM_BASIS,
        ),
        LicenceStatus.FILED: _refusal(
            "licence.filed",
            licence,
            msg("Licence {licence} is filed but not put into force.", licence=licence),
            msg("The bureau puts it into force on its page."),
            TERM_BASIS,
        ),
        LicenceStatus.SUSPENDED: _refusal(
            "licence.suspended",
            licence,
            msg("Licence {licence} is suspended.", licence=licence),
            msg("Ask the bureau for the reason; work can go on once it is resumed."),
            TERM_BASIS,
        ),
        LicenceStatus.TERMINATED: _refusal(
            "licence.terminated",
            licence,
            msg("Licence {licence} was terminated.", licence=licence),
            msg("Work goes on under another licence; the closing destroys what this one left."),
            TERM_BASIS,
        ),
        LicenceStatus.EXITED: _refusal(
            "licence.exited",
            licence,
            msg("Licence {licence} is closed; what belonged to it is destroyed.", licence=licence),
            msg("Work goes on under another licence; the page of the closing holds the certificate."),
            TERM_BASIS,
        ),
    }
    return said[status]


def _day(moment: datetime) -> str:
    return moment.astimezone(DISTRICT_TIME).strftime("%Y-%m-%d %H:%M (UTC+8)")


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str = "") -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
