"""The risk that a policy allows: which privacy models must hold in every equivalence class, and at what price.

Sources: k-anonymity, Samarati and Sweeney 1998; l-diversity, Machanavajjhala et al. 2006;
t-closeness, Li, Li and Venkatasubramanian 2007; k-map, Sweeney 2002; delta-presence, Nergiz, Atzori and Clifton 2007.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.generalize import read_hierarchy
from anonymize.techniques.hierarchy import Hierarchy
from anonymize.text import Text

_MANY: Final = 1_000_000


class LModel(StrEnum):
    """How the diversity of the sensitive values in a class is counted; null is no value."""

    DISTINCT = "distinct"
    ENTROPY = "entropy"
    RECURSIVE = "recursive"


class TDistance(StrEnum):
    """How far a class's sensitive values are from those of the whole table."""

    EQUAL = "equal"
    HIERARCHICAL = "hierarchical"
    ORDERED = "ordered"


class Metric(StrEnum):
    """The loss that the search makes as small as it can."""

    NCP = "ncp"
    ENTROPY = "entropy"
    DISCERNIBILITY = "discernibility"
    AVERAGE_CLASS_SIZE = "average_class_size"


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationTarget:
    """What must hold against a table of the whole population that the table was drawn from.

    Units: `k_map` people of the population match every released class; `delta_min` and `delta_max` bound, for every
    class, the share of its matching people who are in the extract.
    """

    k_map: int | None = None
    delta_min: float = 0.0
    delta_max: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The risk that is allowed.

    Units: at least `k` rows in every equivalence class. At least `l` sensitive values in it: distinct ones; or the
    exponential of their entropy; or the commonest rarer than `c` times all from the l-th commonest on. A distance of at
    most `t`, 0 to 1, from the whole table. `suppression_limit` is the share of the rows that may be removed to get
    there; a removed row counts as `suppression_cost` hidden ones while searching.
    """

    k: int
    l: int | None = None  # noqa: E741 - the field's own name
    l_model: LModel = LModel.DISTINCT
    c: float | None = None
    t: float | None = None
    t_distance: TDistance = TDistance.EQUAL
    t_hierarchy: tuple[tuple[str, Hierarchy], ...] = ()
    population: PopulationTarget | None = None
    suppression_limit: float = 0.0
    suppression_cost: float = 1.0
    metric: Metric = Metric.NCP

    @property
    def needs_sensitive(self) -> bool:
        return self.l is not None or self.t is not None

    def content(self) -> dict[str, Any]:
        """The target as a policy writes it, defaults left out; `read_target` reads it back."""
        written: dict[str, Any] = {"k": self.k}
        if self.l is not None:
            written["l"] = self.l
            if self.l_model is not LModel.DISTINCT:
                written["l_model"] = str(self.l_model)
            if self.c is not None:
                written["c"] = self.c
        if self.t is not None:
            written["t"] = self.t
            if self.t_distance is not TDistance.EQUAL:
                written["t_distance"] = str(self.t_distance)
        written["suppression_limit"] = self.suppression_limit
        if self.suppression_cost != 1:
            written["suppression_cost"] = self.suppression_cost
        if self.metric is not Metric.NCP:
            written["metric"] = str(self.metric)
        if self.population is not None:
            bounds = self.population
            written["population"] = {} if bounds.k_map is None else {"k_map": bounds.k_map}
            if (bounds.delta_min, bounds.delta_max) != (0, 1):
                written["population"] |= {"delta_min": bounds.delta_min, "delta_max": bounds.delta_max}
        if self.t_hierarchy:
            written["t_hierarchy"] = {name: {"kind": h.kind, **h.params()} for name, h in self.t_hierarchy}
        return written

    def as_json(self) -> dict[str, Any]:
        """The target as manifests tell it: every field, hierarchies left to the policy."""
        bounds = self.population
        return {
            "goal": self.goal,
            "k": self.k,
            "l": self.l,
            "l_model": None if self.l is None else str(self.l_model),
            "c": self.c,
            "t": self.t,
            "t_distance": None if self.t is None else str(self.t_distance),
            "k_map": None if bounds is None else bounds.k_map,
            "delta": None if bounds is None else [bounds.delta_min, bounds.delta_max],
            "suppression_limit": self.suppression_limit,
            "suppression_cost": self.suppression_cost,
            "metric": str(self.metric),
        }

    @property
    def goal(self) -> str:
        """The models as formulas, for refusals: `k = 5, l = 3 (entropy), t = 0.2 (equal)`."""
        parts = [f"k = {self.k}"]
        if self.l is not None:
            model = f"recursive, c = {self.c:g}" if self.c is not None else str(self.l_model)
            parts.append(f"l = {self.l} ({model})")
        if self.t is not None:
            parts.append(f"t = {self.t:g} ({self.t_distance})")
        if self.population is not None and self.population.k_map is not None:
            parts.append(f"k-map = {self.population.k_map}")
        if self.population is not None and (self.population.delta_min, self.population.delta_max) != (0, 1):
            parts.append(f"{self.population.delta_min:g} ≤ δ ≤ {self.population.delta_max:g}")
        return ", ".join(parts)

    def words(self) -> list[Text]:
        """The models in words, one clause each, for the person who must answer for the policy."""
        clauses = [Text(f"每个等价类至少 {self.k} 行", f"at least {self.k} rows in every equivalence class")]
        match None if self.l is None else self.l_model:
            case LModel.DISTINCT:
                clauses.append(
                    Text(
                        f"每个敏感属性至少有 {self.l} 个不同取值",
                        f"at least {self.l} distinct values of every sensitive attribute in it",
                    )
                )
            case LModel.ENTROPY:
                clauses.append(
                    Text(
                        f"每个敏感属性的取值熵不低于 {self.l} 个等可能取值",
                        f"values of every sensitive attribute as uncertain (entropy) as {self.l} equally likely ones",
                    )
                )
            case LModel.RECURSIVE:
                clauses.append(
                    Text(
                        f"每个敏感属性最常见取值的行数少于第 {self.l} 常见及更少见取值合计的 {self.c:g} 倍",
                        f"the commonest value of every sensitive attribute on fewer rows than {self.c:g} times those "
                        f"of all from the {self.l}th commonest on",
                    )
                )
        if self.t is not None:
            kind = _DISTANCE_WORDS[self.t_distance]
            clauses.append(
                Text(
                    f"每个敏感属性的取值分布与全表相距（{kind.zh}）不超过 {self.t:g}",
                    f"values of every sensitive attribute distributed within {self.t:g} ({kind.en}) of the whole table",
                )
            )
        return [*clauses, *self._population_words()]

    def _population_words(self) -> list[Text]:
        bounds, clauses = self.population, list[Text]()
        if bounds is not None and bounds.k_map is not None:
            clauses.append(
                Text(
                    f"总体中至少有 {bounds.k_map} 人与每个等价类相符",
                    f"at least {bounds.k_map} people of the population matching every class",
                )
            )
        if bounds is not None and (bounds.delta_min, bounds.delta_max) != (0, 1):
            low, high = f"{bounds.delta_min:.1%}", f"{bounds.delta_max:.1%}"
            clauses.append(
                Text(
                    f"总体中与每个等价类相符的人，在脱敏数据包中的占比为 {low} 至 {high}",
                    f"of the people of the population matching a class, {low} to {high} in the extract",
                )
            )
        return clauses


_DISTANCE_WORDS: Final = {
    TDistance.EQUAL: Text("等距离", "equal distance"),
    TDistance.HIERARCHICAL: Text("层次距离", "hierarchical distance"),
    TDistance.ORDERED: Text("有序距离", "ordered distance"),
}


def read_target(fields: Fields) -> Target:
    """Read `[target]` strictly: a model's parameter without its model is a refusal, not an ornament.

    Raises:
        BadInput: a field is missing, unknown, out of range, or belongs to a model that is not asked for.
    """
    diversity, model, c = _read_diversity(fields)
    t, distance = _read_closeness(fields)
    target = Target(
        k=fields.integer("k", low=2, high=_MANY),
        l=diversity,
        l_model=model,
        c=c,
        t=t,
        t_distance=distance,
        t_hierarchy=_read_hierarchies(fields, distance),
        population=_read_population(fields.table("population")) if fields.has("population") else None,
        suppression_limit=_share(fields, "suppression_limit", default=0.0),
        suppression_cost=(
            float(fields.number("suppression_cost", low=1, high=1000)) if fields.has("suppression_cost") else 1.0
        ),
        metric=Metric(fields.choice("metric", tuple(Metric))) if fields.has("metric") else Metric.NCP,
    )
    fields.close()
    return target


def _read_diversity(fields: Fields) -> tuple[int | None, LModel, float | None]:
    model = LModel(fields.choice("l_model", tuple(LModel))) if fields.has("l_model") else LModel.DISTINCT
    if not fields.has("l"):
        if fields.has("l_model"):
            raise refuse_setting(fields.at("l"), zh="缺失：写了 l_model", en="is missing, though l_model is set")
        return None, model, None
    diversity = fields.integer("l", low=2, high=_MANY)
    if model is not LModel.RECURSIVE:
        return diversity, model, None
    return diversity, model, float(fields.number("c", low=0.001, high=_MANY))


def _read_closeness(fields: Fields) -> tuple[float | None, TDistance]:
    distance = TDistance(fields.choice("t_distance", tuple(TDistance))) if fields.has("t_distance") else TDistance.EQUAL
    if fields.has("t"):
        return _share(fields, "t", default=0.0), distance
    if fields.has("t_distance"):
        raise refuse_setting(fields.at("t"), zh="缺失：写了 t_distance", en="is missing, though t_distance is set")
    return None, distance


def _read_hierarchies(fields: Fields, distance: TDistance) -> tuple[tuple[str, Hierarchy], ...]:
    if not fields.has("t_hierarchy"):
        return ()
    if distance is not TDistance.HIERARCHICAL:
        raise refuse_setting(
            fields.at("t_hierarchy"),
            zh='只用于 t_distance = "hierarchical"',
            en='is only for t_distance = "hierarchical"',
        )
    tables = fields.table("t_hierarchy")
    read: list[tuple[str, Hierarchy]] = []
    for name in sorted(tables.names()):
        table = tables.table(name)
        read.append((name, read_hierarchy(table)))
        table.close()
    return tuple(read)


def _read_population(fields: Fields) -> PopulationTarget:
    bounds = PopulationTarget(
        k_map=fields.integer("k_map", low=2, high=1_000_000_000) if fields.has("k_map") else None,
        delta_min=_share(fields, "delta_min", default=0.0),
        delta_max=_share(fields, "delta_max", default=1.0),
    )
    if bounds == PopulationTarget():
        raise refuse_setting(
            fields.path, zh="须写明 k_map 或 delta_max", en="must set k_map or delta_max, or bounds nothing"
        )
    if bounds.delta_max <= 0 or bounds.delta_min > bounds.delta_max:
        raise refuse_setting(
            fields.at("delta_max"), zh="应大于 0 且不小于 delta_min", en="must be above 0 and not below delta_min"
        )
    fields.close()
    return bounds


def _share(fields: Fields, key: str, *, default: float) -> float:
    return float(fields.number(key, low=0, high=1)) if fields.has(key) else default
