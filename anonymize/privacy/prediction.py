"""A classification task before and after: how much worse the extract predicts one column from the quasi-identifiers.

The figure that ARX reports, too: multinomial logistic regression on one-hot cells, three-fold cross-validation, beside
the baseline that always says the commonest class. Nothing of the model is kept but three shares.

Source: Iyengar 2002, classification as a utility metric; Hastie, Tibshirani and Friedman 2009, section 4.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import logsumexp

from anonymize.errors import Place
from anonymize.privacy.covers import as_numbers, comparable
from anonymize.text import Text

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

MAX_ROWS: Final = 20_000
"""Rows the models learn from at most, drawn evenly."""
MAX_CLASSES: Final = 50
MAX_CELLS: Final = 100
"""Cells of one column told apart at most: more numbers are cut into as many bands, of other cells the rest is one."""
FOLDS: Final = 3
PENALTY: Final = 1e-4
"""Weight of the squared coefficients (ridge) per row."""
_ITERATIONS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """How well a column is predicted.

    Units: shares of rows classified rightly; `relative` is what is left of the gain over the baseline, None where the
    source itself has none.
    """

    target: str
    baseline: float
    before: float
    after: float

    @property
    def relative(self) -> float | None:
        gain = self.before - self.baseline
        return (self.after - self.baseline) / gain if gain > 0 else None

    def as_json(self) -> dict[str, Any]:
        relative = self.relative
        return {
            "target": self.target,
            "baseline": round(self.baseline, 6),
            "before": round(self.before, 6),
            "after": round(self.after, 6),
            "relative": None if relative is None else round(relative, 6),
        }


def measure_prediction(
    before: pl.DataFrame,
    after: pl.DataFrame,
    *,
    features: Sequence[str],
    target: str,
    table: str,
    tell: Callable[[str, float], None] = lambda step, share: None,
) -> Prediction:
    """Predict `target` from `features` in both tables, each from its own cells.

    Raises:
        BadInput: the target has one value alone, or more than `MAX_CLASSES`.
    """
    for frame in (before, after):
        classes = comparable(frame[target]).n_unique()
        if not 2 <= classes <= MAX_CLASSES or frame.height < 2 * FOLDS:
            raise Place(table=table, column=target).refuse(
                "utility.not_predictable",
                found=Text(
                    f"有 {classes} 个不同取值，只能预测 2 至 {MAX_CLASSES} 个取值的列",
                    f"it has {classes} distinct values; only a column of 2 to {MAX_CLASSES} can be predicted",
                ),
                next_step=Text("请选择其他列。", "Choose another column."),
            )
    counts = before[target].value_counts()["count"]
    accuracies: list[float] = []
    for frame in (before, after):
        tell("learn", len(accuracies) / 2)
        drawn = frame.gather_every(max(1, -(-frame.height // MAX_ROWS)))
        accuracies.append(_cross_validate(drawn, features, target))
    return Prediction(
        target=target, baseline=int(counts.to_numpy().max()) / before.height, before=accuracies[0], after=accuracies[1]
    )


def _cross_validate(frame: pl.DataFrame, features: Sequence[str], target: str) -> float:
    matrix = _one_hot([_codes(frame[name]) for name in features])
    classes = comparable(frame[target]).cast(pl.String).rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    _, label = np.unique(classes, return_inverse=True)
    # Folds by a hash of the row number: in order of the file alike rows may follow each other.
    fold = (np.arange(len(label), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)) % np.uint64(FOLDS)
    right = 0
    for number in range(FOLDS):
        test = fold == number
        weights = _fit(matrix[~test], label[~test], int(label.max()) + 1)
        right += int(((matrix[test] @ weights).argmax(axis=1) == label[test]).sum())
    return right / len(label)


def _fit(matrix: Any, label: Ids, classes: int) -> Floats:
    """Coefficients of softmax regression with a ridge penalty, one row per feature and one column per class."""
    rows, features = matrix.shape
    wanted = np.zeros((rows, classes))
    wanted[np.arange(rows), label] = 1.0

    def cost(point: Floats) -> tuple[float, Floats]:
        weights = point.reshape(features, classes)
        scores = matrix @ weights
        total = logsumexp(scores, axis=1)
        loss = float((total - (scores * wanted).sum(axis=1)).mean() + PENALTY * (point**2).sum() / 2)
        slope = matrix.T @ (np.exp(scores - total[:, None]) - wanted) / rows + PENALTY * weights
        return loss, slope.ravel()

    found = minimize(cost, np.zeros(features * classes), jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS})
    weights: Floats = found.x.reshape(features, classes)
    return weights


def _codes(column: pl.Series) -> Ids:
    """Cells as numbers from 0, at most `MAX_CELLS` and one for the rest."""
    numbers = as_numbers(column) if not column.dtype.is_nested() else None
    if numbers is not None and column.n_unique() > MAX_CELLS:
        edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, MAX_CELLS + 1)[1:-1]))
        return np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers)).astype(np.int64)
    text = comparable(column).cast(pl.String)
    counts = pl.DataFrame({"cell": text}).group_by("cell").len("rows").sort("rows", "cell", descending=[True, False])
    known = counts.head(MAX_CELLS).with_row_index("code")
    joined = pl.DataFrame({"cell": text}).join(known, on="cell", how="left", nulls_equal=True, maintain_order="left")
    return joined["code"].cast(pl.Int64).fill_null(MAX_CELLS).to_numpy()


def _one_hot(codes: Sequence[Ids]) -> Any:
    rows = len(codes[0]) if codes else 0
    starts = np.cumsum([0, *(int(each.max(initial=0)) + 1 for each in codes)])
    columns = np.concatenate(
        [each + start for each, start in zip(codes, starts[:-1], strict=True)] + [np.full(rows, starts[-1])]
    )
    places = np.tile(np.arange(rows), len(codes) + 1)
    return csr_matrix((np.ones(len(columns)), (places, columns)), shape=(rows, int(starts[-1]) + 1))
