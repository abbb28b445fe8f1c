"""The host's look at the notebooks of a workspace's home, and the copy of one that is kept for a sealed run.

The folder belongs to hostile code that may be changing it now; how a file is reached and kept: see `sandbox.outbox`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.errors import FreezeRefused, Words
from sandbox.outbox import FrozenFile, checked_name, keep, open_folder, plain_file
from sandbox.spec import MIB

MOST_BYTES: Final = 1 * MIB
"""A notebook without outputs is text that a person reads before it runs."""
MOST_LISTED: Final = 200
SUFFIX: Final = ".ipynb"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookFile:
    """One notebook at the top of the home."""

    name: str
    size: int


def list_notebooks(home: Path) -> list[NotebookFile]:
    """The notebooks at the top of a home, by name; what can't be kept is left out."""
    found = []
    with open_folder(home) as root:
        with os.scandir(root) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(SUFFIX))
        for name in names[:MOST_LISTED]:
            try:
                with plain_file(root, checked_name(name)) as fd:
                    found.append(NotebookFile(name=name, size=os.fstat(fd).st_size))
            except FreezeRefused:
                continue
    return found


def freeze_notebook(home: Path, name: str, store: Path) -> FrozenFile:
    """Copy one notebook into the store, named by its digest.

    Raises:
        FreezeRefused: there is none of this name, it is no plain file, or larger than a person can read.
        OSError: there is no home.
    """
    if not name.endswith(SUFFIX):
        raise FreezeRefused(
            "sandbox.freeze.not_a_notebook",
            Words(en="The file is no notebook (.ipynb).", zh="该文件不是笔记本（.ipynb）。"),
            Words(en="Choose a notebook at the top of the workspace.", zh="请选择工作空间顶层的笔记本。"),
        )
    with open_folder(home) as root, plain_file(root, checked_name(name)) as fd:
        digest, size, path = keep(fd, store, max_bytes=MOST_BYTES)
    return FrozenFile(name=name, size=size, sha256=digest, path=path)
