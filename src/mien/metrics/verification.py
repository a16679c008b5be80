"""Same person or not: what distances of pairs say. A pair is accepted where its distance is at most the threshold.

The curve and its readings as in Grother, Ngan & Hanaoka, NIST FRVT part 1; the folds as in Huang et al. 2007 (LFW).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.metrics.intervals import DRAWS, Estimate, bootstrap, clopper_pearson, draws, percentiles

MOST_PAIRS = 4_000_000
"""Different-person pairs beyond which a fixed random choice of them is taken: 64 MB of numbers."""
BOOTSTRAPPED = 100_000
FEW = 30
"""Errors below which a rate is only known roughly: with 30, within 30 % at 90 % confidence (Doddington et al. 2000)."""


@dataclass(frozen=True)
class Pairs:
    """Distances of pairs of pictures, and who is on them."""

    distances: np.ndarray
    """(N,) float64."""
    first: np.ndarray
    """(N,) int: the person of the first picture, from 0."""
    second: np.ndarray
    """(N,) int."""
    people: int

    def __post_init__(self) -> None:
        if not len(self.distances) == len(self.first) == len(self.second):
            found = f"{len(self.distances)}, {len(self.first)} and {len(self.second)}"
            raise ValueError(f"found {found} distances, first and second people, expected as many of each")
        if not np.isfinite(self.distances).all():
            raise ValueError("a distance is not a finite number: leave out pictures without a vector first")

    @property
    def same(self) -> np.ndarray:
        """(N,) bool."""
        return self.first == self.second

    def choose(self, which: np.ndarray) -> Pairs:
        """Only some of the pairs: a mask or places (M,)."""
        return Pairs(self.distances[which], self.first[which], self.second[which], self.people)


@dataclass(frozen=True)
class Roc:
    """Every threshold that makes a difference, rising; index 0 accepts nothing."""

    thresholds: np.ndarray
    """(K,) float64; the first is -inf."""
    far: np.ndarray
    """(K,) share of different-person pairs accepted (false accept rate, false match rate)."""
    tar: np.ndarray
    """(K,) share of same-person pairs accepted (true accept rate)."""


@dataclass(frozen=True)
class AtRate:
    """The true accept rate where the false accept rate is at most the one asked for."""

    asked: float
    threshold: float
    far: float
    """What is reached; steps of one pair, so often less than asked."""
    tar: Estimate
    pairs: int
    """Different-person pairs."""

    @property
    def supported(self) -> bool:
        """Whether at least three pairs would be accepted: below, the data cannot tell this rate from none."""
        return self.asked * self.pairs >= 3


@dataclass(frozen=True)
class Folds:
    """Accuracy with the threshold from the other folds."""

    mean: float
    standard_error: float
    """Of the mean: the folds' standard deviation over the root of their number."""
    accuracies: tuple[float, ...]
    thresholds: tuple[float, ...]


def all_pairs(vectors: np.ndarray, people: np.ndarray, most: int = MOST_PAIRS, seed: int = 0) -> Pairs:
    """(N, D) vectors and (N,) names: every pair once by Euclidean distance; of two people's at most `most`, evenly drawn."""
    names, number = np.unique(people, return_inverse=True)
    rows, columns = pair_places(number, most, seed)
    return Pairs(pair_distances(vectors, rows, columns), number[rows], number[columns], len(names))


