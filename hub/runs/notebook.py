"""May these bytes be reviewed as the notebook of a sealed run, and if not, why. Pure: nothing of it is executed.

What a reviewer reads must be all that runs, and read as it runs: so no outputs, attachments or metadata of others, no
magics or shell, no signs that hide or reorder text.

Rules here: `notebook.large`, `notebook.form`, `notebook.kernel`, `notebook.cells`, `notebook.outputs`,
`notebook.attachments`, `notebook.magic`, `notebook.signs`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import Refusal
from hub.message import Message, msg

MOST_BYTES = 2**20
MOST_CELLS = 300
MOST_LINES = 5000
CODE, TEXT = "code", "markdown"
BASIS = "公共数据资源授权运营实施规范(试行) 第二十一条"

_SHELL = ("!", "%", "?")
"""How a line begins that only IPython understands."""
_HIDING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell as a reviewer reads it. `number` counts all cells from 1."""

    number: int
    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    """A notebook that may be reviewed."""

    cells: tuple[Cell, ...]


def read_notebook(content: bytes, subject: str) -> Notebook | tuple[Refusal, ...]:
    """The notebook, or everything against reviewing it."""
    if len(content) > MOST_BYTES:
        return (
            _refusal(
                "notebook.large",
                subject,
                msg("The notebook is larger than {count} bytes.", count=MOST_BYTES),
                msg("Leave out what is not needed; people read it before it runs."),
            ),
        )
    try:
        said = json.loads(content.decode("utf-8"))
        cells = tuple(_cell(number, cell) for number, cell in enumerate(said["cells"], start=1))
        metadata, version = said.get("metadata", {}), said["nbformat"]
        formed = isinstance(metadata, dict) and version == 4 and isinstance(said["cells"], list)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        formed = False
    if not formed:
        return (
            _refusal(
                "notebook.form",
                subject,
                msg("The file is no notebook of format 4."),
                msg("Save it in JupyterLab, then choose it again."),
            ),
        )
    found = tuple(_against(subject, said["cells"], cells, metadata))
    return found or Notebook(cells=cells)


def _cell(number: int, cell: Mapping[str, Any]) -> Cell:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    return Cell(number=number, kind=str(cell["cell_type"]), lines=tuple(text.split("\n")))


def _against(
    subject: str, raw: list[Mapping[str, Any]], cells: tuple[Cell, ...], metadata: Mapping[str, Any]
) -> Iterator[Refusal]:
    code = [cell for cell in cells if cell.kind == CODE]
    if not _is_python(metadata):
        yield _refusal(
            "notebook.kernel",
            subject,
            msg("The notebook names another kernel than Python 3."),
            msg("Choose the Python 3 kernel, save it, then choose it again."),
        )
    lines = sum(len(cell.lines) for cell in cells)
    known = all(cell.kind in (CODE, TEXT) for cell in cells)
    if not code or len(cells) > MOST_CELLS or lines > MOST_LINES or not known:
        yield _refusal(
            "notebook.cells",
            subject,
            msg(
                "A notebook has cells of code and text alone, at least one of code, at most {cells} and {lines} lines.",
                cells=MOST_CELLS,
                lines=MOST_LINES,
            ),
            msg("Split it, or take out cells of other kinds."),
        )
    if any(cell.get("outputs") for cell in raw):
        yield _refusal(
            "notebook.outputs",
            subject,
            msg("The notebook holds outputs of earlier runs."),
            msg("In JupyterLab: Edit, Clear Outputs of All Cells; save it, then choose it again."),
        )
    if any(cell.get("attachments") for cell in raw):
        yield _refusal(
            "notebook.attachments",
            subject,
            msg("The notebook holds attachments."),
            msg("Take pictures out of the text cells."),
        )
    magic = [cell.number for cell in code if any(line.lstrip().startswith(_SHELL) for line in cell.lines)]
    if magic:
        yield _refusal(
            "notebook.magic",
            subject,
            msg("Cells with magics or shell commands: {cells}.", cells=", ".join(map(str, magic))),
            msg("Write plain Python: lines that begin with '!', '%' or '?' are not run."),
        )
    hiding = [cell.number for cell in cells if any(_hides(line) for line in cell.lines)]
    if hiding:
        yield _refusal(
            "notebook.signs",
            subject,
            msg("Cells with signs that hide or reorder text: {cells}.", cells=", ".join(map(str, hiding))),
            msg("Type these lines anew instead of pasting them."),
        )


def _is_python(metadata: Mapping[str, Any]) -> bool:
    kernel, language = metadata.get("kernelspec", {}), metadata.get("language_info", {})
    if not isinstance(kernel, dict) or not isinstance(language, dict):
        return False
    return (kernel.get("name", "python3"), language.get("name", "python")) == ("python3", "python")


def _hides(line: str) -> bool:
    return any(unicodedata.category(sign) in _HIDING for sign in line if sign != "\t")


def _refusal(rule: str, subject: str, text: Message, next_step: Message) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=BASIS)
