"""The ladder of extracts: one schema on four rungs, and what each of them promises."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from anonymize.cli import main
from anonymize.errors import AnonymizeError, BadInput, TargetNotMet
from anonymize.ladder import build_rung
from anonymize.pipeline import Extracted, build_extract
from anonymize.policy import AnonymizationPolicy, load_policy
from anonymize.privacy.classes import measure_classes
from anonymize.report_words import LADDER_WORDS
from anonymize.rung import RUNG_WARNINGS, Rung
from anonymize.table import file_digest, write_parquet
from anonymize.techniques.dependence import cramers_v
from hub.demo.tables import write_elder_care, write_fair
from tests.anonymize_cases import (
    AGE,
    DROP,
    KEEP,
    KEY,
    NOW,
    OTHER_KEY,
    PSEUDONYM,
    QUASI_DROPPED,
    QUASI_KEPT,
    SENSITIVE,
    policy_of,
)

POLICIES = Path(__file__).parents[2] / "hub" / "demo" / "policies"
TABLES: dict[str, Callable[[Path], object]] = {"fair": write_fair, "mz_elder_care": write_elder_care}
QUASI = {
    "fair": ["age", "yrs_married", "children", "educ", "occupation", "occupation_husb"],
    "mz_elder_care": ["birth_date", "gender", "street_code"],
}
TOLERANCE = {"fair": (0.04, 0.12), "mz_elder_care": (0.03, 0.09)}
"""Change of Cramér's V over all pairs of columns: mean and largest."""

Ladder = dict[Rung, Extracted]


