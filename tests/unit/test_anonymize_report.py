"""The report: both languages, nothing from outside, nothing that a name or title could smuggle in, true pictures."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anonymize.claims import not_claimed
from anonymize.report import _share, render_report
from anonymize.report_pictures import histogram, search
from anonymize.report_words import WORDS
from tests.anonymize_cases import AGE, KEEP, PSEUDONYM, SENSITIVE, extract_of, policy_of

_VOID = {"meta", "input"}
HOSTILE = "<script>alert(1)</script>\"'&"


class _Page(HTMLParser):
    """Tags with their attributes, and whether every tag that opens is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.balanced = not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    frame = pl.DataFrame(
        {
            HOSTILE: [f"9901{number:03}" for number in range(30)],
            "age": [20 + number for number in range(30)],
            "s": ["x", "y", "z"] * 10,
            "n": [number % 4 for number in range(30)],
        }
    )
    columns = {HOSTILE: {**PSEUDONYM, "reason": HOSTILE}, "age": AGE, "s": SENSITIVE, "n": KEEP}
    return extract_of(frame, policy_of(columns, k=5, l=2), tmp_path_factory.mktemp("r")).manifest


def test_page_is_well_formed_and_switches_language_without_a_script(manifest: dict[str, Any]) -> None:
    page = _Page(render_report(manifest))
    assert page.balanced
    radios = [attributes["id"] for tag, attributes in page.tags if tag == "input"]
    labels = [attributes["for"] for tag, attributes in page.tags if tag == "label"]
    assert radios == labels == ["zh", "en"]
    assert "script" not in {tag for tag, _ in page.tags}


def test_page_brings_everything_with_it(manifest: dict[str, Any]) -> None:
    text = render_report(manifest)
    assert not re.search(r"https?://|url\(|@import|<link|<img|<iframe", text)
    assert "default-src 'none'" in text


def test_names_and_reasons_are_text_and_never_markup(manifest: dict[str, Any]) -> None:
    text = render_report({**manifest, "title": {"zh": HOSTILE, "en": HOSTILE}})
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_every_word_is_there_in_both_languages(manifest: dict[str, Any]) -> None:
    text = render_report(manifest).replace("&#39;", "'")
    for name, word in WORDS.items():
        if name not in ("not_optimal", "not_proven", "tight_not_proven", "population_table"):
            assert word.zh in text, name
            assert word.en in text, name


def test_search_that_ended_early_is_said(manifest: dict[str, Any]) -> None:
    loss = {**manifest["loss"], "proven_optimal": False, "lower_bound": 0.123}
    text = render_report({**manifest, "loss": loss}).replace("&#39;", "'")
    assert WORDS["not_optimal"].en in text
    assert "12.3%" in text
    assert WORDS["optimal"].en not in text


def test_local_recoding_is_said_and_not_called_optimal(manifest: dict[str, Any]) -> None:
    loss = {**manifest["loss"], "proven_optimal": False, "lower_bound": 0.123}
    text = render_report({**manifest, "recoding": "local", "loss": loss}).replace("&#39;", "'")
    assert WORDS["not_proven"].en in text
    assert "12.3%" in text
    assert WORDS["not_optimal"].en not in text


def test_what_is_not_claimed_is_said(manifest: dict[str, Any]) -> None:
    text = render_report(manifest).replace("&#39;", "'")
    sentences = not_claimed(policy_of({"i": PSEUDONYM, "age": AGE}))
    assert len(sentences) == 5
    assert all(sentence.zh in text and sentence.en in text for sentence in sentences)


def test_bars_are_as_long_as_their_figures(manifest: dict[str, Any]) -> None:
    """The first picture of risk: full before, the share of the smallest class after, a line at the target."""
    page = render_report(manifest)
    picture = page.split(f"<h3>{WORDS['worst'].en}", 1)[1].split("<h3>", 1)[0]
    widths = [float(width) for width in re.findall(r'<rect class="(?:was|is)" width="([\d.]+)%"', picture)]
    assert widths == [100, pytest.approx(100 / manifest["risk"]["after"]["k"], abs=0.001)]
    assert re.findall(r'<line class="mark" x1="([\d.]+)%"', picture) == ["20.000", "20.000"]


