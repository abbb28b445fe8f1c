"""OpenDP's measurements for each query: from the integers of the rows to a release, calibrated to a stated loss.

The whole way from rows to release is one OpenDP measurement, so its privacy map speaks of the rows themselves: how much
is lost when one unit, which has at most `max_rows` of them, comes or goes. Before anything is released that map is held
against the stated loss, exactly. No noise is drawn here.

"contrib" is OpenDP's name for parts whose written proofs are not all reviewed yet; nothing in it runs without.
Source: The OpenDP Library 0.16, https://docs.opendp.org; Canonne, Kamath and Steinke, The Discrete Gaussian (2020);
Ghosh et al., Universally Utility-Maximizing Privacy Mechanisms (2012); Smith, Privacy-Preserving Statistical Estimation
(2011) for quantiles; Rogers, A Unifying Privacy Analysis Framework for Unknown Domain Algorithms (2023) for keys.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import polars as pl

from anonymize.privacy.dp.loss import Composition, Loss

CONFIDENCE: Final = 0.95
"""Of the intervals that are reported."""
_WIDEST: Final = 1e18
_SHY: Final = 1 - 1e-12
"""Parts of a shared loss are calibrated a hair below their share, so that their sum in floats stays within it."""


class PrivacyMapExceeded(RuntimeError):
    """A measurement would lose more than was paid for: a bug, stopped before anything is released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """A calibrated measurement over integers, one a row.

    `scales`, `errors`: of each part, in its own units; with probability 0.95 the noise of a part is at most its error.
    """

    measurement: Any
    name: str
    scales: tuple[float, ...]
    errors: tuple[int, ...]
    max_rows: int
    threshold: int | None = None

    @property
    def loss(self) -> tuple[float, float]:
        """What OpenDP's privacy map says for two tables that differ by one unit: amount and delta."""
        said = self.measurement.map(self.max_rows)
        return (float(said[0]), float(said[1])) if isinstance(said, tuple) else (float(said), 0.0)

    def check(self, paid: Loss) -> None:
        """Hold the map against what was paid for.

        Raises:
            PrivacyMapExceeded: it is more.
        """
        amount, delta = self.loss
        if Fraction(amount) > Fraction(paid.amount) or Fraction(delta) > Fraction(paid.delta):
            raise PrivacyMapExceeded(f"{self.name}: {amount}, {delta}")

    def release(self, codes: pl.Series) -> Any:
        """Draw the noise. Every call is a new release, and costs."""
        return self.measurement(codes.to_numpy(writable=True))


def load_opendp() -> Any:
    """OpenDP, loaded when first needed: its library is 265 MB, which no other command should wait for."""
    library: Any = importlib.import_module("opendp.prelude")
    library.enable_features("contrib")
    return library


def count_mechanism(paid: Loss, max_rows: int, composition: Composition) -> Mechanism:
    """Releases a number of rows."""
    rows = _rows() >> load_opendp().t.then_count()
    return _noisy(rows, paid, max_rows, composition)


def sum_mechanism(paid: Loss, max_rows: int, composition: Composition, *, steps: tuple[int, int]) -> Mechanism:
    """Releases a sum of steps, each within the bounds."""
    return _noisy(_clamped_sum(steps), paid, max_rows, composition)


def cells_mechanism(paid: Loss, max_rows: int, composition: Composition, *, cells: int) -> Mechanism:
    """Releases the numbers of rows in the cells 0 to `cells` - 1."""
    library = load_opendp()
    metric = "L1Distance<i64>" if composition is Composition.PURE else "L2Distance<f64>"
    rows = _rows() >> library.t.then_count_by_categories(list(range(cells)), null_category=False, MO=metric, TOA="i64")
    return _noisy(rows, paid, max_rows, composition)


def mean_mechanism(paid: Loss, max_rows: int, composition: Composition, *, steps: tuple[int, int]) -> Mechanism:
    """Releases a sum of steps around the middle of the bounds, and a number of rows.

    Each error holds with probability 0.975, so that both hold with 0.95.
    """
    half = _share(paid, 2)
    level = (1 + CONFIDENCE) / 2
    total = _noisy(_clamped_sum(steps), half, max_rows, composition, confidence=level)
    rows = _noisy(_rows() >> load_opendp().t.then_count(), half, max_rows, composition, confidence=level)
    return _composed([total, rows])


