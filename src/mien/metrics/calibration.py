"""From a distance to a probability, and from a false-match rate asked for to a threshold: measured on pairs, never assumed.

Probability: logistic regression on the distance (Platt 1999, with his smoothed targets, fitted by Newton steps as in Lin, Lin & Weng
2007); both kinds of pair weigh the same, so it is the probability where same and different are equally likely beforehand (1:1).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields

import numpy as np

from mien.metrics.intervals import DRAWS, Estimate, Rate, bootstrap, clopper_pearson
from mien.metrics.verification import Pairs, pair_weights

SUPPORT = 3
"""Pairs over rate that must be there: of N pairs without a false match the true rate is under 3 / N with 95 % confidence."""
RATES = (1e-2, 1e-3, 1e-4, 1e-5)
FOLDS = 5
FORM = 1
"""Of the JSON."""


@dataclass(frozen=True)
class Calibration:
    """What a distance means in one space of vectors: one person where it is at most `threshold`."""

    space: str
    """Key of the space (`mien.types.Space.key`) whose distances these are."""
    threshold: float
    asked: float
    """The false-match rate asked for."""
    false_match: Rate
    """Different-person pairs accepted, on the pairs it was made from; the interval also draws people."""
    true_match: Rate
    """Same-person pairs accepted, likewise."""
    held_out_false_match: Rate | None
    """The same for people the threshold was not made from (five folds of people); None with fewer than ten people."""
    held_out_true_match: Rate | None
    slope: float
    """Of the logistic curve: the log of the odds for different, rising by this much a unit of distance."""
    centre: float
    """The distance at which the probability is a half."""
    least: float
    """Probabilities lie between `least` and `most`: the pairs do not carry more certainty than 1 in their number."""
    most: float
    same_pairs: int
    different_pairs: int
    people: int
    protocol: str
    """How it was made, in words."""

    @property
    def false_match_rate(self) -> float:
        """The rate the threshold stands for: the one asked for."""
        return self.asked

    def probability(self, distance):
        """Distance (a number or an array) -> probability of one person, where both answers were equally likely beforehand."""
        odds = self.slope * (np.asarray(distance, np.float64) - self.centre)
        found = np.clip(0.5 - 0.5 * np.tanh(odds / 2), self.least, self.most)
        return float(found) if found.ndim == 0 else found

    def same(self, distance: float) -> bool:
        """Whether a distance counts as one person."""
        return bool(distance <= self.threshold)

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        return json.dumps({"form": FORM, **asdict(self)}, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, name: str = "the calibration") -> Calibration:
        """Raises ValueError, naming `name`, for anything but what `to_json` wrote."""
        try:
            facts = json.loads(text)
            if facts.pop("form") != FORM:
                raise ValueError("of another form")
            for key in ("false_match", "true_match", "held_out_false_match", "held_out_true_match"):
                facts[key] = Rate(**facts[key]) if facts[key] is not None else None
            found = cls(**{field.name: facts[field.name] for field in fields(cls)})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{name} is no calibration written by mien ({error}): calibrate again") from None
        if not (math.isfinite(found.threshold) and found.slope > 0):
            raise ValueError(f"{name} has threshold {found.threshold} and slope {found.slope}, expected finite and above 0: "
                             "calibrate again")  # fmt: skip
        return found


def calibrate(pairs: Pairs, rate: float = 1e-3, space: str = "", protocol: str = "", times: int = DRAWS) -> Calibration:
    """Pairs of people and a false-match rate asked for -> threshold and probability.

    Raises ValueError where pairs of a kind are missing, where their number cannot support the rate, or where the distances do not
    tell people apart.
    """
    same = pairs.same
    _both_kinds(same)
    supported(rate, int((~same).sum()))
    slope, centre = platt(pairs.distances, same)
    threshold = threshold_for(pairs.distances, same, rate)
    false_match, true_match = _rates(pairs, threshold, times)
    held = _held_out(pairs, rate)
    number = int(same.sum()), int((~same).sum())
    bounds = 1 / (number[1] + 2), 1 - 1 / (number[0] + 2)
    words = (f"{protocol or 'all pairs of the pictures given'}; {number[0]:,} same-person and {number[1]:,} different-person pairs; "
             f"threshold in the middle of the gap between distances that accepts at most {rate:g} of the different-person "
             "pairs; probability where same and different are equally likely beforehand")  # fmt: skip
    count = len(_who(pairs))
    return Calibration(space, threshold, rate, false_match, true_match, *held, slope, centre, *bounds, *number, count, words)


def supported(rate: float, different: int) -> None:
    """Raises ValueError, in words, where that many different-person pairs cannot support a false-match rate."""
    if not 0 < rate < 1:
        raise ValueError(f"found a false-match rate of {rate:g}, expected one between 0 and 1, such as 0.001")
    needed = math.ceil(SUPPORT / rate - 1e-9)
    if different < needed:
        least = SUPPORT / different if different else 1.0
        able = f"ask for {_rounded_up(least):g} or more" if least < 0.5 else "these are too few for any"
        raise ValueError(f"a false-match rate of {rate:g} needs at least {needed:,} pairs of different people, found {different:,}: "
                         f"{able}, or give pictures of more people")  # fmt: skip


def lowest_rate(different: int) -> float | None:
    """The strictest of `RATES` that so many different-person pairs support, or None."""
    return next((rate for rate in reversed(RATES) if different * rate >= SUPPORT - 1e-9), None)


def threshold_for(distances: np.ndarray, same: np.ndarray, rate: float) -> float:
    """The threshold that accepts most same-person pairs with at most `rate` of the different-person pairs.

    It lies in the middle of the gap between the last distance that has to be accepted and the next that has not, so no score lies
    at its edge; where the two kinds do not overlap, in the middle between them.
    """
    distances, same = np.asarray(distances, np.float64), np.asarray(same, bool)
    other, own = np.sort(distances[~same]), np.sort(distances[same])
    if not 0 <= rate < 1:
        raise ValueError(f"found a false-match rate of {rate:g}, expected one from 0 to below 1")
    allowed = int(rate * len(other) * (1 + 1e-12))
    inside = own[own < other[allowed]]  # that one and all above it must be refused
    if not len(inside):
        raise ValueError(f"at a false-match rate of {rate:g} no two pictures of one person would be accepted: too many of two people "
                         "are nearer than all of them; look for wrong names among the pictures, or ask for a higher rate")  # fmt: skip
    last = inside[-1]
    return float((last + other[np.searchsorted(other, last, side="right")]) / 2)


def platt(distances: np.ndarray, same: np.ndarray, steps: int = 100) -> tuple[float, float]:
    """(N,) distances and which are of one person -> (slope, centre) of P(same) = 1 / (1 + exp(slope * (d - centre))).

    Both kinds weigh the same in all. Raises ValueError where nearer pairs are not more often of one person.
    """
    distances, same = np.asarray(distances, np.float64), np.asarray(same, bool)
    _both_kinds(same)
    own, other = int(same.sum()), int((~same).sum())
    parts = [_thinned(distances[kind]) for kind in (same, ~same)]
    distances, same = np.concatenate(parts), np.arange(sum(map(len, parts))) < len(parts[0])
    mean, spread = distances.mean(), distances.std() or 1.0
    x = (distances - mean) / spread
    target = np.where(same, (own + 1) / (own + 2), 1 / (other + 2))
    weight = np.where(same, 0.5 / len(parts[0]), 0.5 / len(parts[1]))
    design, at = np.stack([x, np.ones_like(x)]), np.zeros(2)
    loss = _loss(at, design, target, weight)
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(at @ design, -60, 60)))
        slope = design @ (weight * (chance - target))
        bend = (design * (weight * chance * (1 - chance))) @ design.T + 1e-12 * np.eye(2)
        move, size = np.linalg.solve(bend, slope), 1.0
        while size > 1e-10 and _loss(at - size * move, design, target, weight) > loss:
            size /= 2
        at = at - size * move
        before, loss = loss, _loss(at, design, target, weight)
        if abs(before - loss) < 1e-14:
            break
    if not at[0] < 0:
        raise ValueError("the distances do not tell people apart: pictures of one person are no nearer than those of two; "
                         "look whether names and pictures belong together")  # fmt: skip
    return float(-at[0] / spread), float(mean - spread * at[1] / at[0])


def _thinned(distances: np.ndarray, most: int = 50_000) -> np.ndarray:
    """Evenly spaced ranks of many distances: the fit sees the same distribution."""
    if len(distances) <= most:
        return distances
    return np.sort(distances)[((np.arange(most) + 0.5) / most * len(distances)).astype(int)]


def _loss(at: np.ndarray, design: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    value = at @ design
    return float(weight @ (np.logaddexp(0, value) - target * value))


def _rates(pairs: Pairs, threshold: float, times: int = DRAWS) -> tuple[Rate, Rate]:
    """False and true match rate at a threshold, with the wider of the exact interval of the pairs and that of drawing people."""
    accepted, out = pairs.distances <= threshold, []
    for kind in (~pairs.same, pairs.same):
        part = pairs.choose(kind)
        rate = clopper_pearson(int(accepted[kind].sum()), int(kind.sum()))
        found = _drawn(part, accepted[kind], rate.value, times)
        out.append(rate.widened(found.low, found.high) if math.isfinite(found.low) else rate)
    return out[0], out[1]


def _drawn(part: Pairs, accepted: np.ndarray, value: float, times: int) -> Estimate:
    """The accepted pairs are weighed one by one, all pairs by how many each person is in: exact for all pairs of a folder with
    as many pictures of everybody and near it otherwise, and takes no time.
    """
    few, one_person = part.choose(accepted), bool(part.same.all())
    each = np.bincount(part.first, minlength=part.people) + (0 if one_person else np.bincount(part.second, minlength=part.people))
    whole = _weighed(each, one_person)

    def rate(drawn: np.ndarray) -> float:
        total = _weighed(each * drawn, one_person) / whole * len(part.distances)
        return float(pair_weights(few, drawn).sum() / total) if total else math.nan

    return bootstrap(value, rate, part.people, times)


def _weighed(each: np.ndarray, one_person: bool) -> float:
    """How many pairs (of one person, or of two) come of so many shares."""
    each = each.astype(np.float64)
    return float(each.sum() if one_person else each.sum() ** 2 - each @ each)


def _who(pairs: Pairs) -> np.ndarray:
    """The people that are in a pair at all."""
    return np.flatnonzero(np.bincount(pairs.first, minlength=pairs.people) + np.bincount(pairs.second, minlength=pairs.people))


def _held_out(pairs: Pairs, rate: float) -> tuple[Rate | None, Rate | None]:
    """False and true matches among people that had no part in the threshold: each fifth of the people by the other four fifths'."""
    known = _who(pairs)
    if len(known) < 2 * FOLDS:
        return None, None
    fold = np.zeros(pairs.people, int)
    fold[np.random.default_rng(0).permutation(known)] = np.arange(len(known)) % FOLDS
    counts = np.zeros((2, 2), int)
    for one in range(FOLDS):
        first, second = fold[pairs.first] == one, fold[pairs.second] == one
        rest, held = pairs.choose(~first & ~second), pairs.choose(first & second)
        if not (rest.same.any() and not rest.same.all()):
            return None, None
        try:
            accepted = held.distances <= threshold_for(rest.distances, rest.same, rate)
        except ValueError:
            return None, None
        for row, kind in enumerate((~held.same, held.same)):
            counts[row] += int((accepted & kind).sum()), int(kind.sum())
    return clopper_pearson(*map(int, counts[0])), clopper_pearson(*map(int, counts[1]))


def _both_kinds(same: np.ndarray) -> None:
    if not same.any():
        raise ValueError("no two pictures show the same person, expected at least two pictures of somebody")
    if same.all():
        raise ValueError("all pairs are of the same person, expected pictures of at least two people")


def _rounded_up(value: float) -> float:
    """To one significant digit, up."""
    step = 10.0 ** math.floor(math.log10(value))
    return math.ceil(value / step - 1e-9) * step
