"""The elder-care policy on the table it is made for: the target holds, and what the scenario needs survives."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from anonymize.pipeline import Extracted, build_extract
from anonymize.policy import load_policy
from hub.catalog.rules import TableDraft
from hub.demo.catalog import DRAFTS
from hub.demo.pools import STREETS
from hub.demo.tables import write_elder_care

POLICIES = Path(__file__).resolve().parents[2] / "hub" / "demo" / "policies"
QUASI = ["birth_date", "gender", "street_code"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raw") / "mz_elder_care.csv"
    write_elder_care(path)
    return path


@pytest.fixture(scope="module")
def extracted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Extracted:
    return build_extract(
        source=source,
        policy=load_policy(POLICIES / "mz_elder_care.toml"),
        key=bytes(range(100, 132)),
        out_dir=tmp_path_factory.mktemp("extract") / "out",
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.id)
def test_policy_and_catalog_agree_on_the_class_of_each_column(draft: TableDraft) -> None:
    policy = load_policy(POLICIES / f"{draft.id}.toml")
    assert {rule.name: str(rule.column_class) for rule in policy.columns} == {
        column.name: str(column.column_class) for column in draft.columns
    }


def test_every_group_of_the_extract_holds_twenty_records(extracted: Extracted) -> None:
    sizes = pl.read_parquet(extracted.extract_path).group_by(QUASI).len()
    assert sizes["len"].min() >= 20


def test_one_group_of_seventeen_is_all_that_is_suppressed(extracted: Extracted) -> None:
    assert 12_000 - extracted.rows == 17


def test_every_street_and_five_year_ages_survive(extracted: Extracted) -> None:
    extract = pl.read_parquet(extracted.extract_path)
    assert set(extract["street_code"].cast(pl.String)) == {street.code for street in STREETS}
    assert set(extract["birth_date"]) == {"60-64", "65-69", "70-74", "75-79", "80-84", "≥85"}


def test_gender_leaves_in_one_coding(extracted: Extracted) -> None:
    assert set(pl.read_parquet(extracted.extract_path)["gender"]) == {"男", "女"}


def test_no_identifier_of_the_source_is_in_the_extract(extracted: Extracted, source: Path) -> None:
    with source.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    extract = pl.read_parquet(extracted.extract_path)
    values = {str(value) for name in extract.columns for value in extract[name]}
    for column in ("elder_id", "name", "id_no", "phone", "addr_full", "addr_code", "guardian_phone", "visit_note"):
        assert not values & ({row[column] for row in rows} - {""}), column


def test_one_person_keeps_one_pseudonym(extracted: Extracted) -> None:
    """60 numbers come twice in 12,000 rows; a few rows may have been suppressed."""
    extract = pl.read_parquet(extracted.extract_path)
    assert 58 <= len(extract) - extract["id_no"].n_unique() <= 60
