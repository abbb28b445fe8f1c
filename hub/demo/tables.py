"""The two tables of the demonstration: a real one that every machine has, and one of an invented district.

`fair` is the survey that statsmodels carries: real answers of 6,366 women, without names. `mz_elder_care` is made
here, with Chinese identifiers that can belong to nobody and free text that leaks some of them; its defects are exact
in number and written down, so that tests assert counts and not impressions.

The same seed gives the same bytes everywhere: chance comes from `random.Random.random` alone (the one method whose
sequence Python promises to keep) and numbers are formatted here, without floating point.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Final, NamedTuple, TypeVar

from hub.demo import pools
from hub.demo.identifiers import citizen_number, credit_code, mobile_number, spoiled_citizen_number

ELDER_CARE_COLUMNS: Final = (
    "elder_id", "name", "id_no", "birth_date", "gender", "phone", "addr_full", "addr_code", "street_code",
    "living_alone", "disability_level", "care_level", "subsidy_amt", "provider_uscc", "guardian_phone", "assessed_on",
    "visit_note",
)  # fmt: skip
FAIR_COLUMNS: Final = (
    "rate_marriage", "age", "yrs_married", "children", "religious", "educ", "occupation", "occupation_husb", "affairs",
)  # fmt: skip
FAIR_ROWS: Final = 6_366

AS_OF: Final = date(2026, 10, 31)
"""The month's end that `mz_elder_care` describes."""

_FULL: Final = 12_000
"""Rows to which the exact numbers of defects and of leaking notes belong; other sizes scale down to whole rows."""
_BAD_CHECK_DIGITS: Final = 96
_DUPLICATES: Final = 60
_STALE: Final = 240
_TEXT_GENDERS: Final = 1_800
_NOTES: Final = (("number", 240), ("phone", 480), ("name", 720), ("room", 360), ("both", 120), ("plain", 7_080))
"""How many notes hold what; the rest are empty."""

_AGES: Final = (60, 65, 70, 75, 80, 85, 90, 95)
"""First age of each band; the last ends at 104."""
_AGE_WEIGHTS: Final = ((22, 26, 22, 14, 9, 5, 2, 0), (14, 22, 23, 18, 12, 8, 2, 1), (9, 18, 22, 20, 16, 10, 4, 1))
"""Weights of the bands for `Street.older` 0, 1 and 2."""
_WOMEN: Final = (510, 515, 525, 545, 570, 600, 640, 680)
_ALONE: Final = (70, 90, 120, 160, 210, 250, 260, 240)
"""Thousandths of a band that are women, and that live alone before the street's own addition."""
_DISABILITY: Final = (
    (930, 50, 14, 4, 2), (900, 70, 20, 7, 3), (840, 110, 32, 12, 6), (750, 160, 55, 24, 11),
    (620, 220, 95, 42, 23), (480, 260, 145, 75, 40), (340, 270, 200, 120, 70), (230, 260, 230, 170, 110),
)  # fmt: skip
"""Thousandths of a band at each disability level, 0 (able) to 4 (wholly dependent)."""
_CARE: Final = (
    (860, 100, 40, 0, 0, 0, 0), (180, 320, 350, 150, 0, 0, 0), (0, 40, 180, 430, 350, 0, 0),
    (0, 0, 0, 60, 360, 430, 150), (0, 0, 0, 0, 40, 230, 730),
)  # fmt: skip
"""Thousandths of a disability level at each care level, 0 (none) to 6."""
_SUBSIDY: Final = (0, 20_000, 32_000, 48_000, 64_000, 82_000, 100_000)
"""Monthly subsidy of each care level, in fen (1/100 yuan); invented."""
_ALONE_SUPPLEMENT: Final = 12_000
_AGED_SUPPLEMENT: Final = 10_000
_MEANS: Final = ((100, 640), (80, 210), (50, 150))
"""Percent of the subsidy that is paid, by means, and thousandths of the people."""

_T = TypeVar("_T")


class NoteEntity(NamedTuple):
    """One identifier inside a note: where it is, never what it says. Offsets count characters, end exclusive."""

    row: int
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruth:
    """What is wrong and what leaks in a written `mz_elder_care`, by row number (the first row of data is 0)."""

    rows: int
    seed: int
    as_of: str
    sha256: str
    bad_check_digits: tuple[int, ...]
    duplicates: tuple[tuple[int, int], ...]
    """Pairs (first, again): the second row repeats the first one's citizen number under another name."""
    gender_as_text: tuple[int, ...]
    """Rows whose gender is 男 or 女; all others write 1 or 2."""
    stale_assessments: tuple[int, ...]
    """Rows assessed more than twelve months before `as_of`."""
    note_entities: tuple[NoteEntity, ...]

    def as_json(self) -> str:
        """The truth as JSON with sorted keys; it holds no value of the table."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


class _Chance:
    """Draws that come out the same on every machine and Python."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random  # noqa: S311 - invented people, not secrets

    def below(self, bound: int) -> int:
        return int(self._random() * bound)

    def pick(self, things: Sequence[_T]) -> _T:
        return things[self.below(len(things))]

    def weighted(self, cumulative: Sequence[int]) -> int:
        """A place in `cumulative`, the running totals of whole weights."""
        return bisect_right(cumulative, self.below(cumulative[-1]))

    def happens(self, thousandths: int) -> bool:
        return self.below(1000) < thousandths

    def some(self, things: Sequence[_T], count: int) -> list[_T]:
        """`count` different things, in the order drawn."""
        left = list(things)
        for place in range(count):
            other = place + self.below(len(left) - place)
            left[place], left[other] = left[other], left[place]
        return left[:count]


