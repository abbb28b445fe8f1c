"""What the lattice search makes as small as it can, as bounds that a branch can't get below.

- ncp: the mean over cells of (|S| - 1) / (n - 1); a removed row's cells count 1.
- entropy: non-uniform entropy. A cell that shows a label in place of x costs log2 of the label's rows over those of x,
  both counted in the table as it came; a removed row's cells cost as "*" does. Given as the share of the most possible.
- discernibility: the sum of |class|^2 over the classes, plus rows for each row removed; over rows^2.
- average_class_size: rows over classes, all removed rows counting as one class more.

Sources: NCP, Xu et al. 2006; non-uniform entropy, Gionis and Tassa 2009; discernibility, Bayardo and Agrawal 2005;
average class size, LeFevre et al. 2006; removed rows as ARX counts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymize.privacy.histogram import Codes, Histogram
from anonymize.target import Metric, Target

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The target's metric over one histogram.

    Shape: `cells[c][l]` is what a cell of column c costs at its l-th level, one entry per leaf; zero for metrics of
    classes. Units: `removed` is the cost of one removed row.
    """

    metric: Metric
    rows: int
    k: int
    cells: tuple[tuple[Floats, ...], ...]
    removed: float
    base: float

    def least(self, *, weight: Codes, loss: Floats) -> Floats:
        """For rows that stand: what each person in them costs at least, given the loss of their cells so far."""
        return np.maximum(weight, self.k).astype(np.float64) if self.metric is Metric.DISCERNIBILITY else loss

    def bound(self, *, group: Codes, weight: Codes, loss: Floats, lost: int, keepable: Codes, doomed: Codes) -> float:
        """What no completion of a branch gets below.

        Shape: `group`, `weight`, `loss` have one entry per row, `keepable` and `doomed` one per group: how many of its
        people can be kept at most, and how many can't.
        """
        if self.metric is Metric.AVERAGE_CLASS_SIZE:
            distinct = np.bincount(group, minlength=len(keepable))
            return self.rows / (float(np.minimum(distinct, keepable // self.k).sum()) + 1)
        least = self.least(weight=weight, loss=loss)
        total = float((weight * least).sum()) + lost * self.removed
        if doomed.any():
            dearest = np.zeros(len(doomed))
            np.maximum.at(dearest, group, least)
            total += float((doomed * np.maximum(self.removed - dearest, 0)).sum())
        return total

    def cost(self, *, group: Codes, groups: int, weight: Codes, loss: Floats, lost: int) -> float:
        """What one generalization costs, every column assigned."""
        match self.metric:
            case Metric.AVERAGE_CLASS_SIZE:
                return self.rows / max(groups + (lost > 0), 1)
            case Metric.DISCERNIBILITY:
                sizes = np.bincount(group, weights=weight, minlength=groups)
                return float((sizes * sizes).sum()) + lost * self.removed
            case Metric.NCP | Metric.ENTROPY:
                return float((weight * loss).sum()) + lost * self.removed

    def value(self, cost: float) -> float:
        """A cost in the metric's own units: a share for ncp, entropy and discernibility, rows for the class size."""
        match self.metric:
            case Metric.AVERAGE_CLASS_SIZE:
                return cost
            case Metric.DISCERNIBILITY:
                return cost / self.rows**2
            case Metric.NCP:
                return cost / (self.rows * len(self.cells))
            case Metric.ENTROPY:
                most = self.rows * len(self.cells) * np.log2(max(self.rows, 1)) - self.base
                return float((cost - self.base) / most) if most > 0 else 0.0


def build_objective(histogram: Histogram, target: Target) -> Objective:
    """The metric that the target names, with the price of a removed row."""
    rows, width = histogram.rows, len(histogram.columns)
    cells, removed, base = _ncp_cells(histogram), float(width), 0.0
    if target.metric is Metric.ENTROPY:
        cells, removed = _entropy_cells(histogram), width * float(np.log2(max(rows, 1)))
        base = sum(
            float((histogram.weights * logs[codes]).sum())
            for logs, codes in zip(_leaf_logs(histogram), histogram.quasi, strict=True)
        )
    elif target.metric is not Metric.NCP:
        cells = tuple(tuple(np.zeros(len(one)) for one in column) for column in cells)
        removed = float(rows)
    return Objective(
        metric=target.metric,
        rows=rows,
        k=target.k,
        cells=cells,
        removed=removed * target.suppression_cost,
        base=base,
    )


def _ncp_cells(histogram: Histogram) -> tuple[tuple[Floats, ...], ...]:
    return tuple(tuple(level.loss_of_leaf for level in column.levels) for column in histogram.columns)


def _entropy_cells(histogram: Histogram) -> tuple[tuple[Floats, ...], ...]:
    """Log2 of the rows under each label: what the exact value's own rows take off is the same everywhere (`base`)."""
    cells = []
    for column, codes in zip(histogram.columns, histogram.quasi, strict=True):
        rows = np.bincount(codes, weights=histogram.weights, minlength=len(column.leaves))
        cells.append(
            tuple(
                np.log2(np.maximum(np.bincount(level.block_of_leaf, weights=rows), 1))[level.block_of_leaf]
                for level in column.levels
            )
        )
    return tuple(cells)


def _leaf_logs(histogram: Histogram) -> list[Floats]:
    return [
        np.log2(np.maximum(np.bincount(codes, weights=histogram.weights, minlength=len(column.leaves)), 1))
        for column, codes in zip(histogram.columns, histogram.quasi, strict=True)
    ]
