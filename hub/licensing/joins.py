"""Permitted joins: which pseudonyms of a licence meet, and which never do.

Linkage is a regulated act (公共数据资源授权运营实施规范(试行) 第二十一条). Each pseudonymized column is a domain of its
own; columns that the licence's joins connect share one, so that the same identifier gets the same pseudonym in them
and another one everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from anonymize.policy import parse_policy
from hub.licensing.model import Licence


def pseudonym_domains(licence: Licence) -> Mapping[str, Mapping[str, str]]:
    """The domain of each pseudonymized column: table → column → label.

    Labels are equal exactly where listed joins connect two columns, directly or through others.
    """
    columns = {row.table_id: pseudonymized(row.policy) for row in licence.tables}
    names = [f"{table}.{column}" for table, of_table in columns.items() for column in of_table]
    labels = domain_labels(names, licence.joins)
    return {table: {column: labels[f"{table}.{column}"] for column in of_table} for table, of_table in columns.items()}


def pseudonymized(policy: str) -> tuple[str, ...]:
    """The columns that a policy pseudonymizes."""
    return tuple(rule.name for rule in parse_policy(policy).columns if rule.technique.name == "pseudonymize")


def domain_labels(names: Iterable[str], joins: Iterable[Sequence[str]]) -> Mapping[str, str]:
    """For each name a label: that of its group, where `joins` (pairs of names) connect, else its own."""
    groups = {name: frozenset({name}) for name in names}
    for left, right in joins:
        if left in groups and right in groups:
            merged = groups[left] | groups[right]
            groups.update(dict.fromkeys(merged, merged))
    return {name: "=".join(sorted(group)) for name, group in groups.items()}