class _Person(NamedTuple):
    number: str
    born: date
    band: int
    man: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Which row gets which defect and which kind of note, fixed before the first row is made."""

    bad: frozenset[int]
    first_of: dict[int, int]
    text_gender: frozenset[int]
    stale: frozenset[int]
    notes: dict[int, str]


def write_elder_care(path: Path, *, rows: int = _FULL, seed: int = 20261124) -> GroundTruth:
    """Write the table `mz_elder_care` as CSV and say what is wrong in it.

    Shape: one row is one record of an elder who is served or was assessed; `rows` records in UTF-8 with a header.
        Empty are only `provider_uscc`, `guardian_phone` and `visit_note`, where there is none.
    Units: `subsidy_amt` in yuan a month with two places; dates as YYYY-MM-DD; `living_alone` true or false.
    Raises:
        ValueError: fewer than 200 rows; the exact defects would not be there.
    Source: DOMAIN.md §6.2, table 1. All shares and amounts are invented; only the order (older people live alone
        more often, need more care) follows common knowledge.
    """
    if rows < 200:
        raise ValueError("mz_elder_care needs at least 200 rows")
    chance = _Chance(seed)
    plan = _plan(chance, rows)
    people: list[_Person] = []
    names: list[str] = []
    entities: list[NoteEntity] = []
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator="\n").writerow
    write(ELDER_CARE_COLUMNS)
    homes = _homes()
    streets = list(accumulate(street.share for street in pools.STREETS))
    surnames = list(accumulate(weight for _, weight in pools.SURNAMES))
    ages = [list(accumulate(weights)) for weights in _AGE_WEIGHTS]
    disability = [list(accumulate(weights)) for weights in _DISABILITY]
    care = [list(accumulate(weights)) for weights in _CARE]
    means = list(accumulate(weight for _, weight in _MEANS))
    taken: set[str] = set()
    for row in range(rows):
        place = chance.weighted(streets)
        street = pools.STREETS[place]
        first = plan.first_of.get(row)
        person = _person(chance, taken, chance.weighted(ages[street.older])) if first is None else people[first]
        name = _name(chance, surnames, man=person.man)
        while first is not None and name == names[first]:
            name = _name(chance, surnames, man=person.man)
        people.append(person)
        names.append(name)
        number = spoiled_citizen_number(person.number) if row in plan.bad else person.number
        code, building = chance.pick(homes[place])
        room = f"{building}{chance.below(6) + 1}{chance.below(4) + 1:02d}室"
        phone = mobile_number(chance.below(10**8))
        alone = chance.happens(_ALONE[person.band] + street.alone)
        guardian = mobile_number(chance.below(10**8)) if chance.happens(700 if alone else 900) else ""
        disabled = chance.weighted(disability[person.band])
        level = chance.weighted(care[disabled])
        fen = _SUBSIDY[level] + (_ALONE_SUPPLEMENT if alone and level else 0)
        fen = (fen + (_AGED_SUPPLEMENT if person.band >= 4 else 0)) * _MEANS[chance.weighted(means)][0] // 100
        served = level > 0 or chance.happens(250)
        provider = credit_code(1 + (place * 2 + chance.below(pools.PROVIDERS_A_STREET)) % pools.PROVIDERS)
        ago = 366 + chance.below(700) if row in plan.stale else chance.below(365)
        note, found = _note(
            chance, plan.notes.get(row, ""), name=name, number=number, phone=guardian or phone, room=room
        )
        entities.extend(NoteEntity(row, *entity) for entity in found)
        write((
            f"YL{row + 1:06d}", name, number, person.born.isoformat(), _gender(person.man, row in plan.text_gender),
            phone, f"上海市普陀区{street.name}{room}", code, street.code, "true" if alone else "false", disabled, level,
            f"{fen // 100}.{fen % 100:02d}", provider if served else "", guardian,
            (AS_OF - timedelta(days=ago)).isoformat(), note,
        ))  # fmt: skip
    data = buffer.getvalue().encode("utf-8")
    path.write_bytes(data)
    return GroundTruth(
        rows=rows,
        seed=seed,
        as_of=AS_OF.isoformat(),
        sha256=hashlib.sha256(data).hexdigest(),
        bad_check_digits=tuple(sorted(plan.bad)),
        duplicates=tuple(sorted((first, again) for again, first in plan.first_of.items())),
        gender_as_text=tuple(sorted(plan.text_gender)),
        stale_assessments=tuple(sorted(plan.stale)),
        note_entities=tuple(entities),
    )


def write_fair(path: Path) -> None:
    """Write the survey microdata `fair` as CSV, from the file that statsmodels brings; no network.

    Shape: 6,366 rows, one for each woman who answered a magazine's survey in 1974; nine columns, no nulls.
    Units: `age` and `yrs_married` in years (middles of bands), `affairs` a rate of time spent; the rest are codes.
    Raises:
        FileNotFoundError: the installed statsmodels does not carry the table.
        ValueError: what it carries is not that table.
    Source: Fair (1978), Journal of Political Economy 86, 45-61.
    """
    package = importlib.util.find_spec("statsmodels")
    folders = package.submodule_search_locations if package else None
    if not folders:
        raise FileNotFoundError("statsmodels is not installed, and the table fair is inside it")
    source = Path(folders[0]) / "datasets" / "fair" / "fair.csv"
    with source.open(encoding="ascii", newline="") as file:
        lines = list(csv.reader(file))
    if tuple(lines[0]) != FAIR_COLUMNS or len(lines) != FAIR_ROWS + 1:
        raise ValueError("the installed statsmodels carries another table under the name fair")
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    path.write_bytes(buffer.getvalue().encode("ascii"))


def _plan(chance: _Chance, rows: int) -> _Plan:
    everyone = range(rows)
    pairs = rows * _DUPLICATES // _FULL
    bad = rows * _BAD_CHECK_DIGITS // _FULL
    drawn = chance.some(everyone, 2 * pairs + bad)
    twins = zip(drawn[:pairs], drawn[pairs : 2 * pairs], strict=True)
    spoiled = frozenset(drawn[2 * pairs :])
    notes: dict[int, str] = {}
    # A note that quotes a citizen number quotes a right one, so that a detector's recall has one meaning.
    free = chance.some([row for row in everyone if row not in spoiled], rows - len(spoiled))
    for kind, share in _NOTES:
        for _ in range(rows * share // _FULL):
            notes[free.pop()] = kind
    return _Plan(
        bad=spoiled,
        first_of={max(pair): min(pair) for pair in twins},
        text_gender=frozenset(chance.some(everyone, rows * _TEXT_GENDERS // _FULL)),
        stale=frozenset(chance.some(everyone, rows * _STALE // _FULL)),
        notes=notes,
    )


def _homes() -> list[list[tuple[str, str]]]:
    """For each street its invented buildings: (address code, road, lane and building)."""
    homes = []
    for place, street in enumerate(pools.STREETS):
        buildings = []
        for serial in range(street.share * pools.BUILDINGS_A_SHARE):
            road = pools.ROADS[(place * 5 + serial % pools.ROADS_A_STREET) % len(pools.ROADS)]
            lane = 10 + serial // pools.ROADS_A_STREET % 9 * 22
            buildings.append((f"{street.code}B{serial + 1:04d}", f"示例{road}路{lane}弄{serial // 54 + 1}号"))
        homes.append(buildings)
    return homes


def _person(chance: _Chance, taken: set[str], band: int) -> _Person:
    years = 10 if band == len(_AGES) - 1 else 5
    year = AS_OF.year - _AGES[band] - chance.below(years)
    born = date(year, AS_OF.month, AS_OF.day) - timedelta(days=chance.below(365))
    man = not chance.happens(_WOMEN[band])
    while True:
        number = citizen_number(born=born, order=2 * chance.below(499) + (1 if man else 2))
        if number not in taken:
            taken.add(number)
            return _Person(number, born, band, man)


def _name(chance: _Chance, surnames: Sequence[int], *, man: bool) -> str:
    surname = pools.SURNAMES[chance.weighted(surnames)][0]
    return surname + chance.pick(pools.GIVEN_FIRST[man]) + chance.pick(pools.GIVEN_SECOND[man])


def _gender(man: bool, as_text: bool) -> str:
    if as_text:
        return "男" if man else "女"
    return "1" if man else "2"


def _note(
    chance: _Chance, kind: str, *, name: str, number: str, phone: str, room: str
) -> tuple[str, list[tuple[str, int, int]]]:
    """A note of the kind planned and the identifiers in it as (kind, start, end)."""
    parts: dict[str, tuple[str, ...]] = {
        "": ("",),
        "plain": pools.PLAIN_NOTES,
        "number": pools.NOTES_WITH_NUMBER,
        "phone": pools.NOTES_WITH_PHONE,
        "name": pools.NOTES_WITH_NAME,
        "room": pools.NOTES_WITH_ROOM,
        "both": pools.NOTES_WITH_BOTH,
    }
    template = chance.pick(parts[kind])
    values = {
        "number": ("CN_RESIDENT_ID", number),
        "phone": ("CN_MOBILE", phone),
        "name": ("PERSON", name),
        "room": ("ADDRESS", room),
    }
    text = template.format(**{field: value for field, (_, value) in values.items()})
    found = [
        (entity, text.index(value), text.index(value) + len(value))
        for field, (entity, value) in values.items()
        if f"{{{field}}}" in template
    ]
    return text, sorted(found, key=lambda entity: entity[1])
