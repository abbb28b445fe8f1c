"""The demonstration tables: the same bytes every time, defects in exact numbers, identifiers of nobody."""

import csv
import hashlib
import json
import re
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

from hub.catalog.model import Grade
from hub.catalog.rules import TableDraft, refusals_to_register, table_grade
from hub.demo.catalog import ELDER_CARE, FAIR
from hub.demo.identifiers import citizen_check_digit, credit_check_character
from hub.demo.pools import STREETS
from hub.demo.tables import AS_OF, ELDER_CARE_COLUMNS, FAIR_COLUMNS, GroundTruth, write_elder_care, write_fair
from hub.people.actor import Actor, OrgKind, Post, Role

Rows = list[dict[str, str]]


def read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, GroundTruth]:
    path = tmp_path_factory.mktemp("elder") / "mz_elder_care.csv"
    truth = write_elder_care(path)
    return read(path), truth


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    truth = write_elder_care(tmp_path / "a.csv", rows=500)
    assert truth.sha256 == "563a434529f013dc96772ee059079ee8277f5722d16e4bce85a694c2c1223f6a"
    assert hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest() == truth.sha256


def test_another_seed_gives_other_people(tmp_path: Path) -> None:
    first = write_elder_care(tmp_path / "a.csv", rows=500, seed=1)
    second = write_elder_care(tmp_path / "b.csv", rows=500, seed=2)
    assert first.sha256 != second.sha256


def test_fewer_rows_than_the_defects_need_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="200"):
        write_elder_care(tmp_path / "a.csv", rows=199)
    assert not (tmp_path / "a.csv").exists()


def test_defects_of_a_small_table_scale_down_to_whole_rows(tmp_path: Path) -> None:
    truth = write_elder_care(tmp_path / "a.csv", rows=500)
    assert [len(truth.bad_check_digits), len(truth.duplicates), len(truth.stale_assessments)] == [4, 2, 10]
    assert len(truth.gender_as_text) == 75


def test_the_table_has_its_columns_and_rows(full: tuple[Rows, GroundTruth]) -> None:
    rows, truth = full
    assert len(rows) == truth.rows == 12_000
    assert tuple(rows[0]) == ELDER_CARE_COLUMNS


def test_exactly_96_check_digits_are_wrong_and_the_truth_names_them(full: tuple[Rows, GroundTruth]) -> None:
    rows, truth = full
    wrong = [n for n, row in enumerate(rows) if citizen_check_digit(row["id_no"][:17]) != row["id_no"][17]]
    assert len(wrong) == 96
    assert tuple(wrong) == truth.bad_check_digits


