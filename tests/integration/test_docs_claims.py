"""The documents against the tree: links, folders, commands, make targets, names, and words that may not be used."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli import zhakou
from hub.reference import commands_of

ROOT = Path(__file__).resolve().parents[2]
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def prose(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> Iterator[tuple[Path, str]]:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
            if not re.match(r"[a-z]+:", target):
                yield document, target


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_readme_has_at_most_150_lines(readme: Path) -> None:
    assert 40 <= len(prose(readme).splitlines()) <= 150


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_folders_in_the_map_exist(readme: Path) -> None:
    rows = re.findall(r"^\| `([\w./-]+)` \|", prose(readme), flags=re.MULTILINE)
    assert len(rows) >= 8
    assert [row for row in rows if not (ROOT / row).exists()] == []


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_map_names_every_folder_of_the_root(readme: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {line.split("/")[0] for line in listed.splitlines() if "/" in line}
    assert {folder for folder in folders if f"| `{folder}/" not in prose(readme)} == set()


def test_links_between_documents_resolve() -> None:
    seen = list(links())
    broken = []
    for document, target in seen:
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(f"{document.relative_to(ROOT)} → {target}")
    assert len(seen) > 20
    assert broken == []


def test_commands_in_the_documents_exist() -> None:
    known = {tuple(path.split()[1:]) for path, _ in commands_of(zhakou, "zhakou")}
    told = {
        (document.name, words)
        for document in DOCUMENTS
        for words in re.findall(r"(?:`|^    |^)zhakou ([a-z][a-z -]*)", prose(document), flags=re.MULTILINE)
    }
    assert len(told) > 10
    assert [(name, words) for name, words in told if not any(tuple(words.split()[:n]) in known for n in (1, 2))] == []


def test_make_targets_in_the_documents_exist() -> None:
    told = {word for document in DOCUMENTS for word in re.findall(r"(?:`|^    )make ([a-z-]+)", prose(document))}
    assert told >= {"run", "test"}
    assert told - set(TARGETS) == set()


def test_python_modules_in_the_documents_exist() -> None:
    told = {name for document in DOCUMENTS for name in re.findall(r"python -m ([\w.]+)", prose(document))}
    missing = [
        name
        for name in told
        if not (ROOT / (name.replace(".", "/") + ".py")).exists() and not (ROOT / name.replace(".", "/")).is_dir()
    ]
    assert missing == []


def test_files_named_in_the_documents_exist() -> None:
    told = {
        (document.name, name)
        for document in DOCUMENTS
        for name in re.findall(
            r"`((?:hub|sandbox|anonymize|tests|docs|notebooks|requirements)/[\w./-]+)`", prose(document)
        )
    }
    assert [(where, name) for where, name in sorted(told) if not (ROOT / name).exists()] == []


def test_glossary_identifiers_are_names_in_the_code() -> None:
    rows = re.findall(r"^\| [^|]+ \| [^|]+ \| ([^|]+) \|", prose(ROOT / "docs/glossary.md"), flags=re.MULTILINE)
    told = {name for cell in rows for name in re.findall(r"`(\w+)`", cell)}
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for package in ("hub", "sandbox", "anonymize")
        for path in (ROOT / package).rglob("*.py")
    )
    assert len(told) > 50
    assert [name for name in sorted(told) if not re.search(rf"\b{name}\b", code)] == []


def test_no_text_for_people_calls_an_extract_anonymized() -> None:
    """The law keeps 去标识化 and 匿名化 apart; the second may only be named where the difference is explained."""
    explained = {
        "docs/glossary.md", "docs/explanation/deidentification.md", "SECURITY.md", "README.md", "README.zh-CN.md",
        "notebooks/01-first-look.zh.ipynb", "anonymize/claims.py",
    }  # fmt: skip
    places = [*DOCUMENTS, *(ROOT / "hub").rglob("*.po"), *(ROOT / "notebooks").glob("*.ipynb")]
    places += [*(ROOT / "hub").rglob("*.html"), *(ROOT / "anonymize").rglob("*.py"), *(ROOT / "hub").rglob("*.toml")]
    found = [path.relative_to(ROOT).as_posix() for path in places if "匿名化" in path.read_text(encoding="utf-8")]
    assert set(found) - explained == set()
