"""Runs the cells of one notebook from standard input, in order, in a box that holds the data: `sealed.py`.

Nothing that the code prints, draws or raises leaves: its streams go to nowhere, and all that is reported is one line of
JSON with the number of the cell that failed and the name of the exception's class. The code runs in a child and can
forge that line; whoever reads it takes from it a number in range and a name from a fixed list (`sandbox.sealed`).

Cells are plain Python: no magics, no shell. `await` works at the top, as it does in a notebook.
"""

import ast
import asyncio
import contextlib
import inspect
import json
import os
import select
import sys
import types
from typing import Any

REPORT_BYTES = 4096


def run_cells(cells: list[tuple[int, str]], say: int) -> None:
    """Execute the cells in one namespace; write down each as it begins, and how the last one ended."""
    module = types.ModuleType("__main__")
    module.__dict__.update({"display": lambda *shown, **how: None, "__builtins__": __builtins__})
    sys.modules["__main__"] = module
    for number, source in cells:
        os.write(say, f"{number}\n".encode())
        try:
            code = compile(source, f"<cell {number}>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            waits = eval(code, module.__dict__)  # noqa: S307 - this is what the box is for
            if inspect.iscoroutine(waits):
                asyncio.run(waits)
        except BaseException as error:  # noqa: BLE001 - whatever it raises, its class is all that is told
            os.write(say, f"! {type(error).__name__}\n".encode()[:REPORT_BYTES])
            os._exit(1)
    os.write(say, b".\n")
    os._exit(0)


def code_cells(notebook: dict[str, Any]) -> list[tuple[int, str]]:
    """Number (from 1, over all cells) and source of each cell of code."""
    found = []
    for number, cell in enumerate(notebook["cells"], start=1):
        source = cell["source"]
        if cell["cell_type"] == "code":
            found.append((number, source if isinstance(source, str) else "".join(source)))
    return found


def main() -> None:
    cells = code_cells(json.loads(sys.stdin.buffer.read()))
    report = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(report)
        os.close(hear)
        run_cells(cells, say)
    os.close(say)
    said = b""
    os.set_blocking(hear, False)
    while True:  # until the child is gone: what it started may live on and hold the pipe, and ends with the box
        select.select([hear], [], [], 0.1)
        with contextlib.suppress(BlockingIOError):
            said = (said + os.read(hear, REPORT_BYTES))[-REPORT_BYTES:]
        if os.waitpid(child, os.WNOHANG)[0]:
            break
    with contextlib.suppress(BlockingIOError):
        while chunk := os.read(hear, REPORT_BYTES):
            said = (said + chunk)[-REPORT_BYTES:]
    lines = said.decode("utf-8", "replace").split("\n")
    begun = [line for line in lines if line.isdigit()]
    ended = lines[-2] if len(lines) > 1 else ""
    answer = {
        "finished": ended == ".",
        "cell": int(begun[-1][:9]) if begun else 0,
        "error": ended[2:] if ended.startswith("! ") else "",
    }
    os.write(report, json.dumps(answer).encode())
    os._exit(0)


if __name__ == "__main__":
    main()
