"""Categories made coarser: by groups written in the policy, or by the front part of a code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.hierarchy import STAR, refuse_unlisted, value_key
from anonymize.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Groups of groups, as the policy lists them: level 1 joins values, each further level joins labels.

    Shape: `levels[i]` maps every member (a value, or a label of the level before) to its label.
    """

    kind: ClassVar[str] = "groups"

    levels: tuple[tuple[tuple[str, str], ...], ...]

    @classmethod
    def read(cls, fields: Fields) -> Groups:
        levels: list[tuple[tuple[str, str], ...]] = []
        for number, content in enumerate(fields.items("levels"), start=1):
            mapping = _read_level(content, f"{fields.at('levels')}[{number}]")
            if levels and set(mapping) != {label for _, label in levels[-1]}:
                raise refuse_setting(
                    f"{fields.at('levels')}[{number}]",
                    zh="应恰好包含上一层的全部标签",
                    en="must hold exactly the labels of the level before",
                )
            levels.append(tuple(sorted(mapping.items())))
        return cls(levels=tuple(levels))

    @property
    def depth(self) -> int:
        return len(self.levels) + 2

    @property
    def domain(self) -> int | None:
        return len(self.levels[0])

    def coverage(self, level: int) -> Mapping[str, int] | None:
        labels = [member for member, _ in self.levels[0]]
        for mapping in map(dict, self.levels[:level]):
            labels = [mapping[label] for label in labels]
        return Counter(labels)

    def labels(self, values: pl.Series, place: Place) -> list[pl.Series]:
        current = [value_key(value) for value in values.to_list()]
        known = dict(self.levels[0])
        if missing := sum(value not in known for value in current):
            raise refuse_unlisted(missing, place)
        answers: list[pl.Series] = []
        for level in self.levels:
            mapping = dict(level)
            current = [mapping[value] for value in current]
            answers.append(pl.Series(current, dtype=pl.String))
        return answers

    def level_text(self, level: int) -> Text:
        count = len({label for _, label in self.levels[level - 1]})
        return Text(f"归并为 {count} 个组", f"joined into {count} groups")

    def params(self) -> dict[str, Any]:
        written: list[dict[str, list[str]]] = []
        for level in self.levels:
            groups: dict[str, list[str]] = {}
            for member, label in level:
                groups.setdefault(label, []).append(member)
            written.append(dict(sorted(groups.items())))
        return {"levels": written}


def _read_level(content: object, path: str) -> dict[str, str]:
    fields = Fields(content, path)
    mapping: dict[str, str] = {}
    for label in fields.names():
        if label == STAR:
            raise refuse_setting(
                path, zh="不得使用 * 作标签，最后一层总是 *", en='must not use "*": it is always the last level'
            )
        for member in fields.items(label):
            if not isinstance(member, str | int | float):
                raise refuse_setting(fields.at(label), zh="成员应为文本或数字", en="must list texts or numbers")
            if value_key(member) in mapping:
                raise refuse_setting(fields.at(label), zh="有成员属于两个组", en="has a member that is in two groups")
            mapping[value_key(member)] = label
    if not mapping:
        raise refuse_setting(path, zh="没有任何分组", en="has no group at all")
    return mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefixes:
    """The first characters of a code (administrative division, industry), longest first; the rest becomes stars."""

    kind: ClassVar[str] = "prefixes"

    lengths: tuple[int, ...]

    @classmethod
    def read(cls, fields: Fields) -> Prefixes:
        lengths = fields.items("lengths")
        whole = all(isinstance(length, int) and not isinstance(length, bool) and length >= 1 for length in lengths)
        if not whole or lengths != sorted(set(lengths), reverse=True):
            raise refuse_setting(
                fields.at("lengths"),
                zh="应为从大到小、不重复的正整数",
                en="must be whole numbers above zero, longest first, none twice",
            )
        return cls(lengths=tuple(lengths))

    @property
    def depth(self) -> int:
        return len(self.lengths) + 2

    @property
    def domain(self) -> int | None:
        return None

    def coverage(self, level: int) -> Mapping[str, int] | None:
        return None

    def labels(self, values: pl.Series, place: Place) -> list[pl.Series]:
        if not (values.dtype == pl.String or values.dtype.is_integer()):
            raise place.refuse(
                "column.not_a_code",
                found=Text(
                    "编码前缀要求该列为文本或整数编码", "code prefixes need a column of text or whole-number codes"
                ),
                next_step=Text(
                    "请为该列换用适合其类型的泛化方法。", "Choose a hierarchy that fits the type of this column."
                ),
            )
        codes = values.cast(pl.String)
        # One star for whatever was cut: the number of stars must not tell codes of different length apart.
        return [codes.str.slice(0, length) + STAR for length in self.lengths]

    def level_text(self, level: int) -> Text:
        length = self.lengths[level - 1]
        return Text(f"只保留编码前 {length} 位", f"only the first {length} characters of the code")

    def params(self) -> dict[str, Any]:
        return {"lengths": list(self.lengths)}
