"""An extract with tight cells on its way: all rungs, the commands, and the check of what leaves the workspace."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from anonymize.cli import main
from anonymize.engine.scale import Scale
from anonymize.ladder import build_rung
from anonymize.pipeline import Extracted
from anonymize.policy import parse_policy
from anonymize.rung import Rung
from anonymize.screen import screen_files
from anonymize.table import write_parquet
from tests.anonymize_cases import KEY, NOW, QUASI_KEPT, SENSITIVE, generalized, policy_text
from tests.screen_house import rules_of

K = 4
RULES: dict[str, Any] = {
    "age": generalized(kind="bands", widths=[10], top=85),
    "born": generalized(kind="dates", steps=["month", "year"]),
    "town": generalized(kind="prefixes", lengths=[1]),
    "sex": QUASI_KEPT,
    "care": SENSITIVE,
    "cost": {"class": "non_sensitive", "technique": "keep", "reason": "what it is about"},
}
POLICY = parse_policy(policy_text(RULES, target={"k": K, "l": 2}, recoding="local", cells="tight"))
QUASI = ["age", "born", "town", "sex"]
RARE = "z9"
"""A town of one person."""
OLDEST = -9_000
"""The birth day of one person, long before all others; in days since 1970."""

Ladder = dict[Rung, Extracted]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chance, rows = np.random.default_rng(5), 4_000
    towns = chance.choice(["a1", "a2", "b1", "b2"], rows)
    towns[0] = RARE
    ages = pl.Series(chance.integers(18, 95, rows)).set(pl.Series(chance.random(rows) < 0.03), None)
    days = pl.Series(chance.integers(0, 300, rows)).scatter(1, OLDEST).cast(pl.Int32).cast(pl.Date)
    path = tmp_path_factory.mktemp("raw") / "people.parquet"
    frame = {
        "age": ages,
        "born": days,
        "town": towns,
        "sex": chance.choice(["f", "m"], rows),
        "care": chance.choice(["low", "middle", "high"], rows),
        "cost": np.round(chance.lognormal(8, 0.6, rows), 2),
    }
    write_parquet(pl.DataFrame(frame), path)
    return path


@pytest.fixture(scope="module")
def ladder(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    out = tmp_path_factory.mktemp("out")
    return {
        rung: build_rung(rung=rung, source=source, policy=POLICY, key=KEY, out_dir=out / str(rung), created_at=NOW)
        for rung in Rung
    }


def test_every_rung_has_the_same_columns_and_types(ladder: Ladder) -> None:
    schemas = {rung: pl.read_parquet_schema(made.extract_path) for rung, made in ladder.items()}
    assert len({str(schema) for schema in schemas.values()}) == 1
    assert len({made.manifest["schema"] for made in ladder.values()}) == 1
    assert schemas[Rung.METADATA]["age"] == pl.Struct({"low": pl.Int64, "high": pl.Int64, "or_null": pl.Boolean})


@pytest.mark.parametrize("rung", [Rung.SAMPLED, Rung.FULL])
def test_classes_of_equal_cells_keep_the_target_on_rungs_of_real_rows(ladder: Ladder, rung: Rung) -> None:
    frame = pl.read_parquet(ladder[rung].extract_path)
    rows = Counter(map(str, frame.select(QUASI).rows()))
    assert min(rows.values()) == ladder[rung].k >= K
    assert min(frame.group_by(QUASI).agg(pl.col("care").n_unique())["care"].to_list()) >= 2


def test_full_rung_lists_a_rare_value_and_the_synthetic_one_never_does(ladder: Ladder) -> None:
    members = {rung: set(towns_of(ladder[rung])) for rung in (Rung.FULL, Rung.SYNTHETIC)}
    assert RARE in members[Rung.FULL]
    assert members[Rung.SYNTHETIC] <= {"a1", "a2", "b1", "b2"}


def towns_of(made: Extracted) -> list[str | None]:
    return pl.read_parquet(made.extract_path)["town"].explode().to_list()


def test_synthetic_cells_are_cells_and_their_ends_are_nobodys(ladder: Ladder) -> None:
    made = pl.read_parquet(ladder[Rung.SYNTHETIC].extract_path)
    real = pl.read_parquet(ladder[Rung.FULL].extract_path)
    ends = made["age"].struct.unnest()
    assert made.height > 3_000
    assert (ends["low"] <= ends["high"]).all()
    assert all(towns == sorted(towns) for towns in made["town"].drop_nulls().to_list())
    assert min(real["born"].struct.field("low").to_physical().to_list()) == OLDEST
    assert min(made["born"].struct.field("low").drop_nulls().to_physical().to_list()) >= 0
    assert ladder[Rung.SYNTHETIC].manifest["synthetic"]["fidelity"]["columns"].keys() == real.schema.keys()


def test_risk_command_measures_nested_columns(ladder: Ladder) -> None:
    path = str(ladder[Rung.FULL].extract_path)
    done = CliRunner().invoke(main, ["risk", path, "--quasi", ",".join(QUASI), "--sensitive", "care", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert (found["k"], found["l"]["care"]) == (
        ladder[Rung.FULL].k,
        ladder[Rung.FULL].manifest["risk"]["after"]["l"]["care"],
    )


def test_build_in_many_pieces_gives_the_same_digest(source: Path, ladder: Ladder, tmp_path: Path) -> None:
    made = build_rung(
        rung=Rung.FULL,
        source=source,
        policy=POLICY,
        key=KEY,
        out_dir=tmp_path / "out",
        created_at=NOW,
        scale=Scale(rows=700),
    )
    assert made.manifest["digests"]["extract"] == ladder[Rung.FULL].manifest["digests"]["extract"]


@pytest.mark.parametrize("spelling", ["joined", "fields", "first"])
def test_rows_copied_out_of_tight_cells_are_found_at_the_gate(ladder: Ladder, tmp_path: Path, spelling: str) -> None:
    extract = pl.read_parquet(ladder[Rung.FULL].extract_path).head(600)
    ends = [
        pl.col(name).struct.field(end).alias(f"{name} {end}") for name in ("age", "born") for end in ("low", "high")
    ]
    ways = {
        "joined": [*ends, "['" + pl.col("town").list.join("' '") + "']"],
        "fields": [*ends, pl.col("town").list.first().alias("place")],
        "first": [*ends[:2], ends[2], pl.col("town").list.first()],
    }
    path = tmp_path / "result.csv"
    extract.select(*ways[spelling], "sex", "care").write_csv(path)
    assert "R46" in rules_of(screen_files([path], extracts=[ladder[Rung.FULL].extract_path]))


def test_counts_made_of_tight_cells_pass_the_gate(ladder: Ladder, tmp_path: Path) -> None:
    extract = pl.read_parquet(ladder[Rung.FULL].extract_path)
    counts = extract.group_by("sex", "care").agg(
        pl.len().alias("people"), (pl.col("age").struct.field("low") >= 60).sum().alias("certainly 60 or older")
    )
    path = tmp_path / "result.csv"
    counts.sort("sex", "care").write_csv(path)
    assert rules_of(screen_files([path], extracts=[ladder[Rung.FULL].extract_path])) == []
