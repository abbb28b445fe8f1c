"""Drop: the column does not enter the extract at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from anonymize.text import Text


@dataclass(frozen=True, slots=True)
class Drop:
    """Leave the column out."""

    name: ClassVar[str] = "drop"
    whole_column: ClassVar[bool] = False
    uses_key: ClassVar[bool] = False

    def params(self) -> dict[str, Any]:
        return {}

    def words(self) -> Text:
        return Text("整列删除", "column left out")
