"""Which anchor or region learns what: matching with the true boxes, and fair samples of it (Faster R-CNN, section 3.1.2 and 3.1.3)."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.nn.boxes import iou

IGNORED = -1


def match(boxes: Tensor, truth: Tensor, positive: float, negative: float, best: bool = False) -> tuple[Tensor, Tensor]:
    """(N, 4), (G, 4) -> (N,) 1 for IoU of `positive` and more with a true box, 0 below `negative` with all, else -1; (N,) which box.

    `best`: what overlaps a true box most is positive, too, so that no box is left without (section 3.1.2, condition i).
    """
    if not len(truth) or not len(boxes):
        zeros = torch.zeros(len(boxes), dtype=torch.long, device=boxes.device)
        return zeros, zeros
    overlap = iou(boxes, truth)
    most, which = overlap.max(1)
    kind = torch.where(most >= positive, 1, torch.where(most < negative, 0, IGNORED))
    if best:
        top = overlap.max(0).values
        there, box = ((overlap == top) & (top > 0)).nonzero(as_tuple=True)
        kind[there], which[there] = 1, box
    return kind, which


def sample(kind: Tensor, count: int, share: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """(N,) of `match` -> at most `count` places, of which at most `share` are positive: indices of positives, of negatives."""
    positives, negatives = (_some((kind == value).nonzero()[:, 0], random) for value in (1, 0))
    positives = positives[:round(count * share)]
    return positives, negatives[:count - len(positives)]


def _some(places: Tensor, random: torch.Generator) -> Tensor:
    return places[torch.randperm(len(places), generator=random).to(places.device)]
