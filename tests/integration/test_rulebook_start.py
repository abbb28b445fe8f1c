"""A broken rule file is refused at the start, in words that name the file and the place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub import serve as served
from hub.cli import run
from hub.errors import InvalidInput
from hub.rulebook import bases, calendar, packs
from hub.rulebook.start import faults, require_rulebook, unknown_year

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(autouse=True)
def reread() -> Iterator[None]:
    """What was read once is read again, before and after."""
    read = (bases.registry, packs.parameters, packs.all_packs, calendar.district_calendar)
    for one in read:
        one.cache_clear()
    yield
    for one in read:
        one.cache_clear()


def broken_pack(folder: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    copy = folder / "packs"
    shutil.copytree(packs.FOLDER, copy)
    file = copy / "district-2026.1.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(packs, "FOLDER", copy)


FAULTS = [
    ('note = "in principle"', 'colour = "red"', "district-2026.1.toml: values.licence.max_term.colour"),
    ('source = "P"\n', "", "district-2026.1.toml: values.licence.max_term.source"),
    ("amount = 5\n", "amount = 6\n", "district-2026.1.toml: values.licence.max_term.amount"),
]


@pytest.mark.parametrize(("old", "new", "place"), FAULTS)
def test_broken_pack_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, place: str) -> None:
    broken_pack(tmp_path, monkeypatch, old, new)
    with pytest.raises(InvalidInput) as caught:
        require_rulebook(NOW)
    assert place in {refusal.subject for refusal in caught.value.refusals}


def test_two_packs_that_begin_on_one_day_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_pack(tmp_path, monkeypatch, 'version = "2026.1"', 'version = "2026.2"')
    shutil.copy(Path(packs.__file__).parent / "packs" / "district-2026.1.toml", tmp_path / "packs" / "twin.toml")
    assert [refusal.subject for refusal in faults(NOW)] == ["twin.toml: from"]


def test_gap_in_the_calendar_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(calendar.FOLDER, tmp_path / "holidays")
    (tmp_path / "holidays" / "2025.toml").unlink()
    monkeypatch.setattr(calendar, "FOLDER", tmp_path / "holidays")
    assert [refusal.subject for refusal in faults(NOW)] == ["2025.toml: -"]


def test_nothing_is_served_on_a_broken_rule_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_pack(tmp_path, monkeypatch, 'unit = "years"', 'unit = "days"')
    with pytest.raises(InvalidInput) as caught:
        served.serve()
    assert caught.value.code == "rulebook.invalid"


def test_doctor_names_the_place_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken_pack(tmp_path, monkeypatch, 'unit = "years"', 'unit = "days"')
    assert run(["doctor", "--json", "--language", "en"]) == 24
    (finding,) = [one for one in json.loads(capsys.readouterr().out)["checks"] if one["check"] == "rulebook"]
    assert finding["level"] == "missing"
    assert "district-2026.1.toml: values.licence.max_term.unit" in finding["text"]


@pytest.mark.parametrize(
    ("now", "year"),
    [
        (NOW, None),
        (datetime(2026, 11, 30, 15, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 30, 16, 0, tzinfo=UTC), 2027),  # December has begun in the district
        (datetime(2027, 1, 4, tzinfo=UTC), 2027),
    ],
)
def test_holidays_that_deadlines_need_are_missed_from_december_on(now: datetime, year: int | None) -> None:
    assert unknown_year(now) == year
