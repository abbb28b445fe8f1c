"""The tables that are measured on: two public ones that a folder must hold, and two that are made here.

- adult/: UCI Census Income without missing values, nine columns, with the hierarchies of the ARX project.
- mach2019/: an open psychometrics questionnaire, integer-coded, 16 columns, with hierarchies.
- mix1193k: 1,193,504 rows drawn from Adult, so that it has Adult's hierarchies and may be shared.
- masking: eight columns of made-up people.

They stay outside the repository; `docs/how-to/bench.md` says where they come from.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from anonymize.bench.score import Hierarchy
from anonymize.errors import NotFound
from anonymize.text import Text

FOLDER_VARIABLE: Final = "ZHAKOU_BENCH_DATA"
PROJECT: Final = Path(__file__).resolve().parents[2]
ADULT: Final = (
    "sex",
    "age",
    "race",
    "marital-status",
    "education",
    "native-country",
    "workclass",
    "occupation",
    "salary-class",
)
MACH: Final = (
    "age",
    "familysize",
    "gender",
    "married",
    "race",
    "religion",
    *(f"Q{number}A" for number in range(1, 11)),
)
MIX_ROWS: Final = 1_193_504
MIX_SEED: Final = 20261123
MIX_DIGEST: Final = "e5215dbe"
"""How the SHA-256 of the made file begins."""
MASKING_ROWS: Final = 1_000_000
MASKING_DRAWN: Final = 5_000


def data_folder(given: str | None = None) -> Path:
    """Where the public tables lie: as given, else by the environment, else `data/` beside the packages.

    Raises:
        NotFound: the folder lacks them.
    """
    folder = Path(given or os.environ.get(FOLDER_VARIABLE) or PROJECT / "data")
    for name in ("adult/adult.csv", "mach2019/mach2019_int.csv"):
        if not any((folder / f"{name}{end}").is_file() for end in ("", ".gz")):
            raise NotFound(
                code="bench.no_data",
                subject=name,
                text=Text(f"基准测试缺少数据文件 {name}。", f"The bench lacks the data file {name}."),
                next_step=Text(
                    f"请按 docs/how-to/bench.md 的说明取得数据，并用 {FOLDER_VARIABLE} 指定其目录。",
                    f"Fetch the sets as docs/how-to/bench.md says, and name their folder in {FOLDER_VARIABLE}.",
                ),
            )
    return folder


def read_hierarchies(folder: Path, names: tuple[str, ...]) -> dict[str, Hierarchy]:
    """The hierarchy files of one set, each as rows of texts."""
    prefix = next(folder.glob("*_hierarchy_age.csv")).name.removesuffix("age.csv")
    files = {name: folder / f"{prefix}{name}.csv" for name in names}
    return {name: [line.split(";") for line in file.read_text("utf-8").splitlines()] for name, file in files.items()}


def plain_csv(folder: Path, name: str, work: Path) -> Path:
    """A set's table as an unpacked CSV in the working folder."""
    target = work / name
    if not target.exists():
        packed = folder / f"{name}.gz"
        content = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()
        _put(target, content)
    return target


def make_mix(adult: Path, work: Path) -> Path:
    """1,193,504 rows, each from three rows of Adult that agree on sex and decade, and on race.

    Raises:
        ValueError: the file made is not the known one.
    """
    target = work / "mix1193k.csv"
    if target.exists():
        return target
    source = pl.read_csv(adult, separator=";", infer_schema=False)
    chance = np.random.default_rng(MIX_SEED)
    first = chance.integers(0, source.height, MIX_ROWS)
    decade = source["age"].cast(pl.Int64) // 10
    second = _alike(source["sex"] + "/" + decade.cast(pl.String), first, chance.random(MIX_ROWS))
    third = _alike(source["race"], first, chance.random(MIX_ROWS))
    donor = {name: first for name in ADULT[:4]}
    donor |= dict.fromkeys(("education", "workclass", "occupation"), second)
    donor |= dict.fromkeys(("native-country", "salary-class"), third)
    made = pl.DataFrame({name: source[name].gather(donor[name]) for name in ADULT})
    text = made.write_csv(separator=";").encode()
    if not hashlib.sha256(text).hexdigest().startswith(MIX_DIGEST):
        raise ValueError("mix1193k came out differently; figures stated for it would not compare")
    _put(target, text)
    return target


def _alike(group: pl.Series, first: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """For each drawn row another of its group, in the order of the file."""
    code = group.rank("dense").to_numpy().astype(np.int64) - 1
    order = np.argsort(code, kind="stable")
    sizes = np.bincount(code)
    starts = np.cumsum(sizes) - sizes
    own = code[first]
    picked: np.ndarray = order[starts[own] + np.floor(chance * sizes[own]).astype(np.int64)]
    return picked


def make_masking(work: Path, rows: int = MASKING_ROWS) -> Path:
    """Eight columns of made-up people, each drawn from 5,000 (Faker zh_CN, seed 7).

    Note: pools this small favour dictionary encodings; the tables of registers are less kind.
    """
    target = work / f"masking{rows}.parquet"
    if target.exists():
        return target
    from faker import Faker

    fake = Faker("zh_CN")
    fake.seed_instance(7)
    draw = {
        "name": fake.name,
        "id_no": fake.ssn,
        "phone": fake.phone_number,
        "email": fake.email,
        "address": fake.address,
        "company": fake.company,
        "bank_card": fake.credit_card_number,
    }
    pools = {name: [make() for _ in range(MASKING_DRAWN)] for name, make in draw.items()}
    tails = (lambda: fake.phone_number(), lambda: fake.ssn(), lambda: "", lambda: "")
    pools["remark"] = [fake.sentence() + tails[at % 4]() for at in range(MASKING_DRAWN)]
    chance = np.random.default_rng(7)
    table = {name: pl.Series(pool).gather(chance.integers(0, MASKING_DRAWN, rows)) for name, pool in pools.items()}
    partial = target.with_suffix(".partial")
    pl.DataFrame(table).write_parquet(partial)
    partial.replace(target)
    return target


def _put(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(target)
