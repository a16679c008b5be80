"""Classification with localisation: one object a picture, its class and its box both right (ILSVRC, Russakovsky et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.metrics.overlap import iou
from mien.types import Detections


@dataclass(frozen=True)
class Localised:
    """Shares of the pictures, 0..1."""

    right: float
    """Class and place."""
    classified: float
    """The class, wherever the box is."""
    placed: float
    """The place, whatever the class is."""
    overlap: float
    """Mean IoU of the boxes."""
    pictures: int


def localised(truths: Sequence[Detections], found: Sequence[Detections], overlap: float = 0.5) -> Localised:
    """One true object and any number of detections a picture, of which the surest counts; its place is right from an IoU of `overlap`.

    Nothing detected is wrong. ValueError for no pictures, or one without exactly one true object.
    """
    if not truths or len(truths) != len(found):
        raise ValueError(f"{len(truths)} pictures with true boxes, {len(found)} with detections: expected as many, and at least one")
    rows = np.zeros((len(truths), 3))
    for row, truth, one in zip(rows, truths, found, strict=True):
        if len(truth) != 1:
            raise ValueError(f"a picture has {len(truth)} true objects, expected one")
        if len(one):
            best = one.select(np.argsort(-one.scores, kind="stable")[:1])
            share = iou(best.boxes, truth.boxes)[0, 0]
            row[:] = best.labels[0] == truth.labels[0], share >= overlap, share
    classified, placed, shares = rows.mean(0).tolist()
    return Localised(float((rows[:, 0] * rows[:, 1]).mean()), classified, placed, shares, len(truths))
