"""Keep: the column enters the extract unchanged. A kept quasi-identifier still counts in every equivalence class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from anonymize.text import Text


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave every value as it is."""

    name: ClassVar[str] = "keep"
    whole_column: ClassVar[bool] = False
    uses_key: ClassVar[bool] = False

    def params(self) -> dict[str, Any]:
        return {}

    def words(self) -> Text:
        return Text("原样保留", "kept as it is")
