"""Tables and texts in JSON, wherever they stand in it. Numbers stay as they are written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from anonymize.screen.deadline import Deadline
from anonymize.screen.faults import Unreadable, broken, too_large
from anonymize.screen.grid import Grid, grid_of, named_grid
from anonymize.screen.shown import shown
from anonymize.screen.verdict import Code
from anonymize.text import Text

MAX_DEPTH: Final = 64
"""Levels of nesting; deeper JSON is no result table."""
MAX_DIGITS: Final = 400
"""Digits of one number; longer ones are refused."""


class Numeral(str):
    """A number as it is written in the file; kept apart from strings."""

    __slots__ = ()


@dataclass(slots=True)
class JsonContent:
    """What a JSON file holds: tables, single values by path, names and texts."""

    grids: list[Grid] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    notebook: bool = False


def read_json(text: str, *, max_cells: int, deadline: Deadline) -> JsonContent:
    """Everything that can be judged in a JSON text.

    Raises:
        Unreadable: no valid JSON, a name twice in one object, too deep, too many values, NaN or infinity.
    """
    try:
        tree = json.loads(
            text, parse_int=_numeral, parse_float=_numeral, parse_constant=_no_constant, object_pairs_hook=_object
        )
    except RecursionError as failed:
        raise too_large(Text("嵌套层数", "levels of nesting"), MAX_DEPTH) from failed
    except ValueError as failed:
        raise broken("JSON", "", Text("语法有误", "its syntax is wrong")) from failed
    content = JsonContent(notebook=isinstance(tree, dict) and "cells" in tree and "nbformat" in tree)
    _Walk(content, max_cells, deadline).visit(tree, "$", 0)
    return content


def _numeral(digits: str) -> Numeral:
    if len(digits) > MAX_DIGITS:
        raise too_large(Text("单个数字的位数", "digits in one number"), MAX_DIGITS)
    return Numeral(digits)


def _no_constant(name: str) -> str:
    raise broken("JSON", "", Text(f"含有 {name}", f"it holds {name}"))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise Unreadable(
            rule="R36",
            code=Code.HIDDEN_CONTENT,
            where="",
            text=Text(
                "文件被拒绝：JSON 的一个对象中有重名的键，多数程序会隐去其中一个。",
                "File refused: an object of the JSON names a key twice, and most programs hide one of the two.",
            ),
            next_step=Text("请去掉重名的键后重新提交。", "Remove the second key and submit again."),
        )
    return content


class _Walk:
    """Collects tables and texts from a JSON tree, within bounds."""

    def __init__(self, content: JsonContent, max_cells: int, deadline: Deadline) -> None:
        self.content = content
        self.left = max_cells
        self.limit = max_cells
        self.deadline = deadline

    def visit(self, node: Any, path: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise too_large(Text("嵌套层数", "levels of nesting"), MAX_DEPTH)
        self._spend(1)
        if isinstance(node, dict):
            self._visit_object(node, path, depth)
        elif isinstance(node, list):
            self._visit_list(node, path, depth)
        elif isinstance(node, str) and not isinstance(node, Numeral):
            self.content.texts.append((path, node))

    def _visit_object(self, node: dict[str, Any], path: str, depth: int) -> None:
        for name in node:
            self.content.names.append((path, name))
        if self._split_table(node, path) or self._object_of_columns(node, path) or self._object_of_objects(node, path):
            pass
        else:
            scalars = {name: value for name, value in node.items() if not isinstance(value, dict | list)}
            if any(isinstance(value, Numeral) for value in scalars.values()):
                self._add(list(scalars), [[_cell(value)] for value in scalars.values()], path)
        for name, value in node.items():
            if isinstance(value, dict | list) or (isinstance(value, str) and not isinstance(value, Numeral)):
                self.visit(value, f"{path}.{shown(name)}", depth + 1)

    def _visit_list(self, node: list[Any], path: str, depth: int) -> None:
        objects = [item for item in node if isinstance(item, dict)]
        lists = [item for item in node if isinstance(item, list)]
        if objects and len(objects) == len(node):
            self._records(objects, path)
        elif lists and len(lists) == len(node) and not any(_deep(item) for item in lists):
            self._spend(sum(map(len, lists)))
            grid = grid_of([[_cell(value) for value in item] for item in lists], where=path)
            if grid is not None:
                self.content.grids.append(grid)
        elif node and not any(isinstance(item, dict | list) for item in node):
            self._add([path.rpartition(".")[2]], [[_cell(value) for value in node]], path)
        for index, item in enumerate(node):
            if isinstance(item, dict):
                self._inside_record(item, f"{path}[{index}]", depth + 1)
            elif isinstance(item, list | str):
                self.visit(item, f"{path}[{index}]", depth + 1)

    def _inside_record(self, record: dict[str, Any], path: str, depth: int) -> None:
        """Names, texts and nested lists of one record; its scalars are in the table of records already."""
        if depth > MAX_DEPTH:
            raise too_large(Text("嵌套层数", "levels of nesting"), MAX_DEPTH)
        for name, value in record.items():
            self._spend(1)
            if len(self.content.names) < self.limit:
                self.content.names.append((path, name))
            if isinstance(value, dict):
                self._inside_record(value, f"{path}.{shown(name)}", depth + 1)
            elif isinstance(value, list) or (isinstance(value, str) and not isinstance(value, Numeral)):
                self.visit(value, f"{path}.{shown(name)}", depth + 1)

    def _records(self, records: list[dict[str, Any]], path: str) -> None:
        flat = [dict(_leaves(record, "", 0)) for record in records]
        names = list(dict.fromkeys(name for record in flat for name in record))
        self._spend(len(names) * len(flat))
        self._add(names, [[record.get(name, "") for record in flat] for name in names], path)

    def _split_table(self, node: dict[str, Any], path: str) -> bool:
        """pandas' split form: columns, index, data."""
        data, columns = node.get("data"), node.get("columns")
        if not isinstance(data, list) or not isinstance(columns, list) or not data:
            return False
        rows = [row if isinstance(row, list) else [row] for row in data]
        width = len(columns)
        if any(len(row) != width for row in rows):
            return False
        self._spend(width * len(rows))
        header = [_cell(column) for column in columns]
        body = [[_cell(row[index]) for row in rows] for index in range(width)]
        index = node.get("index")
        if isinstance(index, list) and len(index) == len(rows):
            header.insert(0, "index")
            body.insert(0, [_cell(label) for label in index])
        self._add(header, body, path)
        return True

    def _object_of_columns(self, node: dict[str, Any], path: str) -> bool:
        columns = {
            name: value
            for name, value in node.items()
            if isinstance(value, list) and not any(_deep([item]) for item in value)
        }
        lengths = {len(value) for value in columns.values()}
        if not columns or len(columns) != len(node) or len(lengths) != 1 or lengths == {0}:
            return False
        self._spend(sum(map(len, columns.values())))
        self._add(list(columns), [[_cell(item) for item in value] for value in columns.values()], path)
        return True

    def _object_of_objects(self, node: dict[str, Any], path: str) -> bool:
        """Objects of equal keys inside an object: pandas' column and index forms, nested counts."""
        inner = [value for value in node.values() if isinstance(value, dict)]
        if (
            not inner
            or len(inner) != len(node)
            or any(isinstance(leaf, dict | list) for value in inner for leaf in value.values())
        ):
            return False
        names = list(dict.fromkeys(name for value in inner for name in value))
        self._spend(len(names) * (len(node) + 1))
        body = [[_cell(value.get(name)) for name in names] for value in inner]
        self._add(["", *node], [list(names), *body], path)
        return True

    def _add(self, header: list[str], columns: list[list[str]], path: str) -> None:
        self.deadline.check()
        self.content.grids.append(named_grid(header, columns, where=path))

    def _spend(self, cells: int) -> None:
        self.left -= cells
        if self.left < 0:
            raise too_large(Text("单元格数", "cells"), self.limit)


def _deep(items: list[Any]) -> bool:
    return any(isinstance(item, dict | list) for item in items)


def _leaves(record: dict[str, Any], before: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, dict) and depth < MAX_DEPTH:
            yield from _leaves(value, f"{before}{name}.", depth + 1)
        elif not isinstance(value, dict | list):
            yield f"{before}{name}", _cell(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else "[…]"
