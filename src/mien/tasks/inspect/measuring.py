"""How good an inspector is on people it did not learn from, with intervals that draw people, and how true its probabilities are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F

from mien.metrics.classification import calibration_error
from mien.metrics.intervals import DRAWS, Estimate, Rate, bootstrap, shares
from mien.models.inspector import CLASSES, ORIGINAL, RESHAPED, SWAPPED
from mien.nn.flow import end_point_error
from mien.tasks.inspect.calibrated import Calibration
from mien.tasks.inspect.calibrated import facts as facts_of
from mien.tasks.inspect.looking import Looker
from mien.tasks.inspect.pack import Batch

ALARM = 0.01
"""The false-alarm rate at which recall is told."""
BINS = 10


@dataclass(frozen=True)
class Answers:
    """What a network said of N faces, and what is true."""

    label: np.ndarray
    """(N,) int, places in `CLASSES`."""
    logits: np.ndarray
    """(N, 3) float."""
    person: np.ndarray
    """(N,) text: of one person several faces are not independent."""
    error: np.ndarray
    """(N,) mean end-point error of the field, in pixels of the crop; NaN where the true field is not known."""
    still: np.ndarray
    """(N,) the same of a field that is zero everywhere: how strongly the face was bent."""
    facts: np.ndarray | None = None
    """(N, F), as `mien.tasks.inspect.calibrated.facts` gives them."""

    def chosen(self, which: np.ndarray) -> Answers:
        """Some of them: (N,) bool, or places."""
        known = None if self.facts is None else self.facts[which]
        return Answers(self.label[which], self.logits[which], self.person[which], self.error[which], self.still[which], known)

    @classmethod
    def together(cls, parts: Sequence[Answers]) -> Answers:
        """All of them in order; facts where every part has them."""
        known = [one.facts for one in parts if one.facts is not None]
        names = ("label", "logits", "person", "error", "still")
        label, logits, person, error, still = (np.concatenate([getattr(one, name) for one in parts]) for name in names)
        return cls(label, logits, person, error, still, np.concatenate(known) if len(known) == len(parts) else None)

    def by(self, calibration: Calibration) -> Answers:
        """With logits whose softmax is to be believed. Raises ValueError where the facts are not known."""
        if self.facts is None:
            raise ValueError("found answers without facts, expected those of `asked`")
        return replace(self, logits=calibration(self.logits, self.facts))

    def probabilities(self, temperature: float = 1.0) -> np.ndarray:
        """(N, 3)."""
        scaled = self.logits.astype(np.float64) / temperature
        grown = np.exp(scaled - scaled.max(1, keepdims=True))
        return grown / grown.sum(1, keepdims=True)

    @property
    def suspicion(self) -> np.ndarray:
        """(N,) log odds of reshaped against original, whatever the third class gets."""
        return self.logits[:, RESHAPED] - self.logits[:, ORIGINAL]


@dataclass(frozen=True)
class Detected:
    """How well one kind of face is told from originals."""

    accuracy: Rate
    """Of both kinds together, at even odds."""
    precision: Estimate
    """Average precision, with both kinds equally frequent."""
    recall: Rate
    """Of the fakes, at `ALARM` false alarms."""
    alarm: Rate
    """False alarms at that threshold; the threshold was set on these same originals."""
    originals: int
    fakes: int


@dataclass(frozen=True)
class Step:
    """One point of a curve."""

    at: float
    """Middle of what was varied."""
    accuracy: Rate
    error: float
    """Mean end-point error of the field."""
    still: float
    """The same of no field."""


def asked(looker: Looker, batches: Iterable[Batch], person: np.ndarray, quality: Sequence[int | None] | None = None) -> Answers:
    """What a network says of made faces, in order; `person` (N,) says whose they are.

    quality: of the JPEG that each is, None where it is none; without, none is. The logits are the network's own.
    """
    rows, known, qualities = [], [], iter(quality if quality is not None else [None] * len(person))
    for batch in batches:
        known += [facts_of(crop, next(qualities)) for crop in batch["x"]]
        told, truth = looker.tell(batch["x"]), torch.from_numpy(np.asarray(batch["field"], np.float32))
        field = F.adaptive_avg_pool2d(told.field.cpu().float(), (truth.shape[-2], truth.shape[-1]))
        errors = [end_point_error(one, truth).mean((1, 2)).numpy() for one in (field, torch.zeros_like(field))]
        rows.append((batch["label"], told.logits.cpu().float().numpy(), *errors))
    label, logits, error, still = (np.concatenate(column) for column in zip(*rows, strict=True))
    bent = label != SWAPPED
    return Answers(label, logits, person, np.where(bent, error, math.nan), np.where(bent, still, math.nan), np.array(known))


def detected(answers: Answers, kind: int = RESHAPED, times: int = DRAWS) -> Detected:
    """`kind` against original. Raises ValueError where one of the two is missing."""
    pair = answers.chosen((answers.label == ORIGINAL) | (answers.label == kind))
    fake = pair.label == kind
    if not fake.any() or fake.all():
        raise ValueError(f"found {int(fake.sum())} {CLASSES[kind]} faces and {int((~fake).sum())} originals, expected some of both")
    score = pair.logits[:, kind] - pair.logits[:, ORIGINAL]
    threshold = threshold_for(score[~fake])
    names, number = np.unique(pair.person, return_inverse=True)
    value = average_precision(fake, score)
    estimate = bootstrap(value, lambda drawn: average_precision(fake, score, drawn[number].astype(float)), len(names), times)
    hits, right = score > threshold, (score > 0) == fake
    return Detected(shares(right.astype(float), pair.person), estimate, shares(hits[fake].astype(float), pair.person[fake]),
                    shares(hits[~fake].astype(float), pair.person[~fake]), int((~fake).sum()), int(fake.sum()))  # fmt: skip


def threshold_for(originals: np.ndarray, alarm: float = ALARM) -> float:
    """The lowest score that at most `alarm` of the originals (N,) lie above."""
    ordered = np.sort(originals)[::-1]
    return float(ordered[min(int(alarm * len(ordered) + 1e-9), len(ordered) - 1)])


def average_precision(positive: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """(N,) bool, (N,), (N,) weights -> area under precision over recall, sum of (R_n - R_n-1) P_n over distinct scores.

    Both kinds weigh the same in all, so that the figure does not depend on how many of each were measured. NaN where one is missing.
    """
    weight = np.ones(len(score)) if weight is None else weight.astype(np.float64)
    totals = float(weight[positive].sum()), float(weight[~positive].sum())
    if min(totals) <= 0:
        return math.nan
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    found = np.cumsum((weight * positive)[order])[ends] / totals[0]
    false = np.cumsum((weight * ~positive)[order])[ends] / totals[1]
    precision = np.divide(found, found + false, out=np.ones_like(found), where=found + false > 0)
    return float((np.diff(found, prepend=0.0) * precision).sum())


def temperature(answers: Answers, steps: int = 60) -> float:
    """The T under which softmax(logits / T) is most likely (Guo et al. 2017), each class weighing the same; between 0.05 and 20.

    The likelihood is convex in 1 / T, so its slope is brought to zero by bisection.
    """
    logits = answers.logits.astype(np.float64)
    counts = np.bincount(answers.label, minlength=len(CLASSES))
    weight = 1 / counts[answers.label]
    own = logits[np.arange(len(logits)), answers.label]
    low, high = math.log(0.05), math.log(20.0)
    for _ in range(steps):
        middle = (low + high) / 2
        expected = (answers.probabilities(math.exp(-middle)) * logits).sum(1)
        if float((weight * (own - expected)).sum()) > 0:
            low = middle  # more certainty would still pay
        else:
            high = middle
    return math.exp(-(low + high) / 2)


def believed(answers: Answers, by: float, bins: int = BINS) -> tuple[float, list[tuple[float, Rate]]]:
    """Expected calibration error, and the reliability diagram: mean probability of the verdict, and how often it was right.

    by: the temperature.
    """
    chances = answers.probabilities(by)
    verdict = chances.argmax(1)
    sure, right = chances.max(1), verdict == answers.label
    group = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    points = [(float(sure[group == b].mean()), shares(right[group == b].astype(float), answers.person[group == b]))
              for b in range(bins) if (group == b).any()]  # fmt: skip
    return calibration_error(answers.label, chances, bins), points


def over(answers: Answers, value: np.ndarray, edges: np.ndarray, kind: int = RESHAPED) -> Iterator[Step]:
    """The share of `kind` found, at even odds, over (N,) values, in bins between `edges`; empty bins are left out."""
    for low, high in pairwise(edges):
        here = answers.chosen((answers.label == kind) & (value >= low) & (value < high))
        if len(here.label):
            yield replace(step(here, kind), at=float((low + high) / 2))


def step(answers: Answers, kind: int = RESHAPED, at: float = math.nan) -> Step:
    """Accuracy at even odds between original and `kind`, and the field's error, of all these faces."""
    right = (answers.logits[:, kind] > answers.logits[:, ORIGINAL]) == (answers.label == kind)
    bent = answers.label == RESHAPED
    error, still = (float(np.nanmean(part[bent])) if bent.any() else math.nan for part in (answers.error, answers.still))
    return Step(at, shares(right.astype(float), answers.person), error, still)
