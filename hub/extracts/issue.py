"""What the licence adds to a build: which pseudonyms may meet, how large a sample may be, and who answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from anonymize.policy import dump_policy, parse_policy
from anonymize.rung import MAX_SAMPLE_RATE, MAX_SAMPLE_ROWS
from anonymize.techniques.pseudonymize import Pseudonymize
from hub.licensing.model import ExtractLevel
from hub.rulebook.model import Pack
from hub.rulebook.parameters import Parameter

REAL = frozenset({ExtractLevel.SAMPLED, ExtractLevel.FULL})
"""Rungs whose rows are people's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A policy as it is built by: each pseudonymized column in the domain that the licence's joins give it."""

    text: str
    digest: str
    domains: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Who asked for, approved and built an extract, under what (DOMAIN.md §5.6)."""

    extract: str
    request: str
    licence: str
    scenario: str
    table: str
    level: ExtractLevel
    builder: str
    approvers: Mapping[str, str]
    """Person by seat; `system` where the licence itself decided."""
    expires_at: datetime
    rules: str
    """The rule pack that bounded it."""
    domains: Mapping[str, str]
    joins: tuple[tuple[str, str], ...]


def joined_policy(text: str, domains: Mapping[str, str]) -> Joined:
    """The policy with the domains of the licence instead of its own: what a policy says of joins is not believed.

    Raises:
        KeyError: A pseudonymized column has no domain; without one it could meet another.
    """
    policy = parse_policy(text)
    columns = tuple(
        replace(rule, technique=replace(rule.technique, domain=domains[rule.name]))
        if isinstance(rule.technique, Pseudonymize)
        else rule
        for rule in policy.columns
    )
    joined = replace(policy, columns=columns)
    used = {rule.name: rule.technique.domain for rule in columns if isinstance(rule.technique, Pseudonymize)}
    return Joined(text=dump_policy(joined), digest=joined.digest, domains=used)


def sample_rows(pack: Pack, rows: int, policy: str) -> int | None:
    """The most rows of a sample of a table of `rows` rows; None when the anonymizer's own bounds are as strict.

    Source: DOMAIN.md §6.6, in the rule pack `extract.sample_share` and `extract.sample_rows`.
    """
    share, most = Fraction(pack.amount(Parameter.EXTRACT_SAMPLE_SHARE)), pack.count(Parameter.EXTRACT_SAMPLE_ROWS)
    if share >= MAX_SAMPLE_RATE and most >= MAX_SAMPLE_ROWS:
        return None
    kept = int(rows * (1 - Fraction(parse_policy(policy).target.suppression_limit)))  # the share is of what is left
    return max(1, min(int(share * kept), most))


def issued_manifest(made: Mapping[str, Any], issue: Issue) -> dict[str, Any]:
    """The worker's manifest, and under `issue` what only the hub knows."""
    return {
        **made,
        "issue": {
            "extract": issue.extract,
            "request": issue.request,
            "licence": issue.licence,
            "scenario": issue.scenario,
            "table": issue.table,
            "level": issue.level.value,
            "builder": issue.builder,
            "approvers": dict(issue.approvers),
            "expires": issue.expires_at.isoformat(),
            "rules": issue.rules,
            "detector": {"name": "zhakou", "version": made["versions"]["zhakou"], "free_text": "dropped"},
            "joins": {
                "domains": dict(issue.domains),
                "permitted": [
                    list(pair) for pair in issue.joins if any(name.split(".")[0] == issue.table for name in pair)
                ],
                "meaning": _meaning_of_joins(issue.level),
            },
        },
    }


def _meaning_of_joins(level: ExtractLevel) -> dict[str, str]:
    if level in REAL:
        return {
            "zh": "同一标识在标签相同的列中得到同一假名；标签不同的列，假名互不相同，不能关联。",
            "en": "The same identifier has the same pseudonym in columns of one label; columns of different labels "
            "never join.",
        }
    return {
        "zh": "本级没有真实的行：关联可以运行，列与类型相同，但哪些行相遇只是偶然，没有任何含义。",
        "en": "No row here is a person's: a join runs and has the same columns and types, but which rows meet is "
        "chance and means nothing.",
    }
