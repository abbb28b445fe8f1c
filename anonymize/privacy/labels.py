"""The labels of a column as numbers: what a cell may be released as, and what taking in one more value makes of it.

Local recoding joins rows into classes and gives each class, column by column, the finest label that covers all its
members. Since levels nest, that label is found from any one member and the newcomer: no need to look at the others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import inf
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymize.techniques.generalize import Leveled

Ids = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float32]

NO_LABEL: Final = -1
"""Where no level that may be released covers two values."""
_CACHED: Final = 4096
"""Answers kept a column; a column of more labels computes the rest anew."""


class Labels:
    """All labels under which one column may be released, numbered across its levels, finest first.

    Shape: `at_level[l]` has one label per leaf for the l-th level that may be released; `level` gives the position of a
    label's level among these; `steps` are the positions of the levels that join what the one before did
    not; `loss` has one entry per label and, as its last, infinity for `NO_LABEL`.
    Units: loss is NCP of a cell, as in `Level`.
    """

    def __init__(self, column: Leveled) -> None:
        starts = np.cumsum([0, *(level.blocks for level in column.levels)])
        self.at_level = [
            (level.block_of_leaf + start).astype(np.int32)
            for level, start in zip(column.levels, starts[:-1], strict=True)
        ]
        self.count = int(starts[-1])
        self.level = np.zeros(self.count, dtype=np.int32)
        self.loss = np.full(self.count + 1, inf)
        self._leaf = np.zeros(self.count, dtype=np.int64)
        for position, (labels, level) in enumerate(zip(self.at_level, column.levels, strict=True)):
            self.level[labels] = position
            self.loss[labels] = level.loss_of_leaf
            self._leaf[labels] = np.arange(len(labels))
        blocks = [level.blocks for level in column.levels]
        self.steps = [position for position in range(len(blocks)) if blocks[position] not in blocks[:position]]
        self.joined_by_label: Callable[[int], Ids] = lru_cache(_CACHED)(self._joined_by_label)
        self.joined_by_leaf: Callable[[int], Ids] = lru_cache(_CACHED)(self._joined_by_leaf)
        self.cost_by_label: Callable[[int], Costs] = lru_cache(_CACHED)(self._cost_by_label)
        self.cost_by_leaf: Callable[[int], Costs] = lru_cache(_CACHED)(self._cost_by_leaf)

    def _joined_by_label(self, label: int) -> Ids:
        """What `label` becomes when it takes in a leaf: one label per leaf."""
        leaf, lowest = self._leaf[label], int(self.level[label])
        answer = np.full(len(self.at_level[0]), NO_LABEL, dtype=np.int32)
        for labels in self.at_level[: lowest - 1 if lowest else None : -1]:
            np.copyto(answer, labels, where=labels == labels[leaf])
        return answer

    def _joined_by_leaf(self, leaf: int) -> Ids:
        """What a label becomes when it takes in `leaf`: one label per label, with `NO_LABEL` mapped to itself."""
        answer = np.full(self.count + 1, NO_LABEL, dtype=np.int32)
        for position in range(len(self.at_level) - 1, -1, -1):
            above = self.at_level[position][self._leaf]
            covers = (above == self.at_level[position][leaf]) & (self.level <= position)
            np.copyto(answer[:-1], above, where=covers)
        return answer

    def _cost_by_label(self, label: int) -> Costs:
        return self.loss[self.joined_by_label(label)].astype(np.float32)

    def _cost_by_leaf(self, leaf: int) -> Costs:
        return self.loss[self.joined_by_leaf(leaf)].astype(np.float32)
