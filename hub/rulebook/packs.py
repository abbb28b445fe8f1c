"""Rule packs: every threshold with unit, value, source and basis, in versions with effective dates.

Which version decides follows from the time of the decision alone (`pack_in_force`); a past decision is asked again
under its own (`pack_version`). What must hold of the packs as they are read:
1. Every parameter is either given or named in `absent`; an unknown one is refused.
2. No value passes its parameter's bounds: a pack may be stricter than the law, never weaker.
3. Units are the parameter's own, and counts of people, rows, files or days are whole.
4. Every basis is in the registry, and is no law that had ended or had yet to begin when the pack took effect.
5. Two versions of a pack differ in version and in effective date.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from hub.errors import InvalidState, NotFound, Refusal
from hub.message import msg
from hub.rulebook.bases import Registry, registry
from hub.rulebook.model import (
    BasisStatus,
    Mark,
    Meaning,
    Pack,
    Unit,
    Value,
    district_day,
)
from hub.rulebook.parameters import Parameter
from hub.rulebook.strict import Table, read

FORMAT = 1
DISTRICT = "district"
"""The pack that decides unless a caller names another."""

FOLDER = Path(__file__).parent / "packs"
PARAMETERS = Path(__file__).parent / "parameters.toml"
_VERSION = re.compile(r"[0-9]{4}\.[0-9]{1,3}")
_MONTH_DAY = re.compile(r"(\d\d)-(\d\d)")
_FRACTIONS = frozenset({Unit.SHARE, Unit.PERCENTAGE_POINTS})


def pack_in_force(at: datetime, *, name: str = DISTRICT, packs: Sequence[Pack] | None = None) -> Pack:
    """The version of pack `name` that decides at a moment: the newest whose date had come, by the district's clock.

    Args:
        at: An aware time.
        packs: The versions to choose from; those that come with the product when not given.

    Raises:
        InvalidState: No version was in force yet; nothing can be decided without thresholds.
        ValueError: The time has no zone.
    """
    day = district_day(at)
    begun = [pack for pack in (all_packs() if packs is None else packs) if pack.name == name and pack.since <= day]
    if not begun:
        raise InvalidState(
            Refusal(
                rule="rulebook.no_pack",
                subject=name,
                text=msg("No version of rule pack {pack} is in force on {day}.", pack=name, day=day.isoformat()),
                next_step=msg("Add the version of that time to the rulebook; nothing is decided without thresholds."),
            )
        )
    return max(begun, key=lambda pack: pack.since)


def pack_version(name: str, version: str, *, packs: Sequence[Pack] | None = None) -> Pack:
    """One version, in force or not: what a past decision is asked again under.

    Raises:
        NotFound: There is no such version here.
    """
    for pack in all_packs() if packs is None else packs:
        if (pack.name, pack.version) == (name, version):
            return pack
    raise NotFound(
        Refusal(
            rule="rulebook.no_version",
            subject=name,
            text=msg("There is no such version of rule pack {pack}.", pack=name),
            next_step=msg("`zhakou rules` lists the versions there are."),
        )
    )


def pack_of_label(label: str, *, packs: Sequence[Pack] | None = None) -> Pack:
    """The version a ledger event names (`Pack.label`), if it still says what it said then.

    Raises:
        NotFound: There is no such version here.
        InvalidState: It was edited since: its digest is another.
    """
    name, _, rest = label.partition("@")
    version, _, digest = rest.partition("#")
    pack = pack_version(name, version, packs=packs)
    if pack.digest != digest:
        raise InvalidState(
            Refusal(
                rule="rulebook.changed",
                subject=name,
                text=msg(
                    "Version {version} of rule pack {pack} is not what it was when it decided.",
                    pack=name,
                    version=version,
                ),
                next_step=msg("Restore that version from the project's history; changes belong into a new version."),
            )
        )
    return pack


@lru_cache(maxsize=1)
def all_packs() -> tuple[Pack, ...]:
    """Every version that comes with the product, oldest first."""
    return load_packs(FOLDER, meanings=parameters(), bases=registry())


@lru_cache(maxsize=1)
def parameters() -> Mapping[Parameter, Meaning]:
    """What every parameter means."""
    return load_parameters(PARAMETERS)


def load_parameters(path: Path) -> Mapping[Parameter, Meaning]:
    """Read the meanings of all parameters.

    Raises:
        InvalidInput: One is missing, unknown, or its bounds contradict each other.
    """
    content = read(path)
    found: dict[Parameter, Meaning] = {}
    for parameter in Parameter:
        table = content.table(parameter)
        meaning = Meaning(
            parameter=parameter,
            unit=table.member("unit", Unit),
            least=table.number("least") if table.has("least") else None,
            most=table.number("most") if table.has("most") else None,
            zh=table.text("zh"),
            en=table.text("en"),
            enforced=table.text("enforced", may_be_empty=True),
            later_zh=table.text("later_zh") if table.has("later_zh") else "",
            later_en=table.text("later_en") if table.has("later_en") else "",
        )
        if bool(meaning.enforced) is bool(meaning.later_zh) or bool(meaning.later_zh) is not bool(meaning.later_en):
            raise table.refused("later_zh", msg("A parameter names the file that applies it, or what will; not both."))
        table.close()
        if meaning.least is not None and meaning.most is not None and meaning.least > meaning.most:
            raise table.refused("least", msg("The bounds contradict each other."))
        found[parameter] = meaning
    content.close()
    return found


def load_packs(folder: Path, *, meanings: Mapping[Parameter, Meaning], bases: Registry) -> tuple[Pack, ...]:
    """Read every version in a folder, oldest first. Raises InvalidInput as `load_pack`, and for point 5."""
    packs: list[Pack] = []
    for path in sorted(folder.glob("*.toml")):
        pack, content = _read_pack(path, meanings, bases)
        if any(other.name == pack.name and pack.version == other.version for other in packs):
            raise content.refused("version", msg("Another file holds this version."))  # 5
        if any(other.name == pack.name and pack.since == other.since for other in packs):
            raise content.refused("from", msg("Another version takes effect on the same day."))  # 5
        packs.append(pack)
    return tuple(sorted(packs, key=lambda pack: (pack.name, pack.since)))


def load_pack(path: Path, *, meanings: Mapping[Parameter, Meaning], bases: Registry) -> Pack:
    """Read one version.

    Raises:
        InvalidInput: One of the points 1 to 4 does not hold; the refusal names the place.
    """
    return _read_pack(path, meanings, bases)[0]


def _read_pack(path: Path, meanings: Mapping[Parameter, Meaning], bases: Registry) -> tuple[Pack, Table]:
    content = read(path)
    if content.number("format") != FORMAT:
        raise content.refused("format", msg("Only format {number} can be read.", number=FORMAT))
    name, version, since = content.text("name"), content.text("version"), content.day("from")
    if not _VERSION.fullmatch(version):
        raise content.refused("version", msg("A version is a year and a number, like 2026.1."))
    zh, en = content.text("zh"), content.text("en")
    absent = _absent(content)
    table = content.table("values")
    values = {
        parameter: _value(table.table(parameter), meaning, since, bases)
        for parameter, meaning in meanings.items()
        if parameter not in absent  # 1: whatever is neither given nor absent is missed here
    }
    table.close()  # 1
    content.close()
    pack = Pack(
        name=name,
        version=version,
        since=since,
        zh=zh,
        en=en,
        values=values,
        absent=absent,
        digest=_digest(name, version, since, values, absent),
    )
    return pack, content


def _absent(content: Table) -> frozenset[Parameter]:
    given = content.texts("absent")
    if set(given) - set(Parameter):
        raise content.refused("absent", msg("No such parameter is known."))  # 1
    return frozenset(Parameter(name) for name in given)


def _value(table: Table, meaning: Meaning, since: date, bases: Registry) -> Value:
    amount = _month_day(table) if meaning.unit is Unit.MONTH_DAY else table.number("amount")
    if meaning.unit not in _FRACTIONS and amount != amount.to_integral_value():
        raise table.refused("amount", msg("A whole number is expected here."))  # 3
    if table.member("unit", Unit) is not meaning.unit:
        raise table.refused("unit", msg("This parameter is counted in {unit}.", unit=meaning.unit))  # 3
    low, high = meaning.least, meaning.most
    if amount < 0 or (low is not None and amount < low) or (high is not None and amount > high):
        raise table.refused("amount", msg("The value passes the bounds of this parameter."))  # 2
    basis = bases.bases.get(table.text("basis"))
    if basis is None:
        raise table.refused("basis", msg("The registry of legal bases holds no such entry."))  # 4
    if basis.document.status is not BasisStatus.DRAFT and not basis.document.in_force(since):
        raise table.refused("basis", msg("This basis was not in force when the pack took effect."))  # 4
    value = Value(
        meaning=meaning,
        amount=amount,
        basis=basis.id,
        source=table.member("source", Mark),
        note=table.text("note") if table.has("note") else "",
    )
    table.close()
    return value


def _month_day(table: Table) -> Decimal:
    """Month × 100 + day of a text like `03-31`, which must be a date of every year."""
    found = _MONTH_DAY.fullmatch(table.text("amount"))
    try:
        day = date(2001, int(found[1]), int(found[2])) if found else None
    except ValueError:
        day = None
    if day is None:
        raise table.refused("amount", msg("A month and day like 03-31, in quotes, is expected here."))
    return Decimal(day.month * 100 + day.day)


def _digest(
    name: str, version: str, since: date, values: Mapping[Parameter, Value], absent: frozenset[Parameter]
) -> str:
    """sha256 over sorted JSON of everything that decides; names for people and notes stay outside."""
    content = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "from": since.isoformat(),
        "absent": sorted(absent),
        "values": {
            parameter.value: [format(value.amount.normalize(), "f"), value.meaning.unit.value, value.basis]
            for parameter, value in values.items()
        },
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
