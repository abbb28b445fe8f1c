"""From a file to an extract: what is written, what is refused, and that a refusal leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anonymize.errors import AnonymizeError, BadInput, NotFound, TargetNotMet
from anonymize.pipeline import build_extract, verify_extract
from anonymize.policy import AnonymizationPolicy, load_policy
from anonymize.privacy.classes import measure_classes
from anonymize.table import file_digest, write_parquet
from anonymize.text import Text
from anonymize.transform import plan_levels, remove_unsafe_rows, transform_quasi
from hub.demo.tables import write_fair
from tests.anonymize_cases import (
    AGE,
    DROP,
    KEEP,
    KEY,
    NOW,
    PSEUDONYM,
    QUASI_DROPPED,
    QUASI_KEPT,
    SENSITIVE,
    TOWN,
    extract_of,
    generalized,
    policy_of,
)

PROJECT = Path(__file__).parents[2]
FAIR_POLICY = PROJECT / "hub" / "demo" / "policies" / "fair.toml"

PEOPLE = pl.DataFrame(
    {
        "name": [f"name-{number}" for number in range(40)],
        "id": [f"99010719800101{number:04}" for number in range(40)],
        "age": [20 + number * 7 % 23 for number in range(40)],
        "town": ["a1", "a2", "b1", "b2"] * 10,
        "illness": ["flu", "cold", "none", "asthma", "gout"] * 8,
        "visits": [number % 7 for number in range(40)],
    }
)
COLUMNS: dict[str, Any] = {
    "name": DROP,
    "id": PSEUDONYM,
    "age": AGE,
    "town": TOWN,
    "illness": SENSITIVE,
    "visits": KEEP,
}
POLICY = policy_of(COLUMNS, k=5, l=2, suppression_limit=0.1)


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _refusal(frame: pl.DataFrame, policy: AnonymizationPolicy, folder: Path) -> AnonymizeError:
    with pytest.raises(AnonymizeError) as refused:
        extract_of(frame, policy, folder)
    assert _left(folder) == ["source.parquet"]
    assert refused.value.next_step.zh
    return refused.value


def _one_column(values: list[Any], rule: Mapping[str, Any], folder: Path, **target: Any) -> AnonymizeError:
    frame = pl.DataFrame({"q": ["a"] * len(values), "x": pl.Series(values, strict=False)})
    return _refusal(frame, policy_of({"q": QUASI_KEPT, "x": rule}, **target), folder)


def test_extract_holds_exactly_the_released_columns_in_the_tables_order(tmp_path: Path) -> None:
    made = extract_of(PEOPLE, POLICY, tmp_path)
    written = pl.read_parquet(made.extract_path)
    assert written.columns == ["id", "age", "town", "illness", "visits"]
    assert _left(tmp_path / "out") == ["extract.parquet", "manifest.json", "report.html"]
    assert _left(tmp_path) == ["out", "source.parquet"]
    assert made.rows == written.height
    assert made.k == measure_classes(written, ["age", "town"]).k >= 5


def test_manifest_on_disk_is_canonical_and_its_digests_are_true(tmp_path: Path) -> None:
    made = extract_of(PEOPLE, POLICY, tmp_path)
    content = made.manifest_path.read_bytes()
    manifest = json.loads(content)
    canonical = json.dumps(manifest, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    assert content == canonical
    assert manifest == made.manifest
    assert manifest["digests"] == {
        "source": file_digest(tmp_path / "source.parquet"),
        "policy": POLICY.digest,
        "extract": file_digest(made.extract_path),
        "report": hashlib.sha256(made.report_path.read_bytes()).hexdigest(),
    }
    assert manifest["rows"] == {"in": 40, "out": made.rows, "suppressed": 40 - made.rows}
    assert manifest["risk"]["before"]["k"] == 1
    assert manifest["created_at"] == "2026-11-01T08:00:00+00:00"


def test_neither_manifest_nor_report_holds_a_cell_or_the_key(tmp_path: Path) -> None:
    people = PEOPLE.with_columns(town=pl.col("town").replace({"a1": "Q7x", "b1": "Z9w"}))
    made = extract_of(people, POLICY, tmp_path)
    shown = made.manifest_path.read_text() + made.report_path.read_text()
    cells = ["name-1", "990107198001010001", "Q7x", "Z9w", "asthma", "gout", *pl.read_parquet(made.extract_path)["id"]]
    assert [cell for cell in cells if cell in shown] == []
    assert KEY.hex() not in shown


def test_released_columns_do_not_follow_the_order_of_the_source(tmp_path: Path) -> None:
    written = pl.read_parquet(extract_of(PEOPLE, POLICY, tmp_path).extract_path)
    assert written["visits"].to_list() != PEOPLE["visits"].to_list()[: written.height]


def test_title_and_progress_reach_their_reader(tmp_path: Path) -> None:
    PEOPLE.write_parquet(tmp_path / "s.parquet")
    told: list[tuple[str, float]] = []
    made = build_extract(
        source=tmp_path / "s.parquet",
        policy=POLICY,
        key=KEY,
        out_dir=tmp_path / "out",
        created_at=NOW,
        title=Text("就诊登记", "Visits"),
        progress=lambda step, share: told.append((step, share)),
    )
    assert "就诊登记" in made.report_path.read_text()
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[-1] == ("done", 1.0)


def test_empty_output_folder_is_filled_and_any_other_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    extract_of(PEOPLE, POLICY, tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(BadInput) as refused:
        extract_of(PEOPLE, POLICY, tmp_path)
    assert refused.value.code == "output.exists"
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert _left(tmp_path) == ["out", "source.parquet"]


def _build_while(folder: Path, act: Callable[[], object], *, at: str) -> BadInput:
    """The refusal of a build during whose step `at` something happens in its folder."""
    PEOPLE.write_parquet(folder / "s.parquet")

    def tell(step: str, share: float) -> None:
        if step == at:
            act()

    with pytest.raises(BadInput) as refused:
        build_extract(
            source=folder / "s.parquet",
            policy=POLICY,
            key=KEY,
            out_dir=folder / "out",
            created_at=NOW,
            progress=tell,
        )
    return refused.value


def test_source_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    refused = _build_while(tmp_path, lambda: PEOPLE.head(39).write_parquet(tmp_path / "s.parquet"), at="read")
    assert refused.code == "table.changed"
    assert _left(tmp_path) == ["s.parquet"]


def test_folder_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    def occupy() -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "other").touch()

    assert _build_while(tmp_path, occupy, at="verify").code == "output.not_written"
    assert _left(tmp_path) == ["out", "s.parquet"]
    assert _left(tmp_path / "out") == ["other"]


def test_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(step: str, share: float) -> None:
        if step == "verify":
            raise KeyboardInterrupt

    PEOPLE.write_parquet(tmp_path / "s.parquet")
    with pytest.raises(KeyboardInterrupt):
        build_extract(
            source=tmp_path / "s.parquet", policy=POLICY, key=KEY, out_dir=tmp_path / "out", created_at=NOW,
            progress=interrupt,
        )  # fmt: skip
    assert _left(tmp_path) == ["s.parquet"]


def test_search_and_measurement_that_disagree_are_both_refused() -> None:
    plan = plan_levels(POLICY, PEOPLE, table="t")
    released = transform_quasi(plan, PEOPLE)
    wrong = replace(plan, found=replace(plan.found, suppressed=plan.found.suppressed + 1))
    assert remove_unsafe_rows(POLICY, plan, source=PEOPLE, released=released, table="t").after.k >= 5
    with pytest.raises(TargetNotMet) as refused:
        remove_unsafe_rows(POLICY, wrong, source=PEOPLE, released=released, table="t")
    assert refused.value.code == "extract.verify_failed"


def test_released_table_that_misses_the_target_is_refused_whatever_the_plan_says() -> None:
    plan = plan_levels(POLICY, PEOPLE, table="t")
    with pytest.raises(TargetNotMet) as refused:
        remove_unsafe_rows(POLICY, plan, source=PEOPLE, released=PEOPLE, table="t")
    assert refused.value.code == "target.not_met"


def test_rows_beyond_the_limit_are_not_removed_silently() -> None:
    """Six of forty rows stand alone, and only four may go."""
    plan = plan_levels(POLICY, PEOPLE, table="t")
    released = transform_quasi(plan, PEOPLE)
    town = pl.when(pl.int_range(pl.len()) < 6).then(pl.col("name")).otherwise(pl.col("town"))
    with pytest.raises(TargetNotMet) as refused:
        remove_unsafe_rows(POLICY, plan, source=PEOPLE, released=released.with_columns(town=town), table="t")
    assert refused.value.code == "target.not_met"
    assert "6 of 40" in refused.value.text.en


def test_written_bytes_are_verified_and_not_the_table_in_memory(tmp_path: Path) -> None:
    def tamper(step: str, share: float) -> None:
        if step == "verify":
            (written,) = tmp_path.glob(".out.*/out/extract.parquet")
            frame = pl.read_parquet(written)
            write_parquet(frame.with_columns(age=pl.int_range(pl.len()).cast(pl.String)), written)

    PEOPLE.write_parquet(tmp_path / "s.parquet")
    with pytest.raises(TargetNotMet) as refused:
        build_extract(
            source=tmp_path / "s.parquet",
            policy=POLICY,
            key=KEY,
            out_dir=tmp_path / "out",
            created_at=NOW,
            progress=tamper,
        )
    assert refused.value.code == "extract.verify_failed"
    assert _left(tmp_path) == ["s.parquet"]


def test_every_technique_reaches_the_written_file(tmp_path: Path) -> None:
    columns = {
        **COLUMNS,
        "illness": KEEP,
        "name": {**KEEP, "technique": "mask", "params": {"keep_start": 4, "keep_end": 0}},
        "visits": {**SENSITIVE, "technique": "generalize", "params": {"kind": "bands", "widths": [5], "level": 1}},
    }
    made = extract_of(PEOPLE, policy_of(columns, k=5, l=2, suppression_limit=0.2), tmp_path)
    written = pl.read_parquet(made.extract_path)
    assert set(written["name"]) == {"name***"}
    assert set(written["visits"]) == {"0-4", "5-9"}
    assert set(written["illness"]) == set(PEOPLE["illness"])
    described = {column["name"]: column for column in made.manifest["columns"]}
    assert (described["visits"]["level"], described["visits"]["levels"]) == (1, 3)


def test_missing_parent_folder_is_refused(tmp_path: Path) -> None:
    PEOPLE.write_parquet(tmp_path / "s.parquet")
    with pytest.raises(BadInput) as refused:
        build_extract(
            source=tmp_path / "s.parquet", policy=POLICY, key=KEY, out_dir=tmp_path / "no" / "out", created_at=NOW
        )
    assert refused.value.code == "output.not_written"


def test_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        build_extract(
            source=tmp_path / "s",
            policy=POLICY,
            key=KEY,
            out_dir=tmp_path / "out",
            created_at=datetime(2026, 1, 1),  # noqa: DTZ001
        )


def test_missing_table_is_not_found_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        build_extract(source=tmp_path / "no", policy=POLICY, key=KEY, out_dir=tmp_path / "out", created_at=NOW)
    assert _left(tmp_path) == []


def test_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        extract_of(PEOPLE, POLICY, tmp_path, key=b"short")
    assert refused.value.code == "key.too_short"


def test_column_the_policy_is_silent_about_is_refused_by_name(tmp_path: Path) -> None:
    refused = _refusal(PEOPLE.with_columns(extra=pl.lit("x")), POLICY, tmp_path)
    assert (refused.code, refused.subject) == ("policy.column_unnamed", "source.parquet:extra")


def test_policy_that_names_a_missing_column_is_refused_by_name(tmp_path: Path) -> None:
    refused = _refusal(PEOPLE.drop("visits"), POLICY, tmp_path)
    assert (refused.code, refused.subject) == ("policy.column_missing", "source.parquet:visits")


def test_k_above_the_rows_of_the_table_is_refused(tmp_path: Path) -> None:
    refused = _refusal(PEOPLE.head(4), POLICY, tmp_path)
    assert isinstance(refused, TargetNotMet)
    assert (refused.code, refused.exit_code) == ("target.table_too_small", 24)


def test_one_row_is_refused(tmp_path: Path) -> None:
    assert _refusal(PEOPLE.head(1), POLICY, tmp_path).code == "target.table_too_small"


def test_table_without_rows_is_refused(tmp_path: Path) -> None:
    assert _refusal(PEOPLE.clear(), POLICY, tmp_path).code == "table.no_rows"


def test_target_out_of_reach_is_refused_with_the_rows_it_would_take(tmp_path: Path) -> None:
    columns = {**COLUMNS, "age": QUASI_KEPT, "town": QUASI_KEPT}
    refused = _refusal(PEOPLE, policy_of(columns, k=6, suppression_limit=0.1), tmp_path)
    assert isinstance(refused, TargetNotMet)
    assert refused.code == "target.not_met"
    assert "40 of 40" in refused.text.en


def test_suppression_limit_is_exact(tmp_path: Path) -> None:
    """One of 20 rows stands alone: 5 % allows it to go, a hair less does not."""
    frame = pl.DataFrame({"q": ["a"] * 19 + ["b"], "x": [1] * 20})
    columns = {"q": QUASI_KEPT, "x": KEEP}
    made = extract_of(frame, policy_of(columns, k=2, suppression_limit=0.05), tmp_path / "yes")
    assert made.manifest["rows"]["suppressed"] == 1
    assert _refusal(frame, policy_of(columns, k=2, suppression_limit=0.0499), tmp_path / "no").code == "target.not_met"


def test_dropped_quasi_identifiers_count_before_and_not_after(tmp_path: Path) -> None:
    columns = {**COLUMNS, "age": QUASI_DROPPED, "town": QUASI_DROPPED}
    made = extract_of(PEOPLE, policy_of(columns, k=40), tmp_path)
    assert (made.k, made.manifest["risk"]["before"]["k"]) == (40, 1)


@pytest.mark.parametrize(
    ("values", "rule", "code"),
    [
        ([None] * 30, KEEP, "column.all_null"),
        ([float("nan")] + [1.0] * 29, SENSITIVE, "column.not_finite"),
        ([float("inf")] + [1.0] * 29, SENSITIVE, "column.not_finite"),
        ([[1, 2]] * 30, KEEP, "column.not_scalar"),
        ([{"a": 1}] * 30, KEEP, "column.not_scalar"),
        ([b"x"] * 30, KEEP, "column.not_scalar"),
        (["12", "x7"] * 15, generalized(kind="bands", widths=[5]), "column.not_a_number"),
        (["2024-02-30", "2024-02-01"] * 15, generalized(kind="dates", steps=["month"]), "column.invalid_date"),
        (["a", "b"] * 15, generalized(kind="groups", levels=[{"A": ["a"]}]), "column.not_in_hierarchy"),
        ([f"row-{number}" for number in range(30)], KEEP, "policy.unique_column"),
        (list(range(30)), SENSITIVE, "policy.unique_column"),
        ([1.5] * 30, PSEUDONYM, "column.not_an_identifier"),
    ],
)
def test_bad_column_is_refused_by_name(tmp_path: Path, values: list[Any], rule: dict[str, Any], code: str) -> None:
    refused = _one_column(values, rule, tmp_path, k=2)
    assert (refused.code, refused.subject) == (code, "source.parquet:x")
    assert refused.exit_code == 23


def test_bad_column_does_not_matter_when_it_is_dropped(tmp_path: Path) -> None:
    frame = pl.DataFrame({"q": ["a"] * 30, "x": [None] * 30, "y": [[1]] * 30, "z": [float("nan")] * 30})
    made = extract_of(frame, policy_of({"q": QUASI_KEPT, "x": DROP, "y": DROP, "z": DROP}), tmp_path)
    assert pl.read_parquet(made.extract_path).columns == ["q"]


def test_numbers_of_people_are_found_whatever_the_policy_calls_them(tmp_path: Path) -> None:
    """Two citizen numbers with right check digits, under a name and class that say nothing of it."""
    values = ["990107198001010012", "990107198001010039"] * 15
    refused = _one_column(values, KEEP, tmp_path, k=2)
    assert (refused.code, refused.subject) == ("policy.identifiers_left", "source.parquet:x")
    assert values[0] not in refused.sentence("zh") + refused.sentence("en")


def test_altered_extract_does_not_verify(tmp_path: Path) -> None:
    made = extract_of(PEOPLE, POLICY, tmp_path)
    written = pl.read_parquet(made.extract_path)
    promised = measure_classes(written, ["age", "town"], ["illness"])
    verify_extract(made.extract_path, policy=POLICY, promised=promised)
    alterations = {
        "a row more": pl.concat([written, written.head(1).with_columns(town=pl.lit("c*"))]),
        "a row less": written.head(written.height - 1),
        "a column more": written.with_columns(name=pl.lit("x")),
        "a column less": written.drop("visits"),
        "one sensitive value": written.with_columns(illness=pl.lit("flu")),
    }
    for altered in alterations.values():
        write_parquet(altered, tmp_path / "altered.parquet")
        with pytest.raises(TargetNotMet) as refused:
            verify_extract(tmp_path / "altered.parquet", policy=POLICY, promised=promised)
        assert refused.value.code == "extract.verify_failed"


def test_promise_below_the_target_does_not_verify(tmp_path: Path) -> None:
    made = extract_of(PEOPLE, POLICY, tmp_path)
    promised = measure_classes(pl.read_parquet(made.extract_path), ["age", "town"], ["illness"])
    stricter = policy_of(COLUMNS, k=promised.k + 1)
    more_diverse = policy_of(COLUMNS, k=2, l=promised.l["illness"] + 1)
    for policy in (stricter, more_diverse):
        with pytest.raises(TargetNotMet):
            verify_extract(made.extract_path, policy=policy, promised=promised)


_FULL_DISK = """
import resource, sys
from pathlib import Path
from anonymize.errors import BadInput
from anonymize.pipeline import build_extract
from anonymize.policy import load_policy
from tests.anonymize_cases import KEY, NOW
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
folder = Path(sys.argv[1])
try:
    build_extract(source=folder / "fair.csv", policy=load_policy(Path(sys.argv[2])), key=KEY,
                  out_dir=folder / "out", created_at=NOW)
