"""May these joins be permitted, and if not, why; and which columns they bring together.

Linkage is a regulated act (公共数据资源授权运营实施规范(试行) 第二十一条). Each pseudonymized column is a domain of its
own; columns that the licence's joins connect share one, so that the same identifier gets the same pseudonym in them
and another one everywhere else.

Rules here: `join.columns` (two different licensed columns of the licence's tables), `join.kind` (both pseudonymized by
their policies as the same kind of identifier), `join.reason`, `join.twice`, `join.closure` (what follows from two
listed joins is listed too: a chain would link what nobody agreed on), `join.departments` (tables of several departments
need the security opinion).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from hub.errors import Refusal
from hub.licensing.contract import Join
from hub.message import Message, msg
from hub.rulebook.model import Pack
from hub.rulebook.parameters import Parameter

JOIN_BASIS = "公共数据资源授权运营实施规范(试行) 第二十一条"
LEAST_REASON = 10
"""Characters below which a reason says nothing."""

_DIGEST_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinFacts:
    """The joins of an agreement and what its tables say of the joined columns. Names are `table.column`."""

    licence_id: str
    joins: tuple[Join, ...]
    licensed: frozenset[str]
    kinds: Mapping[str, str]
    """Pseudonymized columns and the kind of identifier that their policies call them."""
    departments: Mapping[str, frozenset[str]]
    """Table → the departments its data come from."""
    security_opinion: str = ""
    security_opinion_digest: str = ""


def refusals_of_joins(facts: JoinFacts, pack: Pack) -> tuple[Refusal, ...]:
    """Everything against permitting these joins."""
    found: list[Refusal] = []
    for join in facts.joins:
        found += _of_one(facts, join)
    listed = [frozenset({join.left, join.right}) for join in facts.joins]
    if len(set(listed)) < len(listed):
        found.append(
            _refusal(
                "join.twice",
                facts.licence_id,
                msg("The same join stands in the list twice."),
                msg("Leave one of them out."),
            )
        )
    missing = _unlisted(listed)
    if missing:
        found.append(
            _refusal(
                "join.closure",
                facts.licence_id,
                msg(
                    "The listed joins chain further ones that are not listed: {joins}.",
                    joins=", ".join(" = ".join(sorted(pair)) for pair in missing),
                ),
                msg("List these as well, each with its reason, or leave one link of the chain out."),
            )
        )
    joined = {name.partition(".")[0] for pair in listed for name in pair}
    sources = frozenset[str]().union(*(facts.departments.get(table, frozenset()) for table in joined))
    many = pack.count(Parameter.REVIEW_SECURITY_DEPARTMENTS)
    has_opinion = bool(facts.security_opinion) and len(facts.security_opinion_digest) == _DIGEST_LENGTH
    if len(sources) >= many and not has_opinion:
        found.append(
            _refusal(
                "join.departments",
                facts.licence_id,
                msg(
                    "Data of {count} departments are joined; from {many} on it takes a security opinion.",
                    count=len(sources),
                    many=many,
                ),
                msg("Enter the number and the SHA-256 of the opinion in item 1, or join fewer tables."),
            )
        )
    return tuple(found)


def _of_one(facts: JoinFacts, join: Join) -> Iterable[Refusal]:
    pair = {join.left, join.right}
    if len(pair) < 2 or pair - facts.licensed:
        yield _refusal(
            "join.columns",
            facts.licence_id,
            msg("A join connects two different licensed columns of the licence's tables."),
            msg("Choose both from the columns ticked above."),
        )
    elif facts.kinds.get(join.left) is None or facts.kinds.get(join.left) != facts.kinds.get(join.right):
        yield _refusal(
            "join.kind",
            facts.licence_id,
            msg(
                "{left} and {right} are not pseudonymized as the same kind of identifier, so they never meet.",
                left=join.left,
                right=join.right,
            ),
            msg("Set technique pseudonymize with the same domain for both columns in the two policies."),
        )
    if len(join.reason.strip()) < LEAST_REASON:
        yield _refusal(
            "join.reason",
            facts.licence_id,
            msg("Each join needs a reason of at least {count} characters.", count=LEAST_REASON),
            msg("Write what the joined records are for."),
        )


def _unlisted(listed: Sequence[frozenset[str]]) -> list[tuple[str, str]]:
    """Pairs that the listed joins connect through others without listing them."""
    names = sorted({name for pair in listed for name in pair})
    labels = domain_labels(names, [tuple(pair) for pair in listed if len(pair) == 2])
    return [
        pair for pair in combinations(names, 2) if labels[pair[0]] == labels[pair[1]] and frozenset(pair) not in listed
    ]


def domain_labels(names: Iterable[str], joins: Iterable[Sequence[str]]) -> Mapping[str, str]:
    """For each name a label: that of its group, where `joins` (pairs of names) connect, else its own."""
    groups = {name: frozenset({name}) for name in names}
    for left, right in joins:
        if left in groups and right in groups:
            merged = groups[left] | groups[right]
            groups.update(dict.fromkeys(merged, merged))
    return {name: "=".join(sorted(group)) for name, group in groups.items()}


def _refusal(rule: str, subject: str, text: Message, next_step: Message) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=JOIN_BASIS)
