"""The legal-basis registry: whole, and enough for every basis that code cites."""

import ast
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import hub
from hub.errors import InvalidInput, NotFound
from hub.rulebook.bases import load_registry, registry
from hub.rulebook.model import Basis, BasisStatus, Mark

HOME = Path(hub.__file__).parent
CITED_BY_CODE = {"basis", "share_basis", "open_basis"}

DOCUMENT = """
[documents.law]
cite = "某法"
aliases = ["某某法"]
zh = "某法"
en = "Some law"
number = ""
status = "in_force"
from = 2025-03-01
to = 2030-03-01
source = "P"
"""
ENTRY = """
[bases.law-1]
document = "law"
article = "第一条"
zh = "内容"
en = "content"
source = "P"
"""


def texts(node: ast.AST, module: ast.Module) -> set[str]:
    """The texts a given expression can be: itself, or those of the module's constant of that name."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.Name):
        return {
            statement.value.value
            for statement in module.body
            if isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.Constant)
            and any(isinstance(target, ast.Name) and target.id == node.id for target in statement.targets)
        }
    return set()


def citations() -> Iterator[tuple[str, str]]:
    """Every basis in the code: given by name, kept in a constant `…_BASIS`, or handed on by place to `_refusal`."""
    for path in sorted(HOME.rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        name = path.relative_to(HOME).as_posix()
        for node in ast.walk(module):
            given: list[ast.AST] = []
            if isinstance(node, ast.Call):
                given += [word.value for word in node.keywords if word.arg in CITED_BY_CODE]
                if isinstance(node.func, ast.Name) and node.func.id in ("_refusal", "_basis"):
                    given += node.args[2:] if node.func.id == "_basis" else node.args[4:]
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id.endswith("BASIS") for target in node.targets
            ):
                given.append(node.value)
            for expression in given:
                yield from ((name, text) for text in texts(expression, module) if text)


def test_every_basis_in_the_code_is_an_entry() -> None:
    found = set(citations())
    assert {name for name, _ in found} >= {f"{room}/rules.py" for room in ("catalog", "gate", "licensing", "products")}
    unknown = [(name, text) for name, text in found for _, basis in registry().look_up(text) if basis is None]
    assert unknown == []


def test_registry_holds_all_32_articles_of_the_measures() -> None:
    articles = [basis for basis in registry().bases.values() if basis.document.id == "putuo-measures"]
    assert [basis.id for basis in articles] == [f"putuo-measures-{number}" for number in range(1, 33)]


@pytest.mark.parametrize("basis", registry().bases.values(), ids=lambda basis: basis.id)
def test_entry_is_one_sentence_in_each_language(basis: Basis) -> None:
    assert basis.en.isascii()
    assert basis.en.endswith(".")
    assert basis.en.count(". ") == 0
    assert not basis.zh.isascii()
    assert basis.zh.endswith("。")
    assert basis.zh.count("。") == 1


@pytest.mark.parametrize("basis", registry().bases.values(), ids=lambda basis: basis.id)
def test_project_defaults_are_marked_as_such_and_nothing_else_is(basis: Basis) -> None:
    assert (basis.document.source is Mark.DEFAULT) is (basis.document.id in ("domain", "house"))


def test_draft_binds_on_no_day() -> None:
    measures = registry().documents["putuo-measures"]
    assert measures.status is BasisStatus.DRAFT
    assert not measures.in_force(date(2026, 11, 24))
    assert all(basis.document is not measures for basis in registry().in_force(date(2026, 11, 24)))


@pytest.mark.parametrize(
    ("day", "article"),
    [
        (date(2025, 12, 31), "cybersecurity-law-2016-21"),
        (date(2026, 1, 1), "cybersecurity-law-23"),
    ],
)
def test_amended_law_replaces_the_old_on_its_day(day: date, article: str) -> None:
    found = [basis.id for basis in registry().in_force(day) if basis.id.startswith("cybersecurity")]
    assert found == [article]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("上海市数据条例 第四十五条", ["shanghai-data-45"]),
        ("DOMAIN §0.7, 上海市数据条例 第七十八条", ["domain-0-7", "shanghai-data-78"]),
        ("中华人民共和国个人信息保护法 第二十八条；普陀区公共数据管理办法 第十五条", ["pipl-28", "putuo-measures-15"]),
        ("个人信息保护法 第二十八条", ["pipl-28"]),
    ],
)
def test_citation_resolves_to_its_entries(text: str, expected: list[str]) -> None:
    assert [basis.id for basis in registry().resolve(text)] == expected


def test_unknown_citation_is_refused_but_can_be_looked_up() -> None:
    with pytest.raises(NotFound) as caught:
        registry().resolve("某地某办法 第一条")
    assert caught.value.code == "rulebook.no_basis"
    assert registry().look_up("某地某办法 第一条") == (("某地某办法 第一条", None),)
    with pytest.raises(NotFound):
        registry().basis("no-such-entry")


FAULTS = [
    ("not = toml =", "", "-"),
    (DOCUMENT, "", "bases"),
    (DOCUMENT + "shade = 1\n", ENTRY, "documents.law.shade"),
    (DOCUMENT.replace("from = 2025-03-01\n", ""), ENTRY, "documents.law.status"),
    (DOCUMENT.replace("2030", "2024"), ENTRY, "documents.law.status"),
    (DOCUMENT.replace('"in_force"', '"draft"'), ENTRY, "documents.law.status"),
    (DOCUMENT.replace('"in_force"', '"superseded"').replace("to = 2030-03-01\n", ""), ENTRY, "documents.law.status"),
    (DOCUMENT.replace('"in_force"', '"unknown"'), ENTRY, "documents.law.status"),
    (DOCUMENT.replace("= 2025-03-01", '= "2025-03-01"'), ENTRY, "documents.law.from"),
    (DOCUMENT.replace('"P"', '"X"'), ENTRY, "documents.law.source"),
    (DOCUMENT.replace('["某某法"]', '["甲", "甲"]'), ENTRY, "documents.law.aliases"),
    (DOCUMENT.replace('["某某法"]', "[1]"), ENTRY, "documents.law.aliases"),
    (DOCUMENT.replace("documents.law", 'documents."La w"'), ENTRY, "documents.La w.-"),
    (DOCUMENT, ENTRY.replace('"law"', '"other"'), "bases.law-1.document"),
    (DOCUMENT, ENTRY.replace('"content"', '" "'), "bases.law-1.en"),
    (DOCUMENT, ENTRY.replace('article = "第一条"\n', ""), "bases.law-1.article"),
    (DOCUMENT, ENTRY.replace("第一条", "第一条, 第二条"), "bases.law-1.article"),
    (DOCUMENT, ENTRY + ENTRY.replace("law-1", "law-2"), "bases.law-2.article"),
    (DOCUMENT, ENTRY + "[more]\n", "more"),
    (DOCUMENT, "[bases]\n", "bases"),
    ("documents = 1\n", "", "documents"),
]


@pytest.mark.parametrize(("documents", "entries", "place"), FAULTS)
def test_registry_with_a_fault_is_refused_at_its_place(
    tmp_path: Path, documents: str, entries: str, place: str
) -> None:
    file = tmp_path / "bases.toml"
    file.write_text(documents + entries, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_registry(file)
    assert caught.value.refusals[0].subject == f"bases.toml: {place}"
    assert caught.value.code == "rulebook.invalid"


def test_registry_without_a_fault_is_read(tmp_path: Path) -> None:
    file = tmp_path / "bases.toml"
    file.write_text(DOCUMENT + ENTRY, encoding="utf-8")
    assert load_registry(file).basis("law-1").cite == "某法 第一条"
