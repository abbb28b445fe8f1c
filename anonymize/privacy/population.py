"""How many people are unique in the population that a table was drawn from: estimates from the table alone.

A row that is alone in the table may still have doubles outside of it. Three models say how likely that is not so, and
Dankar's rule says which of them to believe:

- Zayatz: classes of the population are taken to be of the sizes seen in the table, thinned by drawing.
- Pitman: sizes of classes follow Pitman's sampling formula, fitted by maximum likelihood.
- SNB: sizes follow a shifted negative binomial, fitted to the numbers of classes of one and of two; the number of
  classes in the population is Shlosser's estimate.
- Dankar: Pitman up to a tenth of the population drawn, above that the smaller of Zayatz and SNB; Zayatz where a model
  has no answer.

ARX 3.9.2 prints an SNB figure that is smaller by orders of magnitude, most often 0: in its sources (`ModelSNB.java`)
two pairs of parentheses are missing, in Shlosser's estimate and in the second equation, which makes the population
hold hardly more classes than the table; and where its solver finds nothing, it prints 0. `snb_arx` is that figure,
for reading our reports beside those of ARX. It is never believed.

Sources: Zayatz 1991 (US Census Bureau RR-91/08); Hoshino 2001 (J. Official Statistics 17); Chen and McNulty 1998;
Haas and Stokes 1998 for Shlosser; Dankar, El Emam, Neisa and Roffey 2012 (BMC Med. Inform. 12:66).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, root
from scipy.special import expit, gammaln

from anonymize.errors import BadInput
from anonymize.privacy.classes import Classes
from anonymize.text import Text

SMALL_FRACTION: Final = 0.1
"""Up to this share drawn, Dankar's rule believes Pitman."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationUniques:
    """Estimated shares of the population that are unique in it.

    Units: `population` and `drawn` count people; the estimates are shares of the population from 0 to 1, None where a
    model has no answer. `believed` names the model that Dankar's rule takes; "count" where nothing had to be estimated.
    `snb_arx` is what ARX prints for SNB, 0 where it has no answer.
    """

    population: int
    drawn: int
    zayatz: float
    pitman: float | None
    snb: float | None
    snb_arx: float
    dankar: float
    believed: str

    def as_json(self) -> dict[str, Any]:
        """As `zhakou risk --population --json` prints it."""
        return {
            "population": self.population,
            "sampling_fraction": self.drawn / self.population,
            "zayatz": self.zayatz,
            "pitman": self.pitman,
            "snb": self.snb,
            "snb_arx": self.snb_arx,
            "dankar": self.dankar,
            "believed": self.believed,
        }


def estimate_population_uniques(classes: Classes, *, population: int) -> PopulationUniques:
    """The estimates for a table drawn at random from `population` people.

    Raises:
        BadInput: the population is smaller than the table.
    """
    if population < classes.rows:
        raise BadInput(
            code="risk.population_small",
            subject="--population",
            text=Text(
                f"总体人数被拒绝：小于表的行数 {classes.rows}。",
                f"Population refused: it is smaller than the {classes.rows} rows of the table.",
            ),
            next_step=Text("请填写该表所抽取的总体的人数。", "Name how many people the table was drawn from."),
        )
    if classes.uniques == 0 or population == classes.rows:
        share = classes.uniques / population
        return PopulationUniques(
            population=population,
            drawn=classes.rows,
            zayatz=share,
            pitman=share,
            snb=share,
            snb_arx=share,
            dankar=share,
            believed="count",
        )
    sizes, counts = (values.astype(np.float64) for values in np.unique(classes.sizes, return_counts=True))
    zayatz = _zayatz(sizes, counts, population)
    pitman, snb = _pitman(sizes, counts, population), _snb(sizes, counts, population)
    answers = {"zayatz": zayatz, "pitman": pitman, "snb": snb}
    believed = "zayatz"
    if classes.rows <= SMALL_FRACTION * population:
        believed = "zayatz" if pitman is None else "pitman"
    elif snb is not None and snb <= zayatz:
        believed = "snb"
    return PopulationUniques(
        population=population,
        drawn=classes.rows,
        zayatz=zayatz,
        pitman=pitman,
        snb=snb,
        snb_arx=_snb(sizes, counts, population, as_arx=True) or 0.0,
        dankar=answers[believed] or 0.0,
        believed=believed,
    )


