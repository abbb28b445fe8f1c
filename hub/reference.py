"""The reference pages, read out of the code: `python -m hub.reference` writes `docs/reference/*.md`.

A page that is typed by hand is wrong after the next change. These six are made from what runs (the commands, the
settings, the tables of moves, the list of events, the refusals in the source), and a test compares them.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from hub.ledger.events import EventKind
from hub.people.actor import Role
from hub.people.rules import HOME, MAY, MAY_NEVER, Verb, never_with
from hub.settings import PROJECT, Settings

FOLDER = PROJECT / "docs" / "reference"
_MADE = "<!-- Made by `python -m hub.reference` from the code; change the code, not this page. -->\n"
_PACKAGES = ("hub", "sandbox", "anonymize")
_CODE = re.compile(r"`([a-z][a-z_0-9]*\.[a-z_0-9.]+)`\s+\(([^()]*(?:\([^()]*\)[^()]*)*)\)")


def pages() -> Mapping[str, str]:
    """Every reference page: file name → its text, ending in one newline."""
    made = {
        "commands.md": _commands(),
        "settings.md": _settings(),
        "states.md": _states(),
        "refusals.md": _refusals(),
        "events.md": _events(),
        "access.md": _access(),
    }
    return {name: _MADE + "\n" + text.rstrip() + "\n" for name, text in made.items()}


def write(folder: Path = FOLDER) -> tuple[str, ...]:
    """Write the pages that differ; gives the names of those that did."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(name)
    return tuple(changed)


# -- commands ----------------------------------------------------------------------------------------------------------