def quantiles_mechanism(
    paid: Loss, max_rows: int, composition: Composition, *, candidates: Sequence[int], levels: Sequence[Decimal]
) -> Mechanism:
    """Releases one candidate for each level: the more rows lie wrongly about it, the less likely.

    Errors are in rows: the released candidate's rank is with probability 0.95 at most so much further from the true
    rank than the best candidate's. With noise of the given scale on each of m scores, a candidate that is worse by
    scale * ln(m / 0.05) wins with probability 0.05 at most (union bound).
    """
    library, share = load_opendp(), _share(paid, len(levels))
    measure = library.max_divergence() if composition is Composition.PURE else library.zero_concentrated_divergence()
    space = library.vector_domain(library.atom_domain(T="i64")), library.symmetric_distance()
    parts = []
    for level in levels:

        def make(scale: float, level: Decimal = level) -> Any:
            return library.m.make_private_quantile(*space, measure, list(candidates), float(level), scale)

        scale = _scale(make, max_rows, share)
        error = math.ceil(scale * math.log(len(candidates) / (1 - CONFIDENCE)))
        parts.append(
            Mechanism(measurement=make(scale), name="exponential", scales=(scale,), errors=(error,), max_rows=max_rows)
        )
    return _composed(parts)


def keys_mechanism(paid: Loss, max_rows: int) -> Mechanism:
    """Releases the noisy counts, above a threshold, of whatever keys there are. Its loss is an epsilon and a delta."""
    library = load_opendp()
    counts = _rows() >> library.t.then_count_by(TV="i64")

    def make(scale: float, threshold: int = 2**62) -> Any:
        return counts >> library.m.then_laplace_threshold(scale=scale, threshold=threshold)

    amount, delta = _below(paid.amount), _below(paid.delta)
    scale = library.binary_search(lambda one: make(one).map(max_rows)[0] <= amount, bounds=(1e-6, _WIDEST), T=float)
    threshold = _least(lambda one: make(scale, one).map(max_rows)[1] <= delta, start=max_rows + 1)
    return Mechanism(
        measurement=make(scale, threshold),
        name="discrete Laplace with threshold",
        scales=(scale,),
        errors=(_error(scale, Composition.PURE, CONFIDENCE),),
        max_rows=max_rows,
        threshold=threshold,
    )


def _rows() -> Any:
    library = load_opendp()
    return library.vector_domain(library.atom_domain(T="i64")), library.symmetric_distance()


def _clamped_sum(steps: tuple[int, int]) -> Any:
    library = load_opendp()
    return _rows() >> library.t.then_clamp(steps) >> library.t.then_sum()


def _noisy(
    rows: Any, paid: Loss, max_rows: int, composition: Composition, *, confidence: float = CONFIDENCE
) -> Mechanism:
    library = load_opendp()
    is_pure = composition is Composition.PURE
    then_noise = library.m.then_laplace if is_pure else library.m.then_gaussian
    scale = _scale(lambda one: rows >> then_noise(scale=one), max_rows, paid)
    error = _error(scale, composition, confidence)
    name = "discrete Laplace" if is_pure else "discrete Gaussian"
    return Mechanism(
        measurement=rows >> then_noise(scale=scale), name=name, scales=(scale,), errors=(error,), max_rows=max_rows
    )


def _composed(parts: Sequence[Mechanism]) -> Mechanism:
    return Mechanism(
        measurement=load_opendp().c.make_composition([part.measurement for part in parts]),
        name=parts[0].name,
        scales=tuple(scale for part in parts for scale in part.scales),
        errors=tuple(error for part in parts for error in part.errors),
        max_rows=parts[0].max_rows,
    )


def _share(paid: Loss, parts: int) -> Loss:
    shy = Decimal(_SHY) if parts > 1 else 1
    return Loss(amount=paid.amount / parts * shy, delta=paid.delta)


def _scale(make: Callable[[float], Any], max_rows: int, paid: Loss) -> float:
    """The least noise whose map stays within the amount."""
    amount = _below(paid.amount)
    return float(
        load_opendp().binary_search(lambda one: make(one).map(max_rows) <= amount, bounds=(1e-6, _WIDEST), T=float)
    )


def _least(holds: Callable[[int], bool], *, start: int) -> int:
    """The least whole number from `start` on for which a condition holds that holds for all larger ones."""
    step = 1
    while not holds(start + step):
        step *= 2
    if holds(start):
        return start
    return int(load_opendp().binary_search(holds, bounds=(start, start + step), T=int))


def _below(amount: Decimal) -> float:
    """The largest float that is no more than a decimal."""
    nearest = float(amount)
    return nearest if Fraction(nearest) <= Fraction(amount) else math.nextafter(nearest, 0.0)


def _error(scale: float, composition: Composition, confidence: float) -> int:
    """Noise of this scale is at most so large with the confidence given (OpenDP's figure, rounded up)."""
    library = load_opendp()
    if composition is Composition.PURE:
        return math.ceil(float(library.discrete_laplacian_scale_to_accuracy(scale, 1 - confidence)))
    # OpenDP sums up the discrete tail term by term, too long for large scales; one step wider than the continuous
    # tail is enough (Canonne, Kamath and Steinke, Prop. 25).
    return math.ceil(float(library.gaussian_scale_to_accuracy(scale, 1 - confidence))) + 1