def _zayatz(sizes: Floats, counts: Floats, population: int) -> float:
    """Share of sample uniques, times the chance that a sample unique is one of the population.

    Shape: `sizes` distinct sizes of classes, ascending from 1; `counts` the classes of each.
    """
    drawn = float((sizes * counts).sum())
    # Chance that exactly one person of a class of each size is drawn: hypergeometric.
    alone = np.exp(
        np.log(sizes)
        + _log_choose(population - sizes, np.float64(drawn - 1))
        - _log_choose(np.float64(population), np.float64(drawn))
    )
    return float(counts[0] / drawn * counts[0] * alone[0] / (counts * alone).sum())


def _log_choose(n: Any, k: Any) -> Any:
    """Logarithm of the binomial coefficient; minus infinity where k exceeds n."""
    possible = n >= k
    answer = gammaln(np.where(possible, n, k) + 1) - gammaln(k + 1) - gammaln(np.where(possible, n - k, 0) + 1)
    return np.where(possible, answer, -np.inf)


def _pitman(sizes: Floats, counts: Floats, population: int) -> float | None:
    drawn, classes = float((sizes * counts).sum()), float(counts.sum())

    def unlikely(point: Floats) -> float:
        a, t = _pitman_parameters(point)
        likely = (classes - 1) * log(a) + gammaln(t / a + classes) - gammaln(t / a + 1)
        likely -= gammaln(t + drawn) - gammaln(t + 1)
        return -float(likely + (counts * (gammaln(sizes - a) - gammaln(1 - a))).sum())

    start = np.array([0.0, log(max(classes, 2.0))])
    found = minimize(
        unlikely, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-9, "maxiter": 4000, "maxfev": 8000}
    )
    a, t = _pitman_parameters(found.x)
    if not found.success or not 1e-9 < a < 1 - 1e-9:
        return None
    share = exp(gammaln(t + 1) - gammaln(t + a) + (a - 1) * log(population))
    return share if 0 <= share <= 1 else None


def _pitman_parameters(point: Floats) -> tuple[float, float]:
    """Alpha between 0 and 1 and theta above minus alpha, from two unbounded numbers."""
    a = float(np.clip(expit(point[0]), 1e-12, 1 - 1e-12))
    return a, float(np.exp(np.clip(point[1], -30, 60))) - a


def _snb(sizes: Floats, counts: Floats, population: int, *, as_arx: bool = False) -> float | None:
    ones, twos = (float(counts[sizes == size].sum()) for size in (1, 2))
    f = float((sizes * counts).sum()) / population
    classes = _shlosser(sizes, counts, f, as_arx=as_arx)

    def apart(point: Floats) -> Floats:
        a, b = np.exp(point[0]), expit(point[1])
        c = (1 - f) * (1 - b)
        one = classes * f * (b / (1 - c)) ** a * (a * c / (1 - c) + 1)
        power = (1 - c) ** (a + 2)
        two = classes * f**2 * a * b**a * (1 - b) / 2 * (2 - (1 - a) * c) * (power if as_arx else 1 / power)
        return np.array([one / ones - 1, two / max(twos, 1.0) - 1])

    for start in ((-1.0, -1.0), (0.0, 0.0), (-3.0, -5.0), (1.0, 1.0), (-6.0, -8.0)):
        with np.errstate(all="ignore"):
            found = root(apart, np.array(start), method="hybr")
            a, b = float(np.exp(found.x[0])), float(expit(found.x[1]))
            share = classes * b**a / population
        if found.success and isfinite(share) and np.abs(found.fun).max() < 1e-6 and 0 <= share <= 1:
            return float(share)
    return None


def _shlosser(sizes: Floats, counts: Floats, f: float, *, as_arx: bool) -> float:
    """Estimated number of classes in the population, from a share `f` drawn; the modified form of Haas and Stokes."""
    missed = (1 - f) ** sizes
    once = sizes * f**2 * (1 - f**2) ** (sizes - 1)
    seen = missed * (1 + f) ** sizes * counts - 1 if as_arx else missed * ((1 + f) ** sizes - 1) * counts
    ratio = (once * counts).sum() / seen.sum()
    spread = (missed * counts).sum() / (sizes * f * (1 - f) ** (sizes - 1) * counts).sum()
    return float(counts.sum() + counts[sizes == 1].sum() * ratio * spread**2)
