"""What kind of mistakes a detector makes (Hoiem et al. 2012), and what each costs (TIDE, Bolya et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mien.data.box_augment import joined
from mien.metrics.detection import all_points, mean
from mien.metrics.overlap import iou
from mien.types import Detections

RIGHT, DIFFICULT = "right", "difficult"
KINDS: Mapping[str, str] = {
    "place": "the right class, but the box fits badly: an overlap (IoU) of 0.1 to 0.5",
    "class": "the box fits an object of another class",
    "both": "an object of another class, and the box fits badly",
    "duplicate": "an object that a surer detection has found already",
    "background": "nothing is there: an overlap below 0.1 with everything",
    "missed": "an object that nothing of the above meant",
}
"""TIDE's six kinds in its order; the last is no detection, but an object."""


@dataclass(frozen=True)
class Errors:
    """Every detection and every object, one row each."""

    kinds: np.ndarray
    """(N,) str: "right", "difficult" (does not count) or a key of `KINDS`."""
    labels: np.ndarray
    """(N,) the class each detection named."""
    scores: np.ndarray
    """(N,)"""
    meant: np.ndarray
    """(N,) place of the object it is right about or fell short of in the list of all objects; -1 for none."""
    objects: np.ndarray
    """(M,) the class of every object that is not difficult."""
    missed: np.ndarray
    """(M,) bool."""

    def best(self, classes: int) -> np.ndarray:
        """(N,) bool: of each class the surest detections that count, as many as it has objects: a detector without errors has
        no other.
        """
        chosen = np.zeros(len(self.kinds), bool)
        for label in range(classes):
            rows = np.flatnonzero((self.labels == label) & (self.kinds != DIFFICULT))
            chosen[rows[np.argsort(-self.scores[rows], kind="stable")][: int((self.objects == label).sum())]] = True
        return chosen


def errors(truths: Sequence[Detections], found: Sequence[Detections], overlap: float = 0.5, touch: float = 0.1) -> Errors:
    """Say of every detection what it is, picture by picture: a surer one is served first, as in `mien.metrics.detection.curves`.

    An overlap of `overlap` is a fit, one below `touch` means nothing. At least one picture.
    """
    everything, detections = joined(truths), joined(found)
    places = np.where(everything.difficult, -1, (~everything.difficult).cumsum() - 1)
    ends = np.cumsum([len(truth) for truth in truths])[:-1]
    rows = [_sorted(truth, one, own, overlap, touch) for truth, one, own in zip(truths, found, np.split(places, ends), strict=True)]
    kinds, meant = (np.concatenate(column) for column in zip(*rows, strict=True))
    objects = everything.labels[~everything.difficult]
    missed = np.ones(len(objects), bool)
    missed[meant[(meant >= 0) & np.isin(kinds, [RIGHT, "place", "class"])]] = False
    return Errors(kinds, detections.labels, detections.scores, meant, objects, missed)


def _sorted(truth: Detections, one: Detections, places: np.ndarray, overlap: float, touch: float) -> tuple[np.ndarray, np.ndarray]:
    """One picture -> the kind of each detection, and the object it meant."""
    kinds, meant = np.full(len(one), "background", object), np.full(len(one), -1)
    if not len(truth):
        return kinds, meant
    shares, taken = iou(one.boxes, truth.boxes), np.zeros(len(truth), bool)
    same = one.labels[:, None] == truth.labels[None]
    for row in np.argsort(-one.scores, kind="stable"):
        own, other = np.where(same[row], shares[row], -1), np.where(same[row], -1, shares[row])
        mine, theirs = int(own.argmax()), int(other.argmax())
        if own[mine] >= overlap:
            kinds[row] = DIFFICULT if truth.difficult[mine] else "duplicate" if taken[mine] else RIGHT
            taken[mine] = True
        elif own[mine] >= touch:
            kinds[row] = "place"
        elif other[theirs] >= touch:
            kinds[row], mine = "class" if other[theirs] >= overlap else "both", theirs
        if kinds[row] not in ("background", DIFFICULT):
            meant[row] = places[mine]
    return kinds, meant


def costs(sorted_errors: Errors, classes: int) -> dict[str, float]:
    """Kind -> how much the mean average precision would gain if that kind alone were mended, all else as it is (TIDE's delta AP).

    A wrong place or class becomes right where nothing else has found that object, else it goes; duplicates and background go; missed
    objects need not be found.
    """
    known = [label for label in range(classes) if (sorted_errors.objects == label).any()]
    before = _ap(sorted_errors, known)
    return {kind: _ap(_mended(sorted_errors, kind), known) - before for kind in KINDS}


def _mended(all_errors: Errors, kind: str) -> Errors:
    if kind == "missed":
        return replace(all_errors, objects=all_errors.objects[~all_errors.missed])
    kinds, labels = all_errors.kinds.copy(), all_errors.labels.copy()
    found = set(all_errors.meant[kinds == RIGHT].tolist())
    rows = np.flatnonzero(kinds == kind)
    for row in rows[np.argsort(-all_errors.scores[rows], kind="stable")]:
        goal = int(all_errors.meant[row])
        if kind in ("place", "class") and goal >= 0 and goal not in found:
            kinds[row], labels[row] = RIGHT, all_errors.objects[goal]
            found.add(goal)
        else:
            kinds[row] = DIFFICULT
    return replace(all_errors, kinds=kinds, labels=labels)


def _ap(all_errors: Errors, classes: Sequence[int]) -> float:
    """Mean over the classes of the area below the curve; without objects it is 1 where nothing is detected, else 0."""
    values = []
    for label in classes:
        rows = np.flatnonzero((all_errors.labels == label) & (all_errors.kinds != DIFFICULT))
        rows = rows[np.argsort(-all_errors.scores[rows], kind="stable")]
        hits = (all_errors.kinds[rows] == RIGHT).cumsum()
        objects = int((all_errors.objects == label).sum())
        values.append(all_points(hits / objects, hits / np.arange(1, len(hits) + 1)) if objects else float(not len(rows)))
    return mean(values)
