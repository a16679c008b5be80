"""Boxes: (N, 4) tensors x1, y1, x2, y2 in pixels, continuous: the first pixel is 0, 0, 1, 1. Pure functions, no modules."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

PROPOSAL_STDS = (1.0, 1.0, 1.0, 1.0)
"""What a region proposal network's deltas are divided by: nothing."""
REGION_STDS = (0.1, 0.1, 0.2, 0.2)
"""Of the deltas of regions (Fast R-CNN's code): so they have about the size of the class scores."""
LARGEST = math.log(1000 / 16)
"""No box grows by more in one step: the exponential of a network's early mistakes is bounded."""
AT_ONCE = 256
"""Boxes whose mutual overlaps are computed at once in `suppress`: what the processor's cache holds."""


def area(boxes: Tensor) -> Tensor:
    """(..., 4) -> (...) square pixels; 0 where a box is turned round."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return (x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """(..., N, 4), (..., M, 4) -> (..., N, M) intersection over union; 0 where both areas are 0."""
    if a.shape[-2] > b.shape[-2]:  # long rows are what a processor is quick with
        return iou(b, a).transpose(-1, -2)
    both = area(a)[..., :, None] + area(b)[..., None, :]
    ax1, ay1, ax2, ay2 = a.movedim(-1, 0).contiguous()[..., :, None]
    bx1, by1, bx2, by2 = b.movedim(-1, 0).contiguous()[..., None, :]
    wide = torch.minimum(ax2, bx2).sub_(torch.maximum(ax1, bx1)).clamp_(min=0)
    overlap = torch.minimum(ay2, by2).sub_(torch.maximum(ay1, by1)).clamp_(min=0).mul_(wide)
    return overlap / both.sub_(overlap).clamp_(min=1e-9)


def encode(anchors: Tensor, boxes: Tensor, stds: Sequence[float] = PROPOSAL_STDS) -> Tensor:
    """Deltas (..., 4) from which `decode` makes `boxes` again (R-CNN, equations 6 to 9)."""
    size_a, size_b = anchors[..., 2:] - anchors[..., :2], boxes[..., 2:] - boxes[..., :2]
    shift = (boxes[..., :2] + size_b / 2) - (anchors[..., :2] + size_a / 2)
    return torch.cat([shift / size_a, (size_b / size_a).log()], dim=-1) / anchors.new_tensor(stds)


def decode(anchors: Tensor, deltas: Tensor, stds: Sequence[float] = PROPOSAL_STDS) -> Tensor:
    """Move the anchors' centres and scale their sizes: (..., 4), (..., 4) -> (..., 4) boxes (R-CNN, equations 1 to 4)."""
    deltas = deltas * deltas.new_tensor(stds)
    size = anchors[..., 2:] - anchors[..., :2]
    centre = anchors[..., :2] + size / 2 + deltas[..., :2] * size
    half = size * deltas[..., 2:].clamp(max=LARGEST).exp() / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def clip(boxes: Tensor, height: float, width: float) -> Tensor:
    """(..., 4): what of the boxes lies inside the picture."""
    return torch.minimum(boxes.clamp(min=0), boxes.new_tensor([width, height, width, height]))


def suppress(boxes: Tensor, scores: Tensor, threshold: float, labels: Tensor | None = None) -> Tensor:
    """Greedy non-maximum suppression: (N, 4), (N,) -> indices to keep, best first; with `labels`, (N,), each class by itself.

    The greedy choice is the one set in which a box stays exactly where no better box that stays overlaps it by more than `threshold`.
    Starting from all boxes and applying that rule again and again finds it: after k rounds whatever hangs on a chain of k better boxes
    is right, and chains are short; a round is one product of a matrix with a vector.
    """
    order = scores.argsort(descending=True, stable=True)
    kept = order[:0]
    for part in order.split(AT_ONCE):
        if len(kept):
            part = part[~_overlapping(part, kept, boxes, labels, threshold).any(1)]
        better = _overlapping(part, part, boxes, labels, threshold).tril(-1).to(torch.float32)
        stay = torch.ones(len(part), device=boxes.device)
        while not torch.equal(after := (better @ stay == 0).float(), stay):
            stay = after
        kept = torch.cat([kept, part[stay > 0]])
    return kept


def _overlapping(a: Tensor, b: Tensor, boxes: Tensor, labels: Tensor | None, threshold: float) -> Tensor:
    over = iou(boxes[a], boxes[b]) > threshold
    return over if labels is None else over & (labels[a][:, None] == labels[b])


def anchors(height: int, width: int, stride: int, sizes: Sequence[float], ratios: Sequence[float]) -> Tensor:
    """(height * width * A, 4): boxes around the centre of every place of a map, row by row; A: every size in every ratio, height to
    width, at an area of size squared.
    """
    half = torch.tensor([[size / math.sqrt(ratio), size * math.sqrt(ratio)] for size in sizes for ratio in ratios]) / 2
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    centre = torch.stack([x, y], dim=-1).reshape(-1, 1, 2) * stride
    return torch.cat([centre - half, centre + half], dim=-1).reshape(-1, 4)


def level_of(boxes: Tensor, levels: int, canonical: float) -> Tensor:
    """(N, 4) -> (N,) the level of a pyramid, from 0, that a box is cut from (Feature pyramid networks, equation 1).

    `canonical`: side in pixels from which on the box is cut from the last level; half of it: the one before.
    """
    side = area(boxes).clamp(min=1e-6).sqrt()
    return (levels - 1 + (side / canonical).log2() + 1e-6).floor().clamp(0, levels - 1).long()