@pytest.fixture(scope="module", params=list(TABLES))
def table(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def source(table: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raw") / f"{table}.csv"
    TABLES[table](path)
    return path


@pytest.fixture(scope="module")
def policy(table: str) -> AnonymizationPolicy:
    return load_policy(POLICIES / f"{table}.toml")


@pytest.fixture(scope="module")
def ladder(source: Path, policy: AnonymizationPolicy, tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    folder = tmp_path_factory.mktemp("ladder")
    return {rung: _rung(rung, source, policy, folder / str(rung)) for rung in Rung}


def _rung(
    rung: Rung, source: Path, policy: AnonymizationPolicy, out: Path, *, key: bytes = KEY, rows: int | None = None
) -> Extracted:
    return build_rung(rung=rung, source=source, policy=policy, key=key, out_dir=out, created_at=NOW, rows=rows)


def _frames(ladder: Ladder) -> dict[Rung, pl.DataFrame]:
    return {rung: pl.read_parquet(made.extract_path) for rung, made in ladder.items()}


def _notebook(frame: pl.DataFrame, group: str, value: str) -> pl.DataFrame:
    """What an analyst writes: counts and shares by group, rare groups left out."""
    return (
        frame.group_by(group, value)
        .agg(pl.len().alias("n"))
        .with_columns((pl.col("n") / pl.col("n").sum().over(group)).alias("share"))
        .filter(pl.col("n") >= 10)
        .sort(group, value)
    )


def test_schema_is_the_same_on_all_rungs(ladder: Ladder) -> None:
    frames = _frames(ladder)
    assert {tuple(frame.schema.items()) for frame in frames.values()} == {tuple(frames[Rung.FULL].schema.items())}
    assert len({made.manifest["schema"] for made in ladder.values()}) == 1
    levels = [{c["name"]: (c["type"], c["level"]) for c in made.manifest["columns"]} for made in ladder.values()]
    assert all(each == levels[0] for each in levels)


def test_labels_below_are_labels_of_the_full_extract(ladder: Ladder, table: str) -> None:
    frames = _frames(ladder)
    for rung in (Rung.SYNTHETIC, Rung.SAMPLED):
        for name in QUASI[table]:
            assert set(frames[rung][name]) <= set(frames[Rung.FULL][name]), (rung, name)


@pytest.mark.parametrize("rung", list(Rung))
def test_code_of_a_notebook_runs_unchanged_on_every_rung(ladder: Ladder, table: str, rung: Rung) -> None:
    group, value = {"fair": ("age", "rate_marriage"), "mz_elder_care": ("street_code", "care_level")}[table]
    shown = _notebook(pl.read_parquet(ladder[rung].extract_path), group, value)
    assert shown.columns == [group, value, "n", "share"]
    assert (shown.height > 0) is (rung is not Rung.METADATA)


def test_full_rung_is_the_extract_as_it_always_was(
    ladder: Ladder, source: Path, policy: AnonymizationPolicy, tmp_path: Path
) -> None:
    made = build_extract(source=source, policy=policy, key=KEY, out_dir=tmp_path / "out", created_at=NOW)
    assert made.manifest == ladder[Rung.FULL].manifest
    assert file_digest(made.extract_path) == file_digest(ladder[Rung.FULL].extract_path)


@pytest.mark.parametrize("rung", list(Rung))
def test_same_inputs_give_the_same_digest_and_another_key_another(
    ladder: Ladder, source: Path, policy: AnonymizationPolicy, tmp_path: Path, rung: Rung
) -> None:
    again = _rung(rung, source, policy, tmp_path / "again")
    other = _rung(rung, source, policy, tmp_path / "other", key=OTHER_KEY)
    digests = [made.manifest["digests"]["extract"] for made in (ladder[rung], again, other)]
    assert digests[0] == digests[1] == file_digest(again.extract_path)
    assert (digests[0] == digests[2]) is (rung is Rung.METADATA)


def test_sample_is_a_tenth_at_most_and_part_of_the_full_extract(ladder: Ladder) -> None:
    full, sampled = (pl.read_parquet(ladder[rung].extract_path) for rung in (Rung.FULL, Rung.SAMPLED))
    assert 0.08 * full.height <= sampled.height <= 0.1 * full.height
    counts = [
        frame.group_by(pl.all()).len("rows").rename({"rows": name})
        for name, frame in (("all", full), ("some", sampled))
    ]
    both = counts[1].join(counts[0], on=full.columns, how="left", nulls_equal=True)
    assert both.filter(pl.col("all").is_null() | (pl.col("some") > pl.col("all"))).height == 0


def test_k_holds_in_the_sample_and_the_manifest_says_both_risks(
    ladder: Ladder, policy: AnonymizationPolicy, table: str
) -> None:
    full, sampled = (pl.read_parquet(ladder[rung].extract_path) for rung in (Rung.FULL, Rung.SAMPLED))
    sizes = sampled.group_by(QUASI[table]).len("drawn").join(full.group_by(QUASI[table]).len("whole"), on=QUASI[table])
    said = ladder[Rung.SAMPLED].manifest
    assert sizes["drawn"].min() == said["risk"]["after"]["k"] >= policy.target.k
    assert said["risk"]["after"]["prosecutor_max"] == 1 / sizes["drawn"].min()
    population = said["sample"]["population"]
    assert population["k_map"] == sizes["whole"].min()
    assert population["journalist_max"] == 1 / sizes["whole"].min()
    assert population["marketer"] == pytest.approx((sizes["drawn"] / sizes["whole"]).sum() / sampled.height)
    if policy.target.l is not None:
        assert all(value >= policy.target.l for value in said["risk"]["after"]["l"].values())


def test_every_row_has_about_the_same_chance_of_being_drawn(source: Path, table: str, tmp_path: Path) -> None:
    """Over 12 keys, large and small classes come about as often: no class is in every sample or in none by rule."""
    policy = load_policy(POLICIES / f"{table}.toml")
    drawn: list[pl.DataFrame] = []
    for number in range(12):
        key = hashlib.sha256(bytes([number])).digest()
        made = _rung(Rung.SAMPLED, source, policy, tmp_path / f"{number}", key=key)
        drawn.append(pl.read_parquet(made.extract_path).group_by(QUASI[table]).len("drawn"))
    full = pl.read_parquet(_rung(Rung.FULL, source, policy, tmp_path / "full").extract_path)
    classes = full.group_by(QUASI[table]).len("whole")
    sums = pl.concat(drawn).group_by(QUASI[table]).agg(pl.col("drawn").sum())
    classes = classes.join(sums, on=QUASI[table], how="left").fill_null(0)
    middle = classes["whole"].median()
    rates = [
        float(part["drawn"].sum()) / (12 * float(part["whole"].sum()))
        for part in (classes.filter(pl.col("whole") <= middle), classes.filter(pl.col("whole") > middle))
    ]
    assert rates[0] == pytest.approx(rates[1], rel=0.25)
    assert all(0.07 < rate <= 0.11 for rate in rates)


def test_synthetic_rows_hold_nothing_rare_nothing_unique_and_no_pseudonym(
    ladder: Ladder, policy: AnonymizationPolicy
) -> None:
    full, made = (pl.read_parquet(ladder[rung].extract_path) for rung in (Rung.FULL, Rung.SYNTHETIC))
    pseudonyms = [
        column["name"] for column in ladder[Rung.FULL].manifest["columns"] if column["technique"] == "pseudonymize"
    ]
    for name in full.columns:
        counts = full[name].value_counts(name="rows")
        banned = counts if name in pseudonyms else counts.filter(pl.col("rows") < policy.target.k)
        assert set(made[name].drop_nulls()).isdisjoint(banned[name].to_list()), name
    others = [name for name in full.columns if name not in pseudonyms]
    unique = full.select(others).filter(full.select(others).is_unique())
    assert unique.height > 0
    assert made.join(unique, on=others, how="semi", nulls_equal=True).height == 0


def test_made_up_pseudonyms_have_the_form_and_the_repeats_of_the_real(tmp_path: Path) -> None:
    """Every person twice in the extract: twice among the made-up rows too, in codes of the same length."""
    rows = 400
    frame = pl.DataFrame({"id": [f"p{n // 2}" for n in range(rows)], "age": [30 + n % 20 for n in range(rows)]})
    frame.write_parquet(tmp_path / "t.parquet")
    made = _rung(Rung.SYNTHETIC, tmp_path / "t.parquet", policy_of({"id": PSEUDONYM, "age": AGE}), tmp_path / "out")
    codes = pl.read_parquet(made.extract_path)["id"]
    assert set(codes.str.len_chars()) == {32}
    assert set(codes.value_counts()["count"]) == {2}
    assert codes.str.contains("^[0-9a-f]+$").all()


def test_made_up_persons_join_the_tables_of_one_licence(tmp_path: Path) -> None:
    columns = {"id": PSEUDONYM, "age": AGE}
    codes = []
    for name, start in (("one", 0), ("two", 1000)):
        frame = pl.DataFrame({"id": [f"{start + n}" for n in range(100)], "age": [30 + n % 20 for n in range(100)]})
        frame.write_parquet(tmp_path / f"{name}.parquet")
        made = _rung(Rung.SYNTHETIC, tmp_path / f"{name}.parquet", policy_of(columns), tmp_path / name)
        codes.append(set(pl.read_parquet(made.extract_path)["id"]))
    assert codes[0] == codes[1]


def test_ties_between_columns_survive_within_the_tolerance(ladder: Ladder, table: str) -> None:
    """Counted on the written files, apart from the manifest's own figures."""
    full, made = (pl.read_parquet(ladder[rung].extract_path) for rung in (Rung.FULL, Rung.SYNTHETIC))
    names = [name for name in full.columns if full[name].n_unique() <= 40]
    changes = [abs(_v(full, pair) - _v(made, pair)) for pair in combinations(names, 2)]
    mean, largest = TOLERANCE[table]
    assert np.mean(changes) <= mean
    assert max(changes) <= largest
    said = ladder[Rung.SYNTHETIC].manifest["synthetic"]["fidelity"]
    assert said["mean_change"] <= mean
    assert said["largest_change"] <= largest
    assert all(column["distance"] <= 0.06 for column in said["columns"].values())


def _v(frame: pl.DataFrame, pair: tuple[str, str]) -> float:
    counted = frame.group_by(pair).len("n").pivot(pair[1], index=pair[0], values="n").fill_null(0)
    return cramers_v(counted.drop(pair[0]).to_numpy().astype(float))


def test_metadata_rung_holds_no_row_and_rounds_what_it_counts(ladder: Ladder) -> None:
    made = ladder[Rung.METADATA]
    assert pl.read_parquet(made.extract_path).height == made.rows == made.k == 0
    assert made.manifest["rows"]["in"] % 10 == 0
    assert made.manifest["risk"]["before"] is None
    assert made.manifest["dictionary"]["null_share"].keys() == pl.read_parquet(made.extract_path).schema.keys()


@pytest.mark.parametrize("rung", [Rung.METADATA, Rung.SYNTHETIC, Rung.SAMPLED])
def test_report_says_its_rung_in_both_languages(ladder: Ladder, rung: Rung) -> None:
    text = ladder[rung].report_path.read_text(encoding="utf-8").replace("&#39;", "'")
    assert RUNG_WARNINGS[rung].zh in text
    assert RUNG_WARNINGS[rung].en in text
    assert all(sentence[g] in text for sentence in ladder[rung].manifest["not_claimed"] for g in ("zh", "en"))


def test_every_word_of_the_lower_rungs_is_in_one_of_their_reports(ladder: Ladder) -> None:
    text = "".join(made.report_path.read_text(encoding="utf-8") for made in ladder.values()).replace("&#39;", "'")
    unseen = {"withheld", "left_out"}
    assert [name for name, word in LADDER_WORDS.items() if name not in unseen and word.zh not in text] == []
    assert [name for name, word in LADDER_WORDS.items() if name not in unseen and word.en not in text] == []


def test_rungs_without_real_rows_claim_no_grade(ladder: Ladder) -> None:
    grades = {rung: made.manifest["grade"]["grade"] for rung, made in ladder.items()}
    assert grades == {Rung.METADATA: None, Rung.SYNTHETIC: None, Rung.SAMPLED: 3, Rung.FULL: 3}


PEOPLE = pl.DataFrame(
    {
        "id": [f"p{number}" for number in range(300)],
        "name": [f"name-{number}" for number in range(300)],
        "age": [20 + number * 7 % 23 for number in range(300)],
        "illness": ["flu", "cold", "none", "asthma", "gout"] * 60,
    }
)
COLUMNS: dict[str, Any] = {"id": PSEUDONYM, "name": DROP, "age": AGE, "illness": SENSITIVE}


def _people(
    folder: Path, rung: Rung, *, rows: int | None = None, frame: pl.DataFrame = PEOPLE, k: int = 5
) -> Extracted:
    frame.write_parquet(folder / "s.parquet")
    return _rung(rung, folder / "s.parquet", policy_of(COLUMNS, k=k), folder / "out", rows=rows)


def _refusal(folder: Path, rung: Rung, **how: Any) -> AnonymizeError:
    with pytest.raises(AnonymizeError) as refused:
        _people(folder, rung, **how)
    assert sorted(path.name for path in folder.iterdir()) == ["s.parquet"]
    assert refused.value.next_step.zh
    return refused.value


@pytest.mark.parametrize("rung", [Rung.METADATA, Rung.FULL])
def test_number_of_rows_is_refused_where_the_source_decides_it(tmp_path: Path, rung: Rung) -> None:
    assert _refusal(tmp_path, rung, rows=10).code == "rung.rows_not_for"


@pytest.mark.parametrize("rows", [0, 31])
def test_sample_beyond_a_tenth_or_of_nothing_is_refused(tmp_path: Path, rows: int) -> None:
    refused = _refusal(tmp_path, Rung.SAMPLED, rows=rows)
    assert isinstance(refused, BadInput)
    assert refused.code == "sample.rows_not_allowed"


def test_sample_of_a_tenth_is_allowed(tmp_path: Path) -> None:
    made = _people(tmp_path, Rung.SAMPLED, rows=30)
    assert 5 <= made.rows <= 30
    assert made.manifest["sample"]["asked"] == 30


def test_sample_that_holds_no_class_of_k_rows_is_refused(tmp_path: Path) -> None:
    refused = _refusal(tmp_path, Rung.SAMPLED, rows=19, k=20)
    assert isinstance(refused, TargetNotMet)
    assert refused.code == "sample.too_small"


@pytest.mark.parametrize("rows", [0, 50_001])
def test_synthetic_rows_without_measure_are_refused(tmp_path: Path, rows: int) -> None:
    assert _refusal(tmp_path, Rung.SYNTHETIC, rows=rows).code == "synthetic.rows_not_allowed"


def test_synthetic_rows_may_be_more_than_the_table_has(tmp_path: Path) -> None:
    assert _people(tmp_path, Rung.SYNTHETIC, rows=1000).rows == 1000


def test_values_of_single_rows_are_withheld_and_their_column_stays(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"age": [30] * 200, "x": [None] * 100 + [f"v{number}" for number in range(100)], "y": [1, 2] * 100}
    )
    frame.write_parquet(tmp_path / "s.parquet")
    policy = policy_of({"age": AGE, "x": KEEP, "y": KEEP}, k=3)
    made = _rung(Rung.SYNTHETIC, tmp_path / "s.parquet", policy, tmp_path / "out")
    column = pl.read_parquet(made.extract_path)["x"]
    assert column.dtype == pl.String
    assert column.null_count() == len(column) == made.rows


def test_nulls_come_at_their_rate(tmp_path: Path) -> None:
    frame = pl.DataFrame({"age": [30] * 1000, "x": ["a", "b", "c", None] * 250})
    frame.write_parquet(tmp_path / "s.parquet")
    policy = policy_of({"age": AGE, "x": KEEP}, k=3)
    column = pl.read_parquet(_rung(Rung.SYNTHETIC, tmp_path / "s.parquet", policy, tmp_path / "out").extract_path)["x"]
    assert 0.2 <= column.null_count() / len(column) <= 0.3


def test_extract_of_unique_rows_alone_is_not_imitated(tmp_path: Path) -> None:
    """Two columns of five values, each pair held by one row: whatever is drawn is a copy, so nothing is written."""
    frame = pl.DataFrame({"q": ["x"] * 25, "a": [n // 5 for n in range(25)], "b": [n % 5 for n in range(25)]})
    frame.write_parquet(tmp_path / "s.parquet")
    columns = {"q": QUASI_KEPT, "a": SENSITIVE, "b": SENSITIVE}
    with pytest.raises(TargetNotMet) as refused:
        _rung(Rung.SYNTHETIC, tmp_path / "s.parquet", policy_of(columns, k=5), tmp_path / "out")
    assert refused.value.code == "synthetic.only_copies"
    assert not (tmp_path / "out").exists()


def test_table_whose_only_released_column_is_a_pseudonym_climbs_the_ladder(tmp_path: Path) -> None:
    PEOPLE.select("id", "age").write_parquet(tmp_path / "s.parquet")
    policy = policy_of({"id": PSEUDONYM, "age": QUASI_DROPPED}, k=5)
    for rung in Rung:
        made = _rung(rung, tmp_path / "s.parquet", policy, tmp_path / str(rung))
        assert pl.read_parquet(made.extract_path).columns == ["id"]
    assert _rung(Rung.SAMPLED, tmp_path / "s.parquet", policy, tmp_path / "again").k == 30


def test_interrupted_rung_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(step: str, share: float) -> None:
        if step == "verify":
            raise KeyboardInterrupt

    PEOPLE.write_parquet(tmp_path / "s.parquet")
    with pytest.raises(KeyboardInterrupt):
        build_rung(
            rung=Rung.SAMPLED, source=tmp_path / "s.parquet", policy=policy_of(COLUMNS, k=5), key=KEY,
            out_dir=tmp_path / "out", created_at=NOW, progress=interrupt,
        )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["s.parquet"]


def _real_row(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(illness=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("rare")).otherwise("illness"))


@pytest.mark.parametrize(
    ("rung", "spoil"),
    [
        (Rung.SYNTHETIC, lambda frame: frame.with_columns(id=pl.lit("x"), more=pl.lit(1))),
        (Rung.SYNTHETIC, _real_row),
        (Rung.METADATA, lambda frame: PEOPLE.select(frame.columns).head(1)),
        (Rung.SAMPLED, lambda frame: frame.head(7)),
        (Rung.SAMPLED, lambda frame: frame.with_columns(age=pl.int_range(pl.len()))),
    ],
)
def test_written_rung_is_verified_and_not_the_table_in_memory(
    tmp_path: Path, rung: Rung, spoil: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    def tamper(step: str, share: float) -> None:
        if step == "verify":
            (written,) = tmp_path.glob(".out.*/out/extract.parquet")
            write_parquet(spoil(pl.read_parquet(written)), written)

    frame = PEOPLE.with_columns(
        illness=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("rare")).otherwise(pl.col("illness"))
    )
    frame.write_parquet(tmp_path / "s.parquet")
    with pytest.raises(TargetNotMet) as refused:
        build_rung(
            rung=rung, source=tmp_path / "s.parquet", policy=policy_of(COLUMNS, k=5), key=KEY,
            out_dir=tmp_path / "out", created_at=NOW, progress=tamper,
        )  # fmt: skip
    assert refused.value.code == "extract.verify_failed"
    assert [path.name for path in tmp_path.iterdir()] == ["s.parquet"]


def test_copy_of_a_unique_row_in_the_written_file_is_refused(tmp_path: Path) -> None:
    """Both values are common, the pair is held by one row."""
    pairs = [(a, b) for a in range(5) for b in range(5) for _ in range(1 if a == b == 4 else 10)]
    frame = pl.DataFrame({"q": ["x"] * len(pairs), "a": [a for a, _ in pairs], "b": [b for _, b in pairs]})
    frame.write_parquet(tmp_path / "s.parquet")

    def tamper(step: str, share: float) -> None:
        if step == "verify":
            (written,) = tmp_path.glob(".out.*/out/extract.parquet")
            made = pl.read_parquet(written)
            assert made.filter((pl.col("a") == 4) & (pl.col("b") == 4)).height == 0
            write_parquet(made.with_columns(a=pl.lit(4).cast(pl.Int64), b=pl.lit(4).cast(pl.Int64)), written)

    with pytest.raises(TargetNotMet) as refused:
        build_rung(
            rung=Rung.SYNTHETIC, source=tmp_path / "s.parquet", key=KEY, out_dir=tmp_path / "out", created_at=NOW,
            policy=policy_of({"q": QUASI_KEPT, "a": SENSITIVE, "b": SENSITIVE}, k=5), progress=tamper,
        )  # fmt: skip
    assert refused.value.code == "extract.verify_failed"
    assert [path.name for path in tmp_path.iterdir()] == ["s.parquet"]


@pytest.mark.parametrize("rung", list(Rung))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_command_builds_every_rung(tmp_path: Path, rung: Rung, language: str) -> None:
    write_fair(tmp_path / "fair.csv")
    (tmp_path / "key").write_bytes(KEY)
    command = ["anonymize", str(tmp_path / "fair.csv"), "--policy", str(POLICIES / "fair.toml"), "--rung", str(rung)]
    command += ["--key-file", str(tmp_path / "key"), "--language", language]
    said = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "words")])
    answer = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "json"), "--json"])
    assert said.exit_code == answer.exit_code == 0
    told = json.loads(answer.output)
    assert told["rung"] == str(rung)
    assert told["digests"]["extract"] in said.output
    assert RUNG_WARNINGS[rung].in_language("zh" if language == "zh" else "en") in said.output or rung in (
        Rung.SAMPLED,
        Rung.FULL,
    )