def test_exactly_60_citizen_numbers_come_twice_under_different_names(full: tuple[Rows, GroundTruth]) -> None:
    rows, truth = full
    seen: dict[str, list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        seen[row["id_no"]].append(n)
    twice = [tuple(places) for places in seen.values() if len(places) > 1]
    assert len(twice) == 60
    assert tuple(sorted(twice)) == truth.duplicates
    assert all(rows[first]["name"] != rows[again]["name"] for first, again in truth.duplicates)


def test_gender_is_written_as_a_number_in_85_percent_and_as_a_word_in_15(full: tuple[Rows, GroundTruth]) -> None:
    rows, truth = full
    words = [n for n, row in enumerate(rows) if row["gender"] in {"男", "女"}]
    assert tuple(words) == truth.gender_as_text
    assert len(words) == 1_800
    assert {row["gender"] for row in rows} == {"1", "2", "男", "女"}


def test_gender_and_birth_date_agree_with_the_citizen_number(full: tuple[Rows, GroundTruth]) -> None:
    rows, _ = full
    for row in rows:
        assert (int(row["id_no"][16]) % 2 == 1) == (row["gender"] in {"1", "男"})
        assert row["birth_date"].replace("-", "") == row["id_no"][6:14]


def test_exactly_240_assessments_are_older_than_twelve_months(full: tuple[Rows, GroundTruth]) -> None:
    rows, truth = full
    limit = date(AS_OF.year - 1, AS_OF.month, AS_OF.day).isoformat()
    old = [n for n, row in enumerate(rows) if row["assessed_on"] < limit]
    assert len(old) == 240
    assert tuple(old) == truth.stale_assessments
    assert max(row["assessed_on"] for row in rows) <= AS_OF.isoformat()


def test_no_identifier_lies_outside_the_reserved_ranges(full: tuple[Rows, GroundTruth]) -> None:
    rows, _ = full
    for row in rows:
        text = "\n".join(row.values())
        # Every run of 11 or more digits is a telephone or citizen number, wherever it stands.
        for run in re.findall(r"[0-9]{11,}", text):
            assert run.startswith(("120", "990107")), f"{len(run)} digits outside the reserved ranges"
        for code in re.findall(r"(?<![0-9A-Z])91[0-9A-Z]{16}(?![0-9A-Z])", text):
            assert code.startswith("91990107")
            assert code[17] == credit_check_character(code[:17])


def test_below_the_street_every_address_says_that_it_is_an_example(full: tuple[Rows, GroundTruth]) -> None:
    rows, _ = full
    names = {street.code: street.name for street in STREETS}
    for row in rows:
        assert row["addr_full"].startswith(f"上海市普陀区{names[row['street_code']]}示例")
        assert row["addr_code"].startswith(row["street_code"] + "B")


def test_the_truth_points_at_the_identifiers_inside_the_notes(full: tuple[Rows, GroundTruth]) -> None:
    rows, truth = full
    shapes = {
        "CN_RESIDENT_ID": re.compile(r"990107\d{11}[0-9X]"),
        "CN_MOBILE": re.compile(r"120\d{8}"),
        "ADDRESS": re.compile(r"示例\w+路\d+弄\d+号\d{3}室"),
    }
    for row, kind, start, end in truth.note_entities:
        found = rows[row]["visit_note"][start:end]
        assert found == rows[row]["name"] if kind == "PERSON" else shapes[kind].fullmatch(found)
    counts = Counter(entity.kind for entity in truth.note_entities)
    assert counts == {"CN_RESIDENT_ID": 240, "CN_MOBILE": 600, "PERSON": 840, "ADDRESS": 360}


def test_notes_that_the_truth_does_not_name_hold_no_number(full: tuple[Rows, GroundTruth]) -> None:
    rows, truth = full
    named = {entity.row for entity in truth.note_entities}
    assert not [n for n, row in enumerate(rows) if n not in named and re.search(r"\d", row["visit_note"])]


def test_the_truth_holds_no_value_of_the_table(full: tuple[Rows, GroundTruth]) -> None:
    rows, truth = full
    told = truth.as_json()
    assert json.loads(told)["rows"] == 12_000
    assert not [n for n, row in enumerate(rows) if row["name"] in told or row["id_no"] in told or row["phone"] in told]


def test_living_alone_and_care_rise_with_age(full: tuple[Rows, GroundTruth]) -> None:
    rows, _ = full

    def share(column: str, values: set[str], *, born_before: int) -> float:
        chosen = [row for row in rows if int(row["birth_date"][:4]) < born_before]
        return sum(row[column] in values for row in chosen) / len(chosen)

    for column, values in (("living_alone", {"true"}), ("care_level", {"4", "5", "6"})):
        assert share(column, values, born_before=1940) > 1.5 * share(column, values, born_before=1970)


def test_no_street_is_too_small_for_statistics(full: tuple[Rows, GroundTruth]) -> None:
    rows, _ = full
    sizes = Counter(row["street_code"] for row in rows)
    assert set(sizes) == {street.code for street in STREETS}
    assert min(sizes.values()) > 500


def test_fair_is_the_survey_of_6366_women(tmp_path: Path) -> None:
    write_fair(tmp_path / "fair.csv")
    rows = read(tmp_path / "fair.csv")
    assert len(rows) == 6_366
    assert tuple(rows[0]) == FAIR_COLUMNS
    assert Counter(row["rate_marriage"] for row in rows) == {"1": 99, "2": 348, "3": 993, "4": 2242, "5": 2684}
    assert "" not in {value for row in rows for value in row.values()}


@pytest.mark.parametrize(("draft", "columns"), [(ELDER_CARE, ELDER_CARE_COLUMNS), (FAIR, FAIR_COLUMNS)])
def test_the_departments_may_register_their_tables_as_they_are_described(
    draft: TableDraft, columns: tuple[str, ...]
) -> None:
    steward = Actor(
        person_id="steward", org_id=draft.owner_org, org_kind=OrgKind.DEPARTMENT, roles=frozenset({Role.DEPT_STEWARD})
    )
    assert refusals_to_register(draft, steward, columns, filled=frozenset(Post)) == ()


def test_the_generated_table_says_that_it_is_a_demonstration() -> None:
    assert "演示数据,与真实个人和企业无关" in ELDER_CARE.description


def test_the_elder_table_is_graded_as_highly_as_its_worst_column() -> None:
    assert table_grade(ELDER_CARE.columns) is Grade.L4
