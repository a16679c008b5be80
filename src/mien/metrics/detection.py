"""How good a detector is, as PASCAL VOC measures it (Everingham et al. 2010): precision over recall at one overlap, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.metrics.overlap import iou
from mien.types import Detections


@dataclass(frozen=True)
class Curve:
    """One class: what is found from the most certain detection on."""

    recall: np.ndarray
    """(N,) after each detection, best first."""
    precision: np.ndarray
    """(N,)"""
    scores: np.ndarray
    """(N,) of these detections; those that fell on something difficult are not among them."""
    objects: int
    """True ones that are not difficult."""

    @property
    def ap(self) -> float:
        """The area below the curve (VOC 2010 and later); NaN where there is no object."""
        return all_points(self.recall, self.precision) if self.objects else float("nan")

    @property
    def ap11(self) -> float:
        """The mean of eleven points (VOC 2007); NaN where there is no object."""
        return eleven_points(self.recall, self.precision) if self.objects else float("nan")


def curves(truths: Sequence[Detections], found: Sequence[Detections], classes: int, overlap: float = 0.5) -> tuple[Curve, ...]:
    """One curve a class from as many truths as findings, picture by picture.

    Detections are taken by falling score. Each belongs to the true box of its class that it overlaps most: right with an IoU of
    `overlap` at least, unless another took that box; difficult boxes take any number, which do not count.
    """
    if len(truths) != len(found):
        raise ValueError(f"{len(truths)} pictures with true boxes and {len(found)} with detections, expected as many of both")
    return tuple(_curve(truths, found, label, overlap) for label in range(classes))


def _curve(truths: Sequence[Detections], found: Sequence[Detections], label: int, overlap: float) -> Curve:
    scores, right, objects = [], [], 0
    for truth, one in zip(truths, found, strict=True):
        truth = truth.select(truth.labels == label)
        one = one.select(one.labels == label)
        if not len(truth) and not len(one):
            continue
        one = one.select(np.argsort(-one.scores, kind="stable"))
        objects += int((~truth.difficult).sum())
        hit, counted = taken(truth, one, overlap)
        scores.append(one.scores[counted])
        right.append(hit[counted])
    score = np.concatenate(scores) if scores else np.empty(0, np.float32)
    order = np.argsort(-score, kind="stable")
    hits = (np.concatenate(right) if right else np.empty(0, bool))[order].cumsum()
    return Curve(hits / max(objects, 1), hits / np.arange(1, len(hits) + 1), score[order], objects)


def taken(truth: Detections, one: Detections, overlap: float) -> tuple[np.ndarray, np.ndarray]:
    """True boxes of one class and detections of it, best first -> (N,) bool which are right, (N,) bool which count at all."""
    hit, counted = np.zeros(len(one), bool), np.ones(len(one), bool)
    if not len(truth) or not len(one):
        return hit, counted
    shares, free = iou(one.boxes, truth.boxes), np.ones(len(truth), bool)
    for place, best in enumerate(shares.argmax(1)):
        if shares[place, best] < overlap:
            continue
        counted[place] = not truth.difficult[best]
        hit[place] = counted[place] and free[best]
        free[best] = False
    return hit, counted


def all_points(recall: np.ndarray, precision: np.ndarray) -> float:
    """(N,), (N,) -> the area below the curve, each precision raised to the best at this recall or a higher one."""
    raised = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0) * raised).sum())


def eleven_points(recall: np.ndarray, precision: np.ndarray) -> float:
    """(N,), (N,) -> the mean over recalls 0, 0.1 ... 1 of the best precision at that recall or a higher one."""
    points = [precision[recall >= level - 1e-12].max(initial=0) for level in np.linspace(0, 1, 11)]
    return float(np.mean(points))


def mean(values: Sequence[float]) -> float:
    """Over the classes that have a value; NaN where none has."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
