"""A policy applied to a table: which levels the quasi-identifiers get, and the columns as they are released.

The levels are found on numbers (`plan_levels`), the columns made from them (`transform`). Neither removes rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import Place
from anonymize.fitness import refuse_disagreement, refuse_target
from anonymize.perturb import perturb_columns
from anonymize.policy import AnonymizationPolicy, Cells, ColumnClass, ColumnRule, Recoding
from anonymize.population import cast_like, check_drawn, generalize_population, split_codes
from anonymize.privacy.classes import Classes, measure_classes, rows_that_meet
from anonymize.privacy.disclosure import Disclosure, measure_disclosure
from anonymize.privacy.histogram import Codes, Histogram, build_histogram, sensitive_codes
from anonymize.privacy.lattice import Generalization, Unreachable, search_generalization
from anonymize.privacy.local import LocalRecoding, recode_locally
from anonymize.privacy.presence import PEOPLE, measure_presence, rows_present
from anonymize.privacy.tight import TightRecoding, recode_tightly
from anonymize.privacy.utility import Utility
from anonymize.privacy.whole import Whole
from anonymize.scoring import score_extract
from anonymize.sensitive import wholes_of
from anonymize.target import LModel
from anonymize.techniques.cells import TightColumn, holds_one, tight_column
from anonymize.techniques.drop import Drop
from anonymize.techniques.generalize import Generalize, Leveled, apply_level, level_column
from anonymize.techniques.keep import Keep
from anonymize.techniques.micro_aggregate import MicroAggregate
from anonymize.techniques.noise import Noise
from anonymize.techniques.randomize import Randomize
from anonymize.techniques.swap import Swap


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The released quasi-identifiers in the order of the policy, and the levels found for them.

    Shape: `of_row` says which distinct row of the search each row of the table is, `weights` for how many people it
    stands. `tight` is as long as `columns` where cells are tight, else empty. `wholes` has every released sensitive
    attribute if the target sets t. `outside` has one row per class of the population at the levels found, if known.
    """

    columns: tuple[Leveled, ...]
    found: Generalization | LocalRecoding | TightRecoding
    of_row: Codes
    weights: Codes
    wholes: tuple[Whole, ...] = ()
    outside: pl.DataFrame | None = None
    tight: tuple[TightColumn, ...] = ()

    def tight_of(self, column: str) -> TightColumn | None:
        """A column that is released with tight cells; None for every other."""
        return next((tight for tight in self.tight if tight.leveled.name == column and tight.kind is not None), None)

    def level_of(self, column: str) -> int | None:
        """The level of a column; None where it has none, or rows stand at different ones."""
        for position, leveled in enumerate(self.columns):
            if leveled.name == column and self.tight_of(column) is None:
                used = np.unique(self.positions(position))
                return leveled.levels[int(used[0])].number if len(used) == 1 else None
        return None

    def level_shares(self, column: str) -> dict[int, float]:
        """The share of the kept people at each level of a column, finest first; empty where it has no levels."""
        for position, leveled in enumerate(self.columns):
            if leveled.name == column and self.tight_of(column) is None:
                people = np.bincount(self.positions(position)[self.kept], weights=self.weights[self.kept])
                pairs = enumerate(people / people.sum())
                return {leveled.levels[at].number: float(share) for at, share in pairs if share}
        return {}

    def positions(self, column: int) -> npt.NDArray[np.int32]:
        """For each row the position of its level among those that the column may be released at.

        Tight cells have no levels but those of columns kept exact.
        """
        if isinstance(self.found, TightRecoding):
            return np.zeros(len(self.of_row), dtype=np.int32)
        if isinstance(self.found, LocalRecoding):
            local: npt.NDArray[np.int32] = self.found.levels[self.of_row, column]
            return local
        numbers = [level.number for level in self.columns[column].levels]
        return np.full(len(self.of_row), numbers.index(self.found.levels[column]), dtype=np.int32)

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Which rows local recoding keeps; a global search leaves it to the classes that come out."""
        if isinstance(self.found, Generalization):
            return np.ones(len(self.of_row), dtype=np.bool_)
        return self.found.kept[self.of_row]

    def losses(self, column: int) -> npt.NDArray[np.float64]:
        """NCP of each row's cell in a column; 1 where the row is removed by the plan."""
        if isinstance(self.found, TightRecoding):
            number = self.found.number[self.of_row]
            return np.where(number >= 0, self.found.losses[number, column], 1.0)
        leveled = self.columns[column]
        by_level = np.stack([level.loss_of_leaf for level in leveled.levels])
        return np.where(self.kept, by_level[self.positions(column), leveled.codes], 1.0)

    def alone_share(self, column: str) -> float:
        """The share of the kept people whose tight cell in a column holds a single value."""
        place = next(place for place, leveled in enumerate(self.columns) if leveled.name == column)
        cells = self.found.cells[place] if isinstance(self.found, TightRecoding) else None
        if not isinstance(self.found, TightRecoding) or cells is None:
            raise LookupError("only columns with tight cells are asked")
        number, people = self.found.number[self.of_row][self.kept], self.weights[self.kept]
        return float(people[holds_one(cells).to_numpy()[number]].sum() / people.sum())

    def released(self, column: int, source: pl.Series) -> pl.Series:
        """A column as released; rows that the plan removes hold nothing to be kept."""
        leveled = self.columns[column]
        if not isinstance(self.found, TightRecoding):
            return leveled.released_mixed(self.positions(column), source)
        cells = self.found.cells[column]
        if cells is None:
            return source
        number = self.found.number[self.of_row]
        return cells.gather(pl.Series(np.maximum(number, 0))).alias(leveled.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformed:
    """A table transformed and measured before and after, on its distinct rows.

    Shape: `kept` has the rows of the frame that was searched; the others miss the target. `losses` is the mean NCP per
    released quasi-identifier over all people of the source, removed ones counting 1. `before` counts every quasi-
    identifier of the policy at its exact values, dropped ones too: an attacker knows them whether or not they are
    released. `schema` is that of the extract, `changed` counts the rows that hold another value than in the source, for
    columns that are rounded, coded or perturbed; both are known once the rows are written. `disclosed` says what
    classes give away of each sensitive attribute, before and after. `sampled` says what was drawn where the policy
    samples.
    """

    plan: Plan
    kept: pl.Series
    losses: dict[str, float]
    before: Classes
    after: Classes
    utility: Utility
    disclosed: dict[str, tuple[Disclosure, Disclosure]]
    schema: pl.Schema = field(default_factory=pl.Schema)
    changed: dict[str, int] = field(default_factory=dict)
    sampled: dict[str, Any] | None = None


def released_rules(policy: AnonymizationPolicy, column_class: ColumnClass) -> tuple[ColumnRule, ...]:
    """The rules of one class whose columns reach the extract."""
    return tuple(rule for rule in policy.of_class(column_class) if not isinstance(rule.technique, Drop))


def transform_others(policy: AnonymizationPolicy, frame: pl.DataFrame, *, key: bytes, table: str) -> pl.DataFrame:
    """Every released column but generalized quasi-identifiers, which pass unchanged; dropped columns are gone.

    Shape: rows as in `frame`, columns in the order of the table.
    Raises:
        BadInput: a column does not fit its technique.
    """
    perturbed = perturb_columns(policy, frame, key=key, table=table)
    columns: list[pl.Series] = []
    for source in frame.get_columns():
        rule = policy.rule_for(source.name)
        if rule is None:
            raise LookupError("check_fit refuses tables with columns the policy does not name")
        place = Place(table=table, column=source.name)
        match rule.technique:
            case Drop():
                continue
            case Keep():
                columns.append(source)
            case Generalize() as technique:
                fixed = technique.level is not None
                columns.append(apply_level(source, technique, place=place) if fixed else source)
            case MicroAggregate() | Noise() | Swap() | Randomize():
                columns.append(perturbed[source.name])
            case _ as technique:
                columns.append(technique.apply(source, key=key, place=place))
    return pl.DataFrame(columns)


def plan_levels(
    policy: AnonymizationPolicy,
    frame: pl.DataFrame,
    *,
    table: str,
    weights: pl.Series | None = None,
    population: pl.DataFrame | None = None,
) -> Plan:
    """The least-loss levels that meet the policy's target.

    Shape: `frame` as `transform_others` made it: sensitive attributes as they will be released; one row per person, or
    per `weights` people alike. `population` as `read_population` made it, if the target asks for one.
    Raises:
        BadInput: values that a hierarchy does not know, or rows of nobody in the population.
        TargetNotMet: no level does it.
    """
    rules = released_rules(policy, ColumnClass.QUASI_ID)
    columns = tuple(
        level_column(
            _with_population(frame[rule.name], population, table=table),
            rule.technique if isinstance(rule.technique, Generalize) else None,
            place=Place(table=table, column=rule.name),
        )
        for rule in rules
    )
    people = np.ones(frame.height, dtype=np.int64) if weights is None else weights.cast(pl.Int64).to_numpy()
    wholes = wholes_of(policy, frame, table=table, weights=weights)
    if not columns:
        nothing = Generalization(levels=(), loss=0.0, suppressed=0, proven_optimal=True, lower_bound=0.0, nodes=0)
        return Plan(
            columns=(), found=nothing, of_row=np.zeros(len(people), dtype=np.int64), weights=people, wholes=wholes
        )
    pairs = [split_codes(leveled, frame.height) for leveled in columns]
    columns, codes = tuple(leveled for leveled, _ in pairs), [own for _, own in pairs]
    sensitive = [sensitive_codes(frame[rule.name]) for rule in released_rules(policy, ColumnClass.SENSITIVE_ATTR)]
    histogram = build_histogram(
        columns,
        sensitive if policy.target.needs_sensitive else [],
        weights=people,
        population=() if population is None else codes,
        people=None if population is None else population[PEOPLE].to_numpy(),
        trees=[whole.levels for whole in wholes],
    )
    if population is not None:
        check_drawn(histogram, table=table)
    tight = _tight_columns(policy, columns, table=table) if policy.cells is Cells.TIGHT else ()
    found = _search(policy, histogram, tight)
    if isinstance(found, Unreachable):
        raise refuse_target(policy, table=table, rows=int(people.sum()), removed=found.suppressed, proven=found.proven)
    outside = None
    if population is not None and isinstance(found, Generalization):
        outside = generalize_population(columns, codes, population, found)
    return Plan(
        columns=columns,
        found=found,
        of_row=histogram.of_row,
        weights=people,
        wholes=wholes,
        tight=tight,
        outside=outside,
    )


def _with_population(source: pl.Series, population: pl.DataFrame | None, *, table: str) -> pl.Series:
    if population is None:
        return source
    return pl.concat([source, cast_like(population[source.name], source, table=table)])


def _search(
    policy: AnonymizationPolicy, histogram: Histogram, tight: tuple[TightColumn, ...]
) -> Generalization | LocalRecoding | TightRecoding | Unreachable:
    if tight:
        return recode_tightly(histogram, tight, policy.target)
    search = recode_locally if policy.recoding is Recoding.LOCAL else search_generalization
    return search(histogram, policy.target)


def _tight_columns(policy: AnonymizationPolicy, columns: tuple[Leveled, ...], *, table: str) -> tuple[TightColumn, ...]:
    prepared: list[TightColumn] = []
    for leveled in columns:
        rule = policy.rule_for(leveled.name)
        technique = rule.technique if rule is not None and isinstance(rule.technique, Generalize) else None
        prepared.append(tight_column(leveled, technique, place=Place(table=table, column=leveled.name)))
    return tuple(prepared)


def transform_quasi(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """The quasi-identifiers at the levels of the plan; everything else unchanged."""
    return frame.with_columns(plan.released(column, frame[leveled.name]) for column, leveled in enumerate(plan.columns))


def remove_unsafe_rows(
    policy: AnonymizationPolicy, plan: Plan, *, source: pl.DataFrame, released: pl.DataFrame, table: str
) -> Transformed:
    """Measure the released table, set aside the rows that miss the target, measure again.

    Shape: `source` and `released` have the rows that the plan was made for, in their order.
    Raises:
        TargetNotMet: more rows would have to go than the policy allows, or other rows than the search promised.
    """
    quasi = [rule.name for rule in released_rules(policy, ColumnClass.QUASI_ID)]
    sensitive = [rule.name for rule in released_rules(policy, ColumnClass.SENSITIVE_ATTR)]
    target = policy.target
    people, planned = pl.Series(plan.weights), pl.Series(plan.kept)
    left = _rows_of(released, planned)
    met = rows_that_meet(
        left,
        quasi,
        sensitive,
        target=target,
        weights=people.filter(planned),
        wholes=plan.wholes,
    )
    if plan.outside is not None and target.population is not None:
        met &= rows_present(left, quasi, plan.outside, people.filter(planned), target.population)
    kept = planned.scatter(planned.arg_true(), met)
    rows, removed = int(people.sum()), int(people.filter(~kept).sum())
    if removed > target.suppression_limit * rows + 1e-9 or removed == rows:
        raise refuse_target(policy, table=table, rows=rows, removed=removed)
    if plan.columns and removed != plan.found.suppressed:
        raise refuse_disagreement(table)
    known = [rule.name for rule in policy.of_class(ColumnClass.QUASI_ID)]
    standing = _rows_of(released, kept)
    losses = _column_losses(plan, kept)
    after = measure_released(policy, standing, plan, weights=people.filter(kept))
    return Transformed(
        plan=plan,
        kept=kept,
        losses=losses,
        before=measure_classes(source, known, sensitive, weights=people),
        after=after,
        utility=score_extract(
            policy, plan, source=source, released=released, kept=kept, losses=losses, sizes=after.sizes
        ),
        disclosed={
            name: (
                measure_disclosure(source, known, name, weights=people),
                measure_disclosure(standing, quasi, name, weights=people.filter(kept)),
            )
            for name in sensitive
        },
    )


def _rows_of(frame: pl.DataFrame, chosen: pl.Series) -> pl.DataFrame:
    """Some rows of a frame, which is not copied where that is all of them, or where it has no columns."""
    return frame if not frame.width or chosen.all() else frame.filter(chosen)


def measure_released(
    policy: AnonymizationPolicy, extract: pl.DataFrame, plan: Plan | None, *, weights: pl.Series | None = None
) -> Classes:
    """The classes of an extract, measured as its policy's target asks, against what its plan knows of the whole."""
    quasi = [rule.name for rule in released_rules(policy, ColumnClass.QUASI_ID)]
    sensitive = [rule.name for rule in released_rules(policy, ColumnClass.SENSITIVE_ATTR)]
    c_from = policy.target.l if policy.target.l_model is LModel.RECURSIVE else None
    wholes = () if plan is None else plan.wholes
    found = measure_classes(extract, quasi, sensitive, weights=weights, wholes=wholes, c_from=c_from or 2)
    if plan is None or plan.outside is None:
        return found
    people = pl.Series(np.ones(extract.height, dtype=np.int64)) if weights is None else weights
    return replace(found, presence=measure_presence(extract, quasi, plan.outside, people))


def _column_losses(plan: Plan, kept: pl.Series) -> dict[str, float]:
    standing = kept.to_numpy()
    return {
        leveled.name: float(np.average(np.where(standing, plan.losses(column), 1.0), weights=plan.weights))
        for column, leveled in enumerate(plan.columns)
    }
