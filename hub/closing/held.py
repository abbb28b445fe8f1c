"""Hold something that was found elsewhere, in a backup for instance, against a certificate of destruction."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from hub.closing.disk import measure
from hub.message import msg
from hub.products.verify import Step


def step_of(statement: dict[str, Any], found: Path) -> Step:
    """Whether `found`, a folder or a file, is one of the things that `statement` certifies as destroyed.

    Raises:
        OSError: Something in it cannot be read.
    """
    if found.is_dir():
        digest = measure(found).sha256
    else:
        with found.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    for item in statement["predicate"].get("items", ()):
        if digest in (item["sha256"], *item.get("contents", ())):
            text = msg(
                "this is a copy of {thing}, which was certified as destroyed", thing=f"{item['kind']} {item['id']}"
            )
            return Step(code="copy.found", holds=False, text=text)
    return Step(code="copy.found", holds=True, text=msg("this is none of the things that were destroyed"))
