"""COCO's average precision: the mean over ten overlaps, 101 recalls and the classes; also of small, medium and large boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.metrics.detection import mean
from mien.metrics.overlap import areas, iou
from mien.types import Detections

OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MOST = 100
"""Detections of a class and picture that count, the best ones."""
RANGES = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
"""Square pixels, both ends belong to it. COCO takes the area of the outline; boxes know only their own."""


@dataclass(frozen=True)
class CocoScores:
    """NaN where there is no object of that kind."""

    ap: float
    ap50: float
    ap75: float
    small: float
    medium: float
    large: float
    recall: float
    """The greatest recall of each class (AR@100), mean over overlaps and classes."""
    classes: tuple[float, ...]
    """AP of each class."""


def coco_scores(truths: Sequence[Detections], found: Sequence[Detections], classes: int) -> CocoScores:
    """As many truths as findings, picture by picture. What is difficult counts as COCO's crowds do: it takes any number of detections,
    by the share of their own area, and they are neither right nor wrong.
    """
    precision = np.full((classes, len(RANGES), len(OVERLAPS)), np.nan)
    recall = np.full_like(precision, np.nan)
    for label in range(classes):
        both = zip(truths, found, strict=True)
        pairs = ((truth.select(truth.labels == label), one.select(one.labels == label)) for truth, one in both)
        rows = [_matched(truth, one) for truth, one in pairs if len(truth) or len(one)]
        if not rows:
            continue
        objects = np.sum([row.objects for row in rows], axis=0)
        score = np.concatenate([row.scores for row in rows])
        order = np.argsort(-score, kind="mergesort")
        hit, counted = (np.concatenate([getattr(row, name) for row in rows], axis=-1)[..., order] for name in ("hit", "counted"))
        for place in np.flatnonzero(objects):
            for level in range(len(OVERLAPS)):
                precision[label, place, level], recall[label, place, level] = _area(
                    hit[place, level], counted[place, level], int(objects[place])
                )
    ranges = {name: mean(precision[:, place].ravel().tolist()) for place, name in enumerate(RANGES)}
    at = lambda overlap: mean(precision[:, 0, np.argmin(abs(OVERLAPS - overlap))].tolist())
    return CocoScores(ranges["all"], at(0.5), at(0.75), ranges["small"], ranges["medium"], ranges["large"],
                      mean(recall[:, 0].ravel().tolist()), tuple(precision[:, 0].mean(-1).tolist()))  # fmt: skip


@dataclass(frozen=True)
class _Row:
    """One class in one picture; A ranges of areas, T overlaps, N detections."""

    scores: np.ndarray
    """(N,)"""
    hit: np.ndarray
    """(A, T, N) bool: right."""
    counted: np.ndarray
    """(A, T, N) bool: right or wrong."""
    objects: np.ndarray
    """(A,)"""


def _matched(truth: Detections, one: Detections) -> _Row:
    one = one.select(np.argsort(-one.scores, kind="mergesort")[:MOST])
    inside = lambda boxes: np.array([[low <= area <= high for area in areas(boxes)] for low, high in RANGES.values()], bool)
    passed = truth.difficult[None] | ~inside(truth.boxes)  # (A, G): what does not have to be found
    shares = iou(one.boxes, truth.boxes, truth.difficult)
    shape = len(RANGES), len(OVERLAPS), len(one)
    hit, counted = np.zeros(shape, bool), np.repeat(inside(one.boxes)[:, None], len(OVERLAPS), 1)
    free = np.ones((len(RANGES), len(OVERLAPS), len(truth)), bool)
    least = np.minimum(OVERLAPS, 1 - 1e-10)[None, :, None]
    for place in np.flatnonzero(shares.max(1, initial=0) >= OVERLAPS[0]):
        able = (free | truth.difficult) & (shares[place] >= least)
        wanted = able & ~passed[:, None]
        able = np.where(wanted.any(-1, keepdims=True), wanted, able)  # one that must be found before one that need not
        best = len(truth) - 1 - np.where(able, shares[place], -1)[..., ::-1].argmax(-1)  # among equals the last
        got = np.take_along_axis(able, best[..., None], -1)[..., 0]
        ignored = np.take_along_axis(np.broadcast_to(passed[:, None], able.shape), best[..., None], -1)[..., 0]
        hit[..., place] = got & ~ignored
        counted[..., place] = np.where(got, ~ignored, counted[..., place])
        level = np.nonzero(got)
        free[(*level, best[got])] = False
    return _Row(one.scores, hit, counted, (~passed).sum(1))


def _area(hit: np.ndarray, counted: np.ndarray, objects: int) -> tuple[float, float]:
    """(N,), (N,) bool, best first -> the mean precision at `RECALLS`, and the greatest recall."""
    right, wrong = hit.cumsum(), (counted & ~hit).cumsum()
    recall = right / objects
    precision = right / np.maximum(right + wrong, 1e-9)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, RECALLS, side="left")
    reached = places < len(recall)
    values = np.where(reached, precision[np.minimum(places, len(recall) - 1)], 0.0) if len(recall) else np.zeros(len(RECALLS))
    return float(values.mean()), float(recall[-1]) if len(recall) else 0.0
