"""Rule packs: what decides follows from the day alone, and a pack is never weaker than the law."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from anonymize.screen.pack import base_pack
from hub.errors import InvalidInput, InvalidState, NotFound
from hub.rulebook.bases import registry
from hub.rulebook.model import Meaning, Unit
from hub.rulebook.packs import (
    FOLDER,
    PARAMETERS,
    all_packs,
    load_pack,
    load_packs,
    load_parameters,
    pack_in_force,
    pack_of_label,
    pack_version,
    parameters,
)
from hub.rulebook.parameters import Parameter
from hub.settings import PROJECT, Settings

OLD, NEW = pack_version("district", "2025.1"), pack_version("district", "2026.1")
NEWEST = (FOLDER / "district-2026.1.toml").read_text(encoding="utf-8")
BEGINS = datetime(2026, 2, 28, 16, 0, tzinfo=UTC)
"""Midnight of 1 March 2026 in Shanghai."""


@pytest.mark.parametrize(
    ("at", "version"),
    [
        (datetime(2025, 2, 28, 16, 0, tzinfo=UTC), "2025.1"),
        (BEGINS - timedelta(seconds=1), "2025.1"),
        (BEGINS, "2026.1"),
        (datetime(2036, 1, 1, tzinfo=UTC), "2026.1"),
    ],
)
def test_version_in_force_begins_at_midnight_of_the_district(at: datetime, version: str) -> None:
    assert pack_in_force(at).version == version


def test_nothing_is_decided_before_the_first_version() -> None:
    with pytest.raises(InvalidState) as caught:
        pack_in_force(datetime(2025, 2, 28, 15, 59, 59, tzinfo=UTC))
    assert caught.value.code == "rulebook.no_pack"
    with pytest.raises(InvalidState):
        pack_in_force(BEGINS, packs=())
    with pytest.raises(InvalidState):
        pack_in_force(BEGINS, name="other")


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        pack_in_force(datetime(2026, 11, 24))  # noqa: DTZ001  # the point of the test


def test_past_version_is_found_by_its_label_and_unknown_ones_are_refused() -> None:
    assert pack_of_label(OLD.label) is OLD
    assert OLD.label == f"district@2025.1#{OLD.digest}"
    with pytest.raises(NotFound):
        pack_version("district", "1999.1")
    with pytest.raises(NotFound):
        pack_of_label("nonsense")


def test_version_edited_after_it_decided_is_refused() -> None:
    with pytest.raises(InvalidState) as caught:
        pack_of_label(f"district@2025.1#{NEW.digest}")
    assert caught.value.code == "rulebook.changed"


def test_what_a_version_does_not_set_is_never_unlimited() -> None:
    with pytest.raises(LookupError):
        OLD.amount(Parameter.DISCLOSURE_ANNUAL)
    assert NEW.value(Parameter.DISCLOSURE_ANNUAL).shown == "03-31"


def test_fraction_cannot_be_taken_for_a_count() -> None:
    assert NEW.amount(Parameter.EXTRACT_SAMPLE_SHARE) == Decimal("0.1")
    with pytest.raises(ValueError, match="whole"):
        NEW.count(Parameter.EXTRACT_SAMPLE_SHARE)


HARD = [
    (Parameter.LICENCE_MAX_TERM, "5", Unit.YEARS),
    (Parameter.REGISTRATION_FIRST_DEADLINE, "20", Unit.WORKING_DAYS),
    (Parameter.REGISTRATION_ACCEPT, "3", Unit.WORKING_DAYS),
    (Parameter.REGISTRATION_REVIEW, "20", Unit.WORKING_DAYS),
    (Parameter.REGISTRATION_PUBLICITY, "10", Unit.WORKING_DAYS),
    (Parameter.REGISTRATION_CANCELLATION, "10", Unit.WORKING_DAYS),
    (Parameter.REGISTRATION_VALIDITY, "3", Unit.YEARS),
    (Parameter.REGISTRATION_RENEWAL_WINDOW, "60", Unit.DAYS),
    (Parameter.PRICE_PROFIT_RATE, "6", Unit.PERCENTAGE_POINTS),
    (Parameter.RETENTION_NETWORK_LOGS, "6", Unit.MONTHS),
    (Parameter.RETENTION_PROVIDE_ENTRUST, "3", Unit.YEARS),
    (Parameter.RETENTION_IMPACT_ASSESSMENT, "3", Unit.YEARS),
    (Parameter.EXTRACT_MIN_K, "5", Unit.ROWS),
    (Parameter.EXTRACT_MIN_K_SENSITIVE, "20", Unit.ROWS),
    (Parameter.GRANT_HOURS, "72", Unit.HOURS),
]


@pytest.mark.parametrize(("parameter", "shown", "unit"), HARD)
def test_newest_version_holds_the_reference_s_values(parameter: Parameter, shown: str, unit: Unit) -> None:
    value = NEW.value(parameter)
    assert (value.shown, value.meaning.unit) == (shown, unit)


def test_law_cited_by_a_version_is_the_one_of_its_time() -> None:
    logs = Parameter.RETENTION_NETWORK_LOGS
    assert OLD.value(logs).basis == "cybersecurity-law-2016-21"
    assert NEW.value(logs).basis == "cybersecurity-law-23"


def test_settings_and_screen_apply_what_the_pack_says() -> None:
    """Two places that name one threshold must not drift apart while both exist."""
    settings, screen = Settings(), base_pack()
    assert settings.grant_hours == NEW.count(Parameter.GRANT_HOURS)
    assert settings.min_reviewers == NEW.count(Parameter.LICENCE_MIN_REVIEWERS)
    assert screen.min_cell == NEW.count(Parameter.EXPORT_MIN_CELL)
    assert screen.max_files == NEW.count(Parameter.EXPORT_MAX_FILES)
    assert screen.max_total_bytes == NEW.count(Parameter.EXPORT_MAX_SIZE) * 2**20


@pytest.mark.parametrize("meaning", [meaning for meaning in parameters().values() if meaning.enforced])
def test_file_that_is_said_to_apply_a_parameter_does(meaning: Meaning) -> None:
    file = PROJECT / meaning.enforced
    # a grant has one place for one redemption; a workspace is looked at every twenty seconds
    by_construction = meaning.parameter in (Parameter.GRANT_DOWNLOADS, Parameter.SUSPENSION_EFFECT)
    of_the_screen = file.suffix == ".toml"  # its own pack, held against this one above
    assert by_construction or of_the_screen or f"Parameter.{meaning.parameter.name}" in file.read_text("utf-8")
    assert file.is_file()


def test_every_parameter_names_what_applies_it_or_what_will() -> None:
    for meaning in parameters().values():
        assert bool(meaning.enforced) is not bool(meaning.later_zh and meaning.later_en), meaning.parameter


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('enforced = "hub/web/home.py"\n', 'enforced = ""\n'),
        ('enforced = "hub/web/home.py"\n', 'enforced = "hub/web/home.py"\nlater_zh = "甲"\nlater_en = "a"\n'),
        ('enforced = "hub/web/home.py"\n', 'enforced = ""\nlater_zh = "甲"\n'),
    ],
)
def test_parameter_that_names_neither_or_both_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = PARAMETERS.read_text("utf-8")
    assert old in text
    (tmp_path / "parameters.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_parameters(tmp_path / "parameters.toml")
    assert "later_zh" in caught.value.refusals[0].subject


def test_every_parameter_that_rules_ask_for_says_where() -> None:
    rooms = [path for path in (PROJECT / "hub").rglob("*.py") if path.parent.name != "rulebook"]
    asked = {name for path in rooms for name in re.findall(r"Parameter\.([A-Z_]+)", path.read_text("utf-8"))}
    assert asked >= {"EXTRACT_MIN_K", "GRANT_HOURS", "REGISTRATION_REVIEW"}
    assert {name for name in asked if not parameters()[Parameter[name]].enforced} == set()


def changed(old: str, new: str) -> str:
    assert old in NEWEST
    return NEWEST.replace(old, new, 1)


FAULTS = [
    (changed("amount = 5\n", "amount = 6\n"), "values.licence.max_term.amount"),
    (changed("amount = 2\n", "amount = 1\n"), "values.licence.min_reviewers.amount"),
    (changed("amount = 5\n", "amount = -1\n"), "values.licence.max_term.amount"),
    (changed("amount = 5\n", "amount = 4.5\n"), "values.licence.max_term.amount"),
    (changed("amount = 5\n", "amount = nan\n"), "values.licence.max_term.amount"),
    (changed("amount = 5\n", "amount = true\n"), "values.licence.max_term.amount"),
    (changed('unit = "years"', 'unit = "days"'), "values.licence.max_term.unit"),
    (changed("operation-spec-14", "no-such-basis"), "values.licence.max_term.basis"),
    (changed("operation-spec-14", "cybersecurity-law-2016-21"), "values.licence.max_term.basis"),
    (changed('source = "P"', 'source = "Z"'), "values.licence.max_term.source"),
    (changed('note = "in principle"', 'remark = "in principle"'), "values.licence.max_term.remark"),
    (changed('[values."licence.max_term"]', '[values."licence.max_trem"]'), "values.licence.max_term"),
    (changed("absent = []", 'absent = ["licence.max_term"]'), "values.licence.max_term"),
    (changed("absent = []", 'absent = ["licence.max_trem"]'), "absent"),
    (changed("absent = []", "absent = 1"), "absent"),
    (changed('"03-31"', '"02-30"'), "values.report.operating.amount"),
    (changed('"03-31"', '"31 March"'), "values.report.operating.amount"),
    (changed('"03-31"', '"04-01"'), "values.report.operating.amount"),
    (changed('"2026.1"', '"new"'), "version"),
    (changed("format = 1", "format = 2"), "format"),
    (changed("from = 2026-03-01", "from = 2026-03-01T00:00:00"), "from"),
    (changed("absent = []", "absent = []\nextra = 1"), "extra"),
]


@pytest.mark.parametrize(("text", "place"), FAULTS, ids=[f"{place}-{n}" for n, (_, place) in enumerate(FAULTS)])
def test_pack_with_a_fault_is_refused_at_its_place(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "pack.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_pack(file, meanings=parameters(), bases=registry())
    assert caught.value.refusals[0].subject == f"pack.toml: {place}"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [("from = 2026-03-01", "from = 2026-04-01", "version"), ('"2026.1"', '"2026.2"', "from")],
)
def test_two_files_cannot_hold_one_version_or_one_day(tmp_path: Path, old: str, new: str, place: str) -> None:
    (tmp_path / "a.toml").write_text(NEWEST, encoding="utf-8")
    (tmp_path / "b.toml").write_text(changed(old, new), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_packs(tmp_path, meanings=parameters(), bases=registry())
    assert caught.value.refusals[0].subject == f"b.toml: {place}"


def test_digest_follows_from_what_decides_and_from_nothing_else(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        file = tmp_path / "pack.toml"
        file.write_text(text, encoding="utf-8")
        return load_pack(file, meanings=parameters(), bases=registry()).digest

    assert digest(NEWEST) == NEW.digest
    assert digest(changed('note = "in principle"', 'note = "as a rule"')) == NEW.digest
    assert digest(changed("amount = 5\n", "amount = 4\n")) != NEW.digest
    assert digest(changed("operation-spec-14", "operation-spec-15")) != NEW.digest
    assert digest(changed("from = 2026-03-01", "from = 2026-03-02")) != NEW.digest


def test_parameters_with_a_fault_are_refused(tmp_path: Path) -> None:
    text = PARAMETERS.read_text(encoding="utf-8")
    file = tmp_path / "parameters.toml"
    for fault in (text + '\n["licence.colour"]\n', re.sub(r"most = 5\n", "least = 6\nmost = 5\n", text, count=1)):
        file.write_text(fault, encoding="utf-8")
        with pytest.raises(InvalidInput):
            load_parameters(file)


def test_versions_stand_in_the_order_of_their_days() -> None:
    assert [pack.since for pack in all_packs()] == [date(2025, 3, 1), date(2026, 3, 1)]
