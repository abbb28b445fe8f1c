"""What happens to each column of a table, and what risk is allowed: the policy, as TOML and as values.

Guards, all enforced while the policy is read or matched with its table:
1. A direct identifier is dropped, pseudonymized or replaced by an invented one, never anything else.
2. Free text is dropped.
3. A quasi-identifier is kept, coarsened, perturbed (and counted as it is released) or dropped. The level of a
   generalized one is the search's choice, not the policy's.
4. Every column of the table is named; a column the policy is silent about is a refusal, not a default.
5. There is at least one quasi-identifier: with none there is nothing to measure, and nothing measured is not safe.
6. An unknown key, class, technique or parameter is a refusal naming it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from anonymize.errors import BadInput, NotFound
from anonymize.sampling import Sampling
from anonymize.strict import Fields, refuse_setting
from anonymize.target import Metric, Target, TDistance, read_target
from anonymize.techniques.categories import Groups
from anonymize.techniques.drop import Drop
from anonymize.techniques.end_coding import BottomCode, TopCode
from anonymize.techniques.fake import Fake
from anonymize.techniques.generalize import Generalize
from anonymize.techniques.keep import Keep
from anonymize.techniques.mask import Mask
from anonymize.techniques.micro_aggregate import MicroAggregate
from anonymize.techniques.noise import Noise
from anonymize.techniques.pseudonymize import Pseudonymize
from anonymize.techniques.randomize import Randomize
from anonymize.techniques.registry import NAMES, Perturbing, Technique, read_technique
from anonymize.techniques.rounding import Round
from anonymize.techniques.swap import Swap
from anonymize.text import Text
from anonymize.toml import write_toml

FORMAT: Final = 1
MAX_POLICY_BYTES: Final = 4 * 2**20
MAX_JOINT: Final = 32
"""Columns that can be perturbed jointly."""


class ColumnClass(StrEnum):
    """What a column can do to a person."""

    DIRECT_ID = "direct_id"
    QUASI_ID = "quasi_id"
    SENSITIVE_ATTR = "sensitive_attr"
    FREE_TEXT = "free_text"
    NON_SENSITIVE = "non_sensitive"


_COUNTED: Final = (
    *(Keep.name, Generalize.name, Round.name, TopCode.name, BottomCode.name),
    *(MicroAggregate.name, Noise.name, Swap.name, Randomize.name, Drop.name),
)
ALLOWED: Final[Mapping[ColumnClass, tuple[str, ...]]] = {
    ColumnClass.DIRECT_ID: (Drop.name, Pseudonymize.name, Fake.name),
    ColumnClass.QUASI_ID: _COUNTED,
    ColumnClass.SENSITIVE_ATTR: (*_COUNTED, Mask.name, Pseudonymize.name),
    ColumnClass.FREE_TEXT: (Drop.name,),
    ColumnClass.NON_SENSITIVE: (*_COUNTED, Mask.name, Pseudonymize.name),
}
"""Which techniques a class allows; what is not listed is refused."""


class Recoding(StrEnum):
    """How quasi-identifiers are generalized: one level a column for all rows, or for each class of rows its own."""

    GLOBAL = "global"
    LOCAL = "local"


class Cells(StrEnum):
    """What a quasi-identifier's cell is released as: a label of its hierarchy, or exactly what its class holds."""

    LABELS = "labels"
    TIGHT = "tight"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRule:
    """What happens to one column, and why."""

    name: str
    column_class: ColumnClass
    technique: Technique
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymizationPolicy:
    """A checked policy; it can't be built from a file that breaks a guard."""

    name: str
    version: str
    target: Target
    columns: tuple[ColumnRule, ...]
    recoding: Recoding = Recoding.GLOBAL
    cells: Cells = Cells.LABELS
    sampling: Sampling | None = None

    def rule_for(self, column: str) -> ColumnRule | None:
        return next((rule for rule in self.columns if rule.name == column), None)

    def of_class(self, column_class: ColumnClass) -> tuple[ColumnRule, ...]:
        return tuple(rule for rule in self.columns if rule.column_class is column_class)

    @property
    def uses_key(self) -> bool:
        """Whether what is released depends on the licence's key, beyond the order of the rows."""
        return self.sampling is not None or any(rule.technique.uses_key for rule in self.columns)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form: the order of columns and the layout of the file do not count."""
        content = _content(self)
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()


def load_policy(path: Path) -> AnonymizationPolicy:
    """Read a policy file.

    Raises:
        NotFound: there is no such file.
        BadInput: it is no policy; the refusal names the field.
    """
    try:
        content = path.read_bytes()
    except OSError as failed:
        raise NotFound(
            code="policy.not_found",
            subject=path.name,
            text=Text(f"找不到规则文件 {path.name}。", f"There is no policy file {path.name}."),
            next_step=Text("请检查路径。", "Check the path."),
        ) from failed
    if len(content) > MAX_POLICY_BYTES:
        raise _not_toml(path.name)
    try:
        return parse_policy(content.decode("utf-8-sig"), folder=path.parent.resolve())
    except UnicodeDecodeError as failed:
        raise _not_toml(path.name) from failed


def parse_policy(text: str, *, folder: Path | None = None) -> AnonymizationPolicy:
    """Read a policy from its TOML text; hierarchies in files are read from `folder` alone, without one from nowhere.

    Raises:
        BadInput: it is no TOML, a field is missing, unknown or out of range, or a guard is broken.
    """
    try:
        fields = Fields(tomllib.loads(text), "", folder=folder)
    except tomllib.TOMLDecodeError as failed:
        raise _not_toml("policy") from failed
    fields.integer("format", low=FORMAT, high=FORMAT)
    policy = AnonymizationPolicy(
        name=fields.text("name"),
        version=fields.text("version"),
        target=read_target(fields.table("target")),
        columns=_read_columns(fields.table("columns")),
        recoding=Recoding(fields.choice("recoding", tuple(Recoding))) if fields.has("recoding") else Recoding.GLOBAL,
        cells=Cells(fields.choice("cells", tuple(Cells))) if fields.has("cells") else Cells.LABELS,
        sampling=Sampling.read(fields.table("sample")) if fields.has("sample") else None,
    )
    fields.close()
    _check_whole(policy)
    return policy


def dump_policy(policy: AnonymizationPolicy) -> str:
    """The policy as TOML; reading it again gives an equal policy."""
    return write_toml(_content(policy))


def _not_toml(subject: str) -> BadInput:
    return BadInput(
        code="policy.not_toml",
        subject=subject,
        text=Text(
            "规则文件被拒绝：不是有效的 UTF-8 TOML 文件。", "Policy refused: it is not a valid TOML file in UTF-8."
        ),
        next_step=Text("请用 TOML 1.0 语法修改后重试。", "Mend its TOML 1.0 syntax and try again."),
    )


def _read_columns(fields: Fields) -> tuple[ColumnRule, ...]:
    return tuple(_read_rule(name, fields.table(name)) for name in fields.names())


def _read_rule(name: str, fields: Fields) -> ColumnRule:
    column_class = ColumnClass(fields.choice("class", tuple(ColumnClass)))
    technique_name = fields.choice("technique", NAMES)
    if technique_name not in ALLOWED[column_class]:
        listed = ", ".join(ALLOWED[column_class])
        raise refuse_setting(
            fields.at("technique"),
            zh=f"不适用于 {column_class} 类列，只允许：{listed}",
            en=f"is not allowed for a column of class {column_class}; allowed: {listed}",
        )
    technique = read_technique(technique_name, fields)
    if isinstance(technique, Generalize):
        _check_level(technique, column_class, fields)
    rule = ColumnRule(name=name, column_class=column_class, technique=technique, reason=fields.sentence("reason"))
    fields.close()
    return rule


def _check_level(technique: Generalize, column_class: ColumnClass, fields: Fields) -> None:
    searched = column_class is ColumnClass.QUASI_ID
    if searched and technique.level is not None:
        raise refuse_setting(
            fields.at("params.level"),
            zh="不适用于 quasi_id：层级由搜索决定，请用 min_level、max_level",
            en="is not for a quasi_id: the search chooses the level; use min_level and max_level",
        )
    if not searched and technique.level is None:
        raise refuse_setting(
            fields.at("params.level"),
            zh="缺失：非准标识列须写明层级",
            en="is missing: a column that is no quasi_id names its level",
        )


def _check_whole(policy: AnonymizationPolicy) -> None:
    if not policy.of_class(ColumnClass.QUASI_ID):
        raise refuse_setting(
            "columns",
            zh="没有任何 quasi_id 列，无从度量风险",
            en="holds no quasi_id column, so no risk can be measured",
        )
    if all(isinstance(rule.technique, Drop) for rule in policy.columns):
        raise refuse_setting(
            "columns", zh="全部被删除，脱敏数据包中没有任何列", en="are all dropped, the extract would hold nothing"
        )
    for name, rules in joint_rules(policy).items():
        _check_joint(name, rules)
    if policy.sampling is not None:
        _check_sampling(policy)
    _check_cells(policy)
    _check_target(policy)


def joint_rules(policy: AnonymizationPolicy) -> dict[str, list[ColumnRule]]:
    """The perturbed columns that are perturbed jointly, by what they call themselves `together`; a column that names
    nothing stands alone under its own name.
    """
    joint: dict[str, list[ColumnRule]] = defaultdict(list)
    for rule in policy.columns:
        if isinstance(rule.technique, Perturbing):
            name = f"column {rule.name}" if rule.technique.together is None else f"group {rule.technique.together}"
            joint[name].append(rule)
    return dict(joint)


def _check_joint(name: str, rules: list[ColumnRule]) -> None:
    first, subject = rules[0].technique, f"columns.{rules[-1].name}.params.together"
    if name.startswith("group ") and len(rules) == 1:
        raise refuse_setting(subject, zh="没有其他列使用同一组名", en="names a group that no other column is in")
    if any(type(rule.technique) is not type(first) for rule in rules):
        raise refuse_setting(
            subject, zh="与同组其他列的处理方法不同", en="names a group whose columns have another technique"
        )
    sizes = {rule.technique.k for rule in rules if isinstance(rule.technique, MicroAggregate)}
    if len(sizes) > 1 or len(rules) > MAX_JOINT:
        raise refuse_setting(
            subject,
            zh=f"：同组各列的 k 应相同，且不超过 {MAX_JOINT} 列",
            en=f"names a group whose columns differ in k, or of more than {MAX_JOINT} columns",
        )


def _check_cells(policy: AnonymizationPolicy) -> None:
    """Tight cells are those of classes that local recoding makes; their parameters are nothing without them."""
    if policy.cells is Cells.TIGHT:
        if policy.recoding is not Recoding.LOCAL:
            raise refuse_setting(
                "cells", zh='= "tight" 要求 recoding = "local"', en='= "tight" needs recoding = "local"'
            )
        if policy.target.population is not None:
            raise refuse_setting(
                "target.population",
                zh='不支持 cells = "tight"：总体中的人没有对应的标签',
                en='is not for cells = "tight", which have no labels to find in the population',
            )
        return
    for rule in policy.columns:
        technique = rule.technique
        if isinstance(technique, Generalize) and (technique.cell or technique.max_members):
            key = "cell" if technique.cell else "max_members"
            raise refuse_setting(
                f"columns.{rule.name}.params.{key}", zh='只用于 cells = "tight"', en='is only for cells = "tight"'
            )


def _check_sampling(policy: AnonymizationPolicy) -> None:
    """The risk of a sample is counted on the whole table, where each row must have its labels by its own values."""
    quasi = [rule for rule in policy.of_class(ColumnClass.QUASI_ID) if not isinstance(rule.technique, Drop)]
    perturbed = [rule.name for rule in quasi if rule.technique.whole_column]
    if policy.cells is Cells.TIGHT or perturbed or not quasi:
        raise refuse_setting(
            "sample",
            zh="要求准标识符逐值处理并以标签放行（不用扰动、分位数和 tight），否则无法以整张表度量风险",
            en="needs quasi-identifiers that are released value by value as labels (not perturbed, coded at quantiles, "
            "tight or all dropped), or the risk against the whole table can't be measured",
        )


def _check_target(policy: AnonymizationPolicy) -> None:
    """What a target asks of the columns and of the recoding."""
    target = policy.target
    kept = [rule for rule in policy.of_class(ColumnClass.SENSITIVE_ATTR) if not isinstance(rule.technique, Drop)]
    if target.needs_sensitive and not kept:
        raise refuse_setting(
            "target.l" if target.l is not None else "target.t",
            zh="要求至少一个未删除的 sensitive_attr 列",
            en="needs a sensitive_attr column that is not dropped",
        )
    trees = dict(target.t_hierarchy)
    for name in trees:
        if name not in {rule.name for rule in kept}:
            raise refuse_setting(
                f"target.t_hierarchy.{name}",
                zh="不是未删除的 sensitive_attr 列",
                en="is no sensitive_attr column that is not dropped",
            )
    for rule in kept if target.t is not None and target.t_distance is TDistance.HIERARCHICAL else ():
        own = isinstance(rule.technique, Generalize) and isinstance(rule.technique.hierarchy, Groups)
        if rule.name not in trees and not own:
            raise refuse_setting(
                f"target.t_hierarchy.{rule.name}",
                zh="缺失：层次距离需要该列的层次",
                en="is missing: the hierarchical distance needs the hierarchy of this column",
            )
    if policy.recoding is Recoding.LOCAL and target.metric is not Metric.NCP:
        raise refuse_setting("target.metric", zh='局部泛化只支持 "ncp"', en='can only be "ncp" when recoding is local')
    if policy.recoding is Recoding.LOCAL and target.population is not None:
        raise refuse_setting(
            "target.population",
            zh="局部泛化不支持：等价类在总体中相互重叠",
            en="is not for local recoding, whose classes overlap in the population",
        )
    _check_offered(policy)


def _check_offered(policy: AnonymizationPolicy) -> None:
    """What only some ways of recoding keep."""
    target = policy.target
    offered = Target(k=target.k, l=target.l, suppression_limit=target.suppression_limit)
    for key in ("l_model", "t") if policy.cells is Cells.TIGHT else ():
        if getattr(target, key) != getattr(offered, key):
            raise refuse_setting(
                f"target.{key}", zh='不支持 cells = "tight"', en='is not for cells = "tight": only k and distinct l are'
            )


def _content(policy: AnonymizationPolicy) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": policy.name,
        "version": policy.version,
        **({} if policy.recoding is Recoding.GLOBAL else {"recoding": str(policy.recoding)}),
        **({} if policy.cells is Cells.LABELS else {"cells": str(policy.cells)}),
        "target": policy.target.content(),
        **({} if policy.sampling is None else {"sample": policy.sampling.content()}),
        "columns": {rule.name: _rule_content(rule) for rule in policy.columns},
    }


def _rule_content(rule: ColumnRule) -> dict[str, Any]:
    params = rule.technique.params()
    return {
        "class": str(rule.column_class),
        "technique": rule.technique.name,
        "reason": rule.reason.as_json(),
        **({"params": params} if params else {}),
    }