def pair_places(people: np.ndarray, most: int = MOST_PAIRS, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(N,) people -> (M,), (M,) places i < j: all pairs of one person, and all of two people or `most` of them."""
    count = len(people)
    if count * (count - 1) // 2 <= 2 * most:
        rows, columns = np.triu_indices(count, 1)
        different = np.flatnonzero(people[rows] != people[columns])
        if len(different) <= most:
            return rows, columns
        keep = people[rows] == people[columns]
        keep[np.random.default_rng(seed).choice(different, most, replace=False)] = True
        return rows[keep], columns[keep]
    # too many to list: each pair of places once, drawn, without those of one person
    random = np.random.default_rng(seed)
    low, high = np.sort(random.integers(0, count, (2, most + most // 8)), axis=0)
    drawn = np.unique((low * count + high)[people[low] != people[high]])
    drawn = random.permutation(drawn)[:most]
    own = [(places[a], places[b]) for places in map(np.flatnonzero, (people == one for one in np.unique(people)))
           for a, b in [np.triu_indices(len(places), 1)]]  # fmt: skip
    return (np.concatenate([*(a for a, _ in own), drawn // count]), np.concatenate([*(b for _, b in own), drawn % count]))


def pair_distances(vectors: np.ndarray, rows: np.ndarray, columns: np.ndarray, block: int = 65_536) -> np.ndarray:
    """(N, D) vectors, (M,) and (M,) places in them -> (M,) Euclidean distances, a block at a time."""
    out = np.empty(len(rows))
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        out[part] = np.linalg.norm(vectors[rows[part]].astype(np.float64) - vectors[columns[part]], axis=1)
    return out


def roc(distances: np.ndarray, same: np.ndarray, weights: np.ndarray | None = None) -> Roc:
    """(N,), (N,) bool[, (N,) how often each counts] -> the curve; equal distances are one step, so ties are neither won nor lost."""
    distances, same = np.asarray(distances), np.asarray(same, bool)
    return Ladder.of(distances, same).curve(np.ones(len(distances)) if weights is None else weights)


@dataclass(frozen=True)
class Ladder:
    """The distances sorted once, for many weightings."""

    steps: np.ndarray
    """(K,) different distances, rising."""
    place: np.ndarray
    """(N,) the step of each pair."""
    same: np.ndarray

    @classmethod
    def of(cls, distances: np.ndarray, same: np.ndarray) -> Ladder:
        """Raises ValueError where one kind of pair is missing: then there is nothing to tell apart."""
        if not (same.any() and not same.all()):
            kind = "different-person" if same.any() else "same-person"
            raise ValueError(f"there are no {kind} pairs among {len(same)}, expected some of both kinds")
        steps, place = np.unique(distances, return_inverse=True)
        return cls(steps, place, same)

    def curve(self, weights: np.ndarray) -> Roc:
        """(N,) how often each pair counts -> the curve; NaN rates where a kind of pair counts nowhere."""
        rates = []
        for kind in (~self.same, self.same):
            counts = np.bincount(self.place, weights * kind, len(self.steps)).cumsum()
            with np.errstate(invalid="ignore", divide="ignore"):
                rates.append(np.concatenate([[0.0], counts / counts[-1]]))
        return Roc(np.concatenate([[-np.inf], self.steps]), *rates)


def auc(curve: Roc) -> float:
    """Area under the curve: how often a same-person pair is nearer than a different-person pair, ties counting half."""
    return float(np.trapezoid(curve.tar, curve.far))


def eer(curve: Roc) -> float:
    """Equal error rate: where the curve, its steps joined by lines, has as many false accepts as false rejects."""
    gap = curve.far - (1 - curve.tar)
    after = int(np.argmax(gap >= 0))  # the last one accepts all, so there is one
    if not np.isfinite(gap).all():
        return float("nan")
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(curve.far[after - 1] + share * (curve.far[after] - curve.far[after - 1]))


def tar_at(curve: Roc, far: float) -> tuple[float, float]:
    """(true accept rate, threshold) at the largest threshold whose false accept rate is at most `far`; nothing is interpolated."""
    place = int(np.searchsorted(curve.far, far * (1 + 1e-12), side="right")) - 1
    return float(curve.tar[place]), float(curve.thresholds[place])


def accuracy_at(distances: np.ndarray, same: np.ndarray, threshold: float, balanced: bool = False) -> float:
    """Share of pairs told right; `balanced`: the mean of the shares of both kinds."""
    right = (np.asarray(distances) <= threshold) == same
    return float((right[same].mean() + right[~same].mean()) / 2 if balanced else right.mean())


def best_threshold(distances: np.ndarray, same: np.ndarray, balanced: bool = False) -> float:
    """The threshold that tells most pairs right (or most of each kind, `balanced`), in the middle of its gap between distances.

    Of several equally good gaps the widest: it is the surest on other pairs.
    """
    same = np.asarray(same, bool)
    curve = roc(distances, same)
    kinds = np.array([0.5, 0.5]) if balanced else np.array([(~same).mean(), same.mean()])
    right = kinds[0] * (1 - curve.far) + kinds[1] * curve.tar
    # a gap lies above each step; below the first and above the last there is none
    steps, best = curve.thresholds[1:], right[1:] >= right.max() - 1e-12
    if not best[:-1].any():
        return float(steps[-1] if best[-1] else np.nextafter(steps[0], -np.inf))
    gap = int(np.argmax(np.where(best[:-1], np.diff(steps), -1)))
    return float((steps[gap] + steps[gap + 1]) / 2)


def folds(distances: np.ndarray, same: np.ndarray, fold: np.ndarray) -> Folds:
    """Accuracy of each fold with the best threshold of all others: LFW's protocol where there are ten. (N,) fold numbers."""
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise ValueError("there is one fold, expected at least two: the threshold has to come from other pairs")
    thresholds = [best_threshold(distances[fold != one], same[fold != one]) for one in numbers]
    found = [accuracy_at(distances[fold == one], same[fold == one], t) for one, t in zip(numbers, thresholds, strict=True)]
    return Folds(float(np.mean(found)), float(np.std(found, ddof=1) / len(found) ** 0.5), tuple(found), tuple(thresholds))


def pair_weights(pairs: Pairs, drawn: np.ndarray) -> np.ndarray:
    """(N,) how often a pair counts where people were drawn (people,) times."""
    drawn = drawn.astype(np.float64)
    return np.where(pairs.same, drawn[pairs.first], drawn[pairs.first] * drawn[pairs.second])


def measured_auc_eer(pairs: Pairs, times: int = DRAWS, seed: int = 0) -> tuple[Estimate, Estimate]:
    """Area and equal error rate, both with intervals from drawing people.

    The interval looks at no more than `BOOTSTRAPPED` of the different-person pairs, evenly drawn, which makes it a little wider.
    """
    curve, different = roc(pairs.distances, pairs.same), np.flatnonzero(~pairs.same)
    if len(different) > BOOTSTRAPPED:
        different = np.random.default_rng(seed).choice(different, BOOTSTRAPPED, replace=False)
    few = pairs.choose(np.concatenate([np.flatnonzero(pairs.same), different]))
    ladder = Ladder.of(few.distances, few.same)
    curves = [ladder.curve(pair_weights(few, drawn)) for drawn in draws(few.people, times, seed)]
    return percentiles(auc(curve), [auc(one) for one in curves]), percentiles(eer(curve), [eer(one) for one in curves])


def tar_table(pairs: Pairs, rates: tuple[float, ...], times: int = DRAWS, seed: int = 0) -> tuple[AtRate, ...]:
    """A line for each false accept rate asked for; the interval holds the threshold still and draws people.

    It is the wider of that and the exact interval for the number of same-person pairs.
    """
    same = pairs.same
    curve, number = roc(pairs.distances, same), int((~same).sum())
    own, person = pairs.distances[same], pairs.first[same]
    lines = []
    for asked in rates:
        tar, threshold = tar_at(curve, asked)
        good = np.bincount(person, own <= threshold, pairs.people)
        all_of = np.bincount(person, minlength=pairs.people)

        def share(drawn: np.ndarray, good: np.ndarray = good, all_of: np.ndarray = all_of) -> float:
            return float(drawn @ good / (drawn @ all_of)) if drawn @ all_of else float("nan")

        found = bootstrap(tar, share, pairs.people, times, seed)
        rate = clopper_pearson(int((own <= threshold).sum()), len(own))
        far = float((pairs.distances[~same] <= threshold).mean())
        lines.append(AtRate(asked, threshold, far, Estimate(tar, min(found.low, rate.low), max(found.high, rate.high)), number))
    return tuple(lines)