except BadInput as refused:
    print(refused.code)
"""


@pytest.mark.parametrize("room", [0, 4096, 24_000])
def test_full_disk_in_mid_write_is_refused_and_leaves_nothing(tmp_path: Path, room: int) -> None:
    """The kernel refuses to let any file grow past `room` bytes: nothing at all, part of the table, or the report."""
    write_fair(tmp_path / "fair.csv")
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path), str(FAIR_POLICY), str(room)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "output.not_written", done.stderr[-2000:]
    assert _left(tmp_path) == ["fair.csv"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != room


def test_survey_extract_is_useful_and_safe(tmp_path: Path) -> None:
    """The demonstration's own policy on the real survey: target met, no column starred, the optimum proven."""
    write_fair(tmp_path / "fair.csv")
    policy = load_policy(FAIR_POLICY)
    made = build_extract(source=tmp_path / "fair.csv", policy=policy, key=KEY, out_dir=tmp_path / "out", created_at=NOW)
    written = pl.read_parquet(made.extract_path)
    quasi = [column["name"] for column in made.manifest["columns"] if column["class"] == "quasi_id"]
    assert len(quasi) == 6
    assert measure_classes(written, quasi).k >= 5
    assert all("*" not in written[name].to_list() for name in quasi)
    assert made.manifest["rows"] == {"in": 6366, "out": 6090, "suppressed": 276}
    assert made.manifest["loss"]["proven_optimal"]
    assert made.manifest["loss"]["value"] == pytest.approx(0.2638, abs=1e-4)