def test_histogram_has_every_row_and_none_before_the_target_afterwards(manifest: dict[str, Any]) -> None:
    picture = histogram(manifest)
    for when in ("before", "after"):
        assert sum(part[when] for part in picture["bins"]) == pytest.approx(1)
    assert all(part["after"] == 0 for part in picture["bins"] if part["x"] < picture["target"])


def test_pictures_say_their_figures_to_whoever_cannot_see_them(manifest: dict[str, Any]) -> None:
    page = _Page(render_report(manifest))
    pictures = [attributes for _, attributes in page.tags if attributes.get("role") == "img"]
    assert len(pictures) >= 2 * 7
    assert all(attributes["aria-label"] for attributes in pictures)
    drawn = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert all("role" in attributes or "aria-hidden" in attributes for attributes in drawn)


def test_levels_found_are_shown_step_by_step(manifest: dict[str, Any]) -> None:
    shown = search(manifest, percent=_share)
    (age,) = [column for column in manifest["columns"] if column["name"] == "age"]
    assert shown["columns"][0]["steps"] == [number < age["level"] for number in range(age["levels"] - 1)]
    assert shown["lattice"] == age["choices"] == 5
    mixed = {**age, "level": None, "level_shares": {"0": 0.25, "2": 0.75}}
    parts = search({**manifest, "columns": [mixed]}, percent=_share)["columns"][0]["shares"]
    assert [(part["x"], part["width"]) for part in parts] == [(0.0, 25.0), (25.0, 75.0)]


def test_grade_is_reasoned_grade_by_grade(manifest: dict[str, Any]) -> None:
    text = render_report(manifest).replace("&#39;", "'")
    assert [reason["grade"] for reason in manifest["grade"]["reasons"]] == [1, 2, 3, 4]
    assert all(reason["text"][g] in text for reason in manifest["grade"]["reasons"] for g in ("zh", "en"))


def test_report_names_no_value_of_the_table(tmp_path: Path) -> None:
    frame = pl.DataFrame({"age": [20 + n for n in range(30)], "s": ["secretillness", "otherillness"] * 15})
    made = extract_of(frame, policy_of({"age": AGE, "s": SENSITIVE}, k=5), tmp_path)
    for path in (made.report_path, made.manifest_path):
        assert "illness" not in path.read_text(encoding="utf-8")


def test_older_manifest_without_the_new_figures_is_shown_too(manifest: dict[str, Any]) -> None:
    risk = {when: {k: v for k, v in figures.items() if k != "disclosure"} for when, figures in manifest["risk"].items()}
    text = render_report({**manifest, "utility": None, "risk": risk})
    assert _Page(text).balanced
    assert WORDS["granularity"].en not in text


def test_shares_of_rows_by_class_add_up(manifest: dict[str, Any]) -> None:
    for when in ("before", "after"):
        shares = [part["share"] for part in manifest["risk"][when]["rows_by_class_size"]]
        assert sum(shares) == pytest.approx(1)
    assert manifest["risk"]["before"]["rows_by_class_size"][0] == {"from": 1, "to": 1, "share": 1.0}


@pytest.mark.parametrize("k", [2, 3, 5])
def test_small_targets_have_their_pictures_too(tmp_path: Path, k: int) -> None:
    frame = pl.DataFrame({"age": [1] * 3 + [2] * 5 + [50] * 60})
    made = extract_of(frame, policy_of({"age": AGE}, k=k), tmp_path)
    assert _Page(made.report_path.read_text()).balanced


@pytest.mark.parametrize(
    ("share", "shown"), [(0, "0%"), (1e-9, "<0.1%"), (0.1234, "12.3%"), (0.2, "20%"), (0.99999, ">99.9%"), (1, "100%")]
)
def test_share_never_shows_nothing_for_something(share: float, shown: str) -> None:
    assert _share(share) == shown
