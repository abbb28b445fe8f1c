"""Each dependency has a reason and a licence in the documents, and none a licence that the project may not ship."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/explanation/dependencies.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([\w-]+) \| ([\w.]+) \| ([^|]+) \| [\d.]+ \| ([^|]+) \|$", PAGE, flags=re.MULTILINE)


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[<>=\[~!; ]", entry)[0] for entry in project["dependencies"]}


def test_every_dependency_has_its_row_and_no_row_lacks_its_dependency() -> None:
    assert {name for name, *_ in ROWS} == declared()


def test_versions_in_the_page_are_the_locked_ones() -> None:
    lock = (ROOT / "requirements/base.lock").read_text(encoding="utf-8").lower()
    stale = [name for name, version, *_ in ROWS if f"\n{name.lower()}=={version.lower()} " not in f"\n{lock}"]
    assert stale == []


def test_no_installed_package_is_under_gpl_or_agpl() -> None:
    found = []
    for package in metadata.distributions():
        told = package.metadata
        classifiers = [entry for entry in told.get_all("Classifier") or [] if entry.startswith("License")]
        text = " ".join([told.get("License-Expression") or "", (told.get("License") or "")[:200], *classifiers])
        text = re.sub(r"LGPL|Lesser General Public", "", text)
        if re.search(r"A?GPL|General Public License", text):
            found.append(told["Name"])
    assert found == []