def _commands() -> str:
    from hub.cli import zhakou

    lines = [
        "# Commands",
        "",
        "Every command has `--help`. Exit codes: 0 done, 2 bad usage, 20 not found, 21 not allowed, 22 wrong state, "
        "23 bad input, 24 checks failed.",
        "",
    ]
    for path, command in commands_of(zhakou, "zhakou"):
        if isinstance(command, click.Group) and not command.invoke_without_command:
            continue
        context = click.Context(command, info_name=path)
        usage = " ".join(["zhakou", *path.split()[1:], *command.collect_usage_pieces(context)])
        lines += [f"## `{path}`", "", _one_line(command.help or ""), "", f"    {usage}", ""]
        rows = [
            (", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts)), _one_line(option.help or ""))
            for option in command.params
            if isinstance(option, click.Option) and not option.hidden
        ]
        if rows:
            lines += _table(("option", "meaning"), rows)
    return "\n".join(lines)


def commands_of(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and everything below it, with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is None:
                raise LookupError(f"the overview names {name}, but there is no such command")
            if not inner.hidden:
                yield from commands_of(inner, f"{path} {name}")


# -- settings ----------------------------------------------------------------------------------------------------------


def _settings() -> str:
    notes = _notes_below_fields(Settings)
    rows = []
    for field in fields(Settings):
        default = "" if field.default is MISSING else field.default
        shown = _default(default)
        rows.append((f"`{field.name}`", f"`ZHAKOU_{field.name.upper()}`", shown, notes.get(field.name, "")))
    head = [
        "# Settings",
        "",
        "Read once, from `zhakou.toml` in the project's folder (another file: `ZHAKOU_SETTINGS`), then from the "
        "environment. Unknown keys are refused; every problem is reported in one go. A setting named `unsafe_…` "
        "weakens a guarantee, is announced at start and written into the ledger.",
        "",
    ]
    return "\n".join([*head, *_table(("setting", "environment", "default", "meaning"), rows)])


def _default(value: object) -> str:
    if isinstance(value, Path):
        return f"`{value.relative_to(PROJECT)}` in the project" if value.is_relative_to(PROJECT) else f"`{value}`"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f"`{value}`" if value != "" else "empty"


def _notes_below_fields(cls: type) -> dict[str, str]:
    """The string under each field of a class, which Python itself forgets."""
    body = ast.parse(inspect.getsource(cls)).body[0]
    if not isinstance(body, ast.ClassDef):
        raise TypeError("not a class")
    notes = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            notes[field.target.id] = _one_line(_constant(below.value))
    return notes


# -- states ------------------------------------------------------------------------------------------------------------


def _states() -> str:
    lines = [
        "# States",
        "",
        "A move that is not in a table cannot happen. Each table stands in the `model.py` of its room.",
        "",
    ]
    for room, name, moves in tables_of_moves():
        kind = type(next(iter(moves)))
        lines += [f"## {kind.__name__.removesuffix('Status')} (`{room}`, `{name}`)", "", _one_line(kind.__doc__ or "")]
        lines += ["", "```mermaid", "stateDiagram-v2"]
        reached = {target for targets in moves.values() for target in targets}
        begins = [state for state in moves if state not in reached] or [next(iter(moves))]
        lines += [f"    [*] --> {state.value}" for state in begins]
        lines += [
            f"    {state.value} --> {target.value}" for state in moves for target in kind if target in moves[state]
        ]
        lines += [f"    {state.value} --> [*]" for state in moves if not moves[state]]
        lines += ["```", ""]
    return "\n".join(lines)


def tables_of_moves() -> Iterator[tuple[str, str, Mapping[StrEnum, frozenset[StrEnum]]]]:
    """Every table of moves of every room: the room's folder, the name of the table, the table."""
    for path in sorted((PROJECT / "hub").glob("*/model.py")):
        module = importlib.import_module(f"hub.{path.parent.name}.model")
        for name, value in sorted(vars(module).items()):
            if name.endswith("_MOVES") and isinstance(value, Mapping):
                moves: Mapping[StrEnum, frozenset[StrEnum]] = value
                yield f"hub/{path.parent.name}", name, moves


# -- events ------------------------------------------------------------------------------------------------------------


def _events() -> str:
    said = {}
    for line in inspect.getsource(EventKind).splitlines():
        found = re.match(r'\s+[A-Z_]+ = "([a-z_.]+)"\s*#\s*(.+)', line)
        if found:
            said[found[1]] = found[2].strip()
    rows = [(f"`{kind.value}`", said.get(kind.value, "")) for kind in EventKind]
    head = [
        "# Ledger events",
        "",
        "Each is written in the transaction of the change it tells of. None carries a value of a table or a key.",
        "",
    ]
    return "\n".join([*head, *_table(("event", "written when"), rows)])


# -- access ------------------------------------------------------------------------------------------------------------


def _access() -> str:
    lines = [
        "# Access",
        "",
        "Who may do what, out of the table that decides it (`MAY` in `hub/people/rules.py`); the portal shows the same "
        "at `/people/matrix`. A pair that is not here is refused; the rules of each thing come on top.",
        "",
        *_table(("verb", "roles"), [(f"`{verb.value}`", _roles(MAY.get(verb, ()))) for verb in Verb]),
        "Where a role can be held, and which roles one person never holds with it:",
        "",
    ]
    rows = [
        (f"`{role.value}`", ", ".join(sorted(HOME[role])), _roles(never_with(role)) or "–", str(MAY_NEVER[role].words))
        for role in Role
    ]
    return "\n".join([*lines, *_table(("role", "kinds of organisation", "never together with", "may never"), rows)])


def _roles(roles: Iterable[Role]) -> str:
    return ", ".join(f"`{role.value}`" for role in sorted(roles))


# -- refusals ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reason:
    code: str
    meaning: str
    source: str


def _refusals() -> str:
    found: dict[str, _Reason] = {}
    for package in _PACKAGES:
        for path in sorted((PROJECT / package).rglob("*.py")):
            for reason in _reasons(path):
                old = found.get(reason.code)
                if old is None or (reason.meaning and not old.meaning):
                    found[reason.code] = reason
    rows = [
        (f"`{code}`", found[code].meaning or "worded where it is met", f"`{found[code].source}`")
        for code in sorted(found)
    ]
    head = [
        "# Refusals",
        "",
        "Codes are stable; programs decide on them and never on the wording. Each refusal also says what to do next.",
        "",
    ]
    return "\n".join([*head, *_table(("code", "what it says", "where"), rows)])


def _reasons(path: Path) -> Iterator[_Reason]:
    """The refusals that a file names: in its docstring (`code` (meaning)) and where one is built."""
    source = str(path.relative_to(PROJECT))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.name == "rules.py":
        for code, meaning in _CODE.findall(ast.get_docstring(tree) or ""):
            yield _Reason(code, _one_line(meaning), source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            code = _code_of(node)
            if code:
                yield _Reason(code, _sentence(node), source)


def _code_of(call: ast.Call) -> str:
    """The code a call builds a refusal with: `rule=`, `code=` or the first argument; empty if it builds none."""
    given = {word.arg: word.value for word in call.keywords if word.arg}
    if "holds" in given:
        return ""  # a step of a verification: it says yes as well as no
    code = _constant(given.get("rule")) or _constant(given.get("code"))
    if not code and call.args and any(_is_sentence(other) for other in (*call.args[1:], *given.values())):
        code = _constant(call.args[0])
        if "." not in code:
            return ""
    return code if re.fullmatch(r"[a-z][a-z_0-9]*(\.[a-z_0-9]+)*", code) else ""


def _is_sentence(node: ast.expr | None) -> bool:
    makers = ("msg", "both", "Text", "Words")
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers


def _sentence(call: ast.Call) -> str:
    """The English of what the call says, if it is said there: `text=`, `en=`, or the first sentence given."""
    named = {word.arg: word.value for word in call.keywords if word.arg}
    for node in (named.get("text"), named.get("en"), *(() if "text" in named else (*call.args, *named.values()))):
        if isinstance(node, ast.Call) and _is_sentence(node):
            inner = {word.arg: word.value for word in node.keywords}
            return _one_line(_constant(inner["en"] if "en" in inner else node.args[-1]))
        if node is not None and node in (named.get("text"), named.get("en")) and _constant(node):
            return _one_line(_constant(node))
    return ""


def _constant(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            f"{{{ast.unparse(part.value)}}}" if isinstance(part, ast.FormattedValue) else str(ast.literal_eval(part))
            for part in node.values
        )
    return ""


# -- text --------------------------------------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [*lines, ""]


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    for changed in write():
        sys.stdout.write(f"docs/reference/{changed}\n")
