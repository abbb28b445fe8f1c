"""Permitted joins of a licence as the extract worker needs them: the pseudonym domain of each column.

The rules of joins are in `linkage`. Without a listed join every column is a domain of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from anonymize.policy import parse_policy
from hub.licensing.linkage import domain_labels
from hub.licensing.model import Licence


def pseudonym_domains(licence: Licence) -> Mapping[str, Mapping[str, str]]:
    """The domain of each pseudonymized column: table → column → label.

    Labels are equal exactly where listed joins connect two columns, directly or through others.
    """
    columns = {row.table_id: pseudonymized(row.policy) for row in licence.tables}
    names = [f"{table}.{column}" for table, of_table in columns.items() for column in of_table]
    labels = domain_labels(names, licence.joins)
    return {table: {column: labels[f"{table}.{column}"] for column in of_table} for table, of_table in columns.items()}


def pseudonymized(policy: str) -> Mapping[str, str]:
    """The columns that a policy pseudonymizes, each with the kind of identifier: its parameters in one text.

    Pseudonyms of another length or case never meet, so the whole of the parameters counts.
    """
    rules = [rule for rule in parse_policy(policy).columns if rule.technique.name == "pseudonymize"]
    return {rule.name: json.dumps(rule.technique.params(), sort_keys=True) for rule in rules}
