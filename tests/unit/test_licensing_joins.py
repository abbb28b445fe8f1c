"""Pseudonyms meet across the joins of a licence and nowhere else."""

from hub.licensing.joins import pseudonym_domains
from hub.licensing.linkage import domain_labels
from hub.licensing.model import Licence, LicenceTable

POLICY = """
format = 1
name = "t"
version = "1"
[target]
k = 5
suppression_limit = 0.2
[columns.who]
class = "direct_id"
technique = "pseudonymize"
params = { domain = "person" }
reason = { zh = "关联", en = "join" }
[columns.other]
class = "direct_id"
technique = "pseudonymize"
params = { domain = "person" }
reason = { zh = "关联", en = "join" }
[columns.street]
class = "quasi_id"
technique = "keep"
reason = { zh = "统计", en = "counted" }
"""


def licence(*joins: list[str]) -> Licence:
    tables = [LicenceTable(table_id=name, columns=["who"], policy=POLICY) for name in ("a", "b")]
    return Licence(id="l-0001", joins=list(joins), tables=tables)


def test_without_a_listed_join_every_column_is_a_domain_of_its_own() -> None:
    domains = pseudonym_domains(licence())
    assert {table: set(columns) for table, columns in domains.items()} == {"a": {"who", "other"}, "b": {"who", "other"}}
    assert len({label for columns in domains.values() for label in columns.values()}) == 4


def test_a_listed_join_gives_its_two_columns_one_domain() -> None:
    domains = pseudonym_domains(licence(["a.who", "b.who"]))
    assert domains["a"]["who"] == domains["b"]["who"]
    assert len({domains["a"]["other"], domains["b"]["other"], domains["a"]["who"]}) == 3


def test_chained_joins_are_one_domain_whatever_their_order() -> None:
    names = ["a", "b", "c", "d"]
    for joins in ([("a", "b"), ("b", "c")], [("b", "c"), ("a", "b")], [("c", "b"), ("b", "a"), ("a", "c")]):
        labels = domain_labels(names, joins)
        assert labels["a"] == labels["b"] == labels["c"] != labels["d"]


def test_a_join_to_a_column_that_is_no_pseudonym_joins_nothing() -> None:
    assert domain_labels(["a"], [("a", "gone")]) == {"a": "a"}
