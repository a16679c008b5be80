"""How sure a measured rate is: intervals for counts, and a bootstrap that draws people, not pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95
DRAWS = 400
"""Bootstrap samples; the ends of a 95 % interval then rest on ten of them each."""


@dataclass(frozen=True)
class Rate:
    """`count` of `total` cases, and the interval its true value lies in with 95 % confidence."""

    value: float
    """NaN where there is no case."""
    low: float
    high: float
    count: int
    total: int

    def __str__(self) -> str:
        if not self.total:
            return "no case"
        return f"{self.value:.4g} ({self.low:.2g} to {self.high:.2g}; {self.count:,} of {self.total:,})"

    def widened(self, low: float, high: float) -> Rate:
        """The same rate with an interval that also covers `low` to `high`."""
        return Rate(self.value, min(self.low, low), max(self.high, high), self.count, self.total)


@dataclass(frozen=True)
class Estimate:
    """A figure that is no share of cases (an area, an error rate read off a curve), with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


def wilson(count: int, total: int, confidence: float = CONFIDENCE) -> Rate:
    """Score interval (Wilson 1927): close to its confidence on average; for rates that are neither tiny nor near 1."""
    _possible(count, total)
    if not total:
        return Rate(math.nan, 0.0, 1.0, 0, 0)
    z, share = NormalDist().inv_cdf((1 + confidence) / 2), count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return Rate(share, max(middle - reach, 0.0) if count else 0.0, min(middle + reach, 1.0) if count < total else 1.0, count, total)


def clopper_pearson(count: int, total: int, confidence: float = CONFIDENCE) -> Rate:
    """Exact interval (Clopper & Pearson 1934): never less sure than it says, also for no case in many; 0 of N: about 0 to 3.7 / N."""
    _possible(count, total)
    if not total:
        return Rate(math.nan, 0.0, 1.0, 0, 0)
    tail = (1 - confidence) / 2
    low = _beta_quantile(tail, count, total - count + 1) if count else 0.0
    high = _beta_quantile(1 - tail, count + 1, total - count) if count < total else 1.0
    return Rate(count / total, low, high, count, total)


def draws(people: int, times: int = DRAWS, seed: int = 0) -> Iterator[np.ndarray]:
    """Bootstrap samples of people: (people,) how often each was drawn with replacement.

    Pairs of one person are not independent, so pairs may not be drawn singly. A pair of the same person counts as often as the
    person was drawn, a pair of two people as often as the product (Snijders & Borgatti 1999; Bolle, Ratha & Pankanti 2004).
    """
    random = np.random.default_rng(seed)
    for _ in range(times):
        yield np.bincount(random.integers(0, people, people), minlength=people)


def bootstrap(value: float, statistic: Callable[[np.ndarray], float], people: int, times: int = DRAWS, seed: int = 0) -> Estimate:
    """Percentile interval of a statistic of how often each person was drawn."""
    return percentiles(value, [statistic(weights) for weights in draws(people, times, seed)])


def percentiles(value: float, found: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """A value with the interval of its bootstrap samples; samples that are NaN (nothing to measure was drawn) do not count."""
    kept = [one for one in found if math.isfinite(one)]
    if not kept:
        return Estimate(value, math.nan, math.nan)
    low, high = np.quantile(kept, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, float(low), float(high))


def shares(right: np.ndarray, people: np.ndarray, times: int = DRAWS, seed: int = 0) -> Rate:
    """Cases (N,) in 0..1 that belong to people (N,): their mean, and the wider of Wilson's interval and one that draws people."""
    if len(right) == 0:
        return wilson(0, 0)
    names, number = np.unique(people, return_inverse=True)
    good, cases = np.bincount(number, right, len(names)), np.bincount(number, minlength=len(names))
    value = float(good.sum() / cases.sum())
    with np.errstate(invalid="ignore"):
        found = bootstrap(value, lambda weights: float(weights @ good / (weights @ cases)), len(names), times, seed)
    rate = wilson(round(float(good.sum())), len(right))
    return Rate(value, min(rate.low, found.low, value), max(rate.high, found.high, value), rate.count, rate.total)


def _possible(count: int, total: int) -> None:
    if not 0 <= count <= total:
        raise ValueError(f"found {count} of {total} cases, expected a count from 0 to {total}")


def _beta_quantile(share: float, a: float, b: float) -> float:
    """Where the beta distribution's cumulated density reaches `share`, by bisection in the logarithm of the odds."""
    low, high = -60.0, 60.0
    for _ in range(80):
        middle = (low + high) / 2
        if _beta_cumulated(1 / (1 + math.exp(-middle)), a, b) < share:
            low = middle
        else:
            high = middle
    return 1 / (1 + math.exp(-(low + high) / 2))


def _beta_cumulated(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b) by its continued fraction (Abramowitz & Stegun 26.5.8)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # there the fraction of the mirrored case converges faster
        return 1 - _beta_cumulated(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    whole, c, d = 1.0, 1.0, 0.0
    for step in range(1, 20_000):
        m = step // 2
        if step % 2:
            part = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            part = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + part * d or 1e-300)
        c = 1 + part / c or 1e-300
        whole *= c * d
        if abs(c * d - 1) < 1e-13:
            break
    return front / whole