def test_command_refuses_rows_where_none_may_be_asked(tmp_path: Path) -> None:
    write_fair(tmp_path / "fair.csv")
    command = ["anonymize", str(tmp_path / "fair.csv"), "--policy", str(POLICIES / "fair.toml"), "--rows", "9"]
    result = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 23
    assert json.loads(result.stdout)["refused"]["code"] == "rung.rows_not_for"


def test_neither_manifest_nor_report_of_a_lower_rung_holds_a_cell(tmp_path: Path) -> None:
    frame = PEOPLE.with_columns(illness=pl.col("illness").replace({"flu": "Q7x", "cold": "Z9w"}))
    frame.write_parquet(tmp_path / "s.parquet")
    for rung in Rung:
        made = _rung(rung, tmp_path / "s.parquet", policy_of(COLUMNS, k=5), tmp_path / str(rung))
        shown = made.manifest_path.read_text() + made.report_path.read_text()
        cells = ["name-1", "Q7x", "Z9w", "asthma", "gout", *pl.read_parquet(made.extract_path)["id"]]
        assert [cell for cell in cells if cell in shown] == []
        assert KEY.hex() not in shown


def test_measured_classes_of_the_sample_are_those_said(ladder: Ladder, table: str) -> None:
    sampled = pl.read_parquet(ladder[Rung.SAMPLED].extract_path)
    assert measure_classes(sampled, QUASI[table]).count == ladder[Rung.SAMPLED].manifest["sample"]["classes"]
