"""Privacy loss as exact numbers: what one query costs, how costs add up, and how much is too much.

Amounts are decimals as they were written, so that ten queries of 0.1 cost 1 and not 0.9999999999999999.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final


class Composition(StrEnum):
    """How the costs of queries on one table add up.

    Source: `pure`, basic composition: Dwork and Roth, The Algorithmic Foundations of Differential Privacy (2014),
    Thm 3.16. `zcdp`: Bun and Steinke, Concentrated Differential Privacy (2016), Lemma 2.3.
    """

    PURE = "pure"
    """epsilons add, deltas add; Laplace noise."""
    ZCDP = "zcdp"
    """rhos add, deltas add; Gaussian noise. Many small queries cost less than under `pure`."""

    @property
    def parameter(self) -> str:
        """What an amount of it is called."""
        return "epsilon" if self is Composition.PURE else "rho"


MIN_AMOUNT: Final = {Composition.PURE: Decimal("0.001"), Composition.ZCDP: Decimal("0.000001")}
"""Below this an answer is noise alone."""
MAX_AMOUNT: Final = {Composition.PURE: Decimal(10), Composition.ZCDP: Decimal("1.35")}
"""The most that all queries of one licence on one table may cost; 1.35 is epsilon 10 at delta 1e-6.

Source: Ponomareva et al., How to DP-fy ML (JAIR 77, 2023), §5.2.1: above 10 nothing meaningful is promised
("tier 3"); NIST SP 800-226 (2025) warns of the same range.
"""
MIN_DELTA: Final = Decimal("1e-15")
MAX_DELTA: Final = Decimal("1e-5")
"""The chance that the promise fails altogether. Source: NIST SP 800-226: well below one in the number of people."""
STATED_DELTA: Final = 1e-6
"""At which a rho is also said as an epsilon."""
PLACES: Final = 18
"""Decimal places an amount may have; sums of such amounts are exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A privacy loss. Units: `amount` is an epsilon (composition pure) or a rho (zcdp); `delta` is a probability."""

    amount: Decimal
    delta: Decimal = Decimal(0)

    def __add__(self, other: Loss) -> Loss:
        return Loss(amount=self.amount + other.amount, delta=self.delta + other.delta)

    def __sub__(self, other: Loss) -> Loss:
        return Loss(amount=self.amount - other.amount, delta=self.delta - other.delta)

    def exceeds(self, limit: Loss) -> bool:
        """Whether either part is more than the limit's."""
        return self.amount > limit.amount or self.delta > limit.delta

    def as_json(self, composition: Composition) -> dict[str, str]:
        """Decimal texts: a float would not be what was written."""
        return {composition.parameter: plain(self.amount), "delta": plain(self.delta)}

    def in_words(self, composition: Composition) -> str:
        """`epsilon 0.5`, with the delta if there is one."""
        beyond = f", delta {self.delta.normalize():E}" if self.delta else ""
        return f"{composition.parameter} {plain(self.amount)}{beyond}"


NOTHING: Final = Loss(amount=Decimal(0))


def plain(amount: Decimal) -> str:
    """The one way an amount is written: no exponent, no trailing zeros."""
    return f"{amount.normalize():f}"


def epsilon_of_rho(rho: Decimal, delta: float = STATED_DELTA) -> float:
    """The epsilon at `delta` that rho-zCDP implies, rounded up.

    Source: Bun and Steinke (2016), Prop. 1.3.
    """
    exact = float(rho) + 2 * math.sqrt(float(rho) * math.log(1 / delta))
    return math.ceil(exact * 10_000) / 10_000
