"""Regions cut from maps into one size: RoIPool (Fast R-CNN, section 2.1) and RoIAlign (Mask R-CNN, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def roi_pool(maps: Tensor, boxes: Tensor, batch: Tensor, stride: float, out: int = 7) -> Tensor:
    """(B, C, H, W), (N, 4) in pixels, (N,) whose picture -> (N, C, out, out): the largest value of each of out x out parts.

    Corners are rounded to whole places of the map, as the paper does; a region has one place a side at least.
    """
    height, width = maps.shape[-2:]
    places = (boxes / stride).round().long().tolist()
    cut = []
    for (x1, y1, x2, y2), one in zip(places, batch.tolist(), strict=True):
        left, top = min(max(x1, 0), width - 1), min(max(y1, 0), height - 1)
        right, bottom = min(max(x2, left + 1), width), min(max(y2, top + 1), height)
        cut.append(F.adaptive_max_pool2d(maps[one, :, top:bottom, left:right], out))
    return torch.stack(cut) if cut else maps.new_zeros(0, maps.shape[1], out, out)


def roi_align(maps: Sequence[Tensor], strides: Sequence[float], boxes: Tensor, batch: Tensor, level: Tensor, out: int = 7,
              samples: int = 2) -> Tensor:
    """Levels (B, C, H_l, W_l), pixels per place of each, (N, 4) in pixels, (N,) whose picture, (N,) which level -> (N, C, out, out).

    Every part is the mean of samples x samples points, each interpolated between the four places around it, whose centres lie at half
    numbers; beyond the edge the last place counts. One sum with weights over the rows of all maps of all pictures: no box is looked
    at alone, and nothing is computed between boxes and maps but the rows that are read.
    """
    count, channels = len(boxes), maps[0].shape[1]
    if not count:
        return maps[0].new_zeros(0, channels, out, out)
    rows = torch.cat([one.permute(0, 2, 3, 1).reshape(-1, channels) for one in maps])
    starts = torch.tensor([0, *(len(one) * one.shape[2] * one.shape[3] for one in maps)], device=boxes.device).cumsum(0)
    height, width = (torch.tensor([one.shape[axis] for one in maps], device=boxes.device)[level] for axis in (2, 3))
    scale = boxes.new_tensor([1 / stride for stride in strides])[level]
    y, y_weight = _between(boxes[:, 1] * scale, boxes[:, 3] * scale, height, out * samples)
    x, x_weight = _between(boxes[:, 0] * scale, boxes[:, 2] * scale, width, out * samples)
    first = starts[level] + batch * height * width
    # (N, out, out, samples * 2 rows, samples * 2 columns): row of `rows`, and its weight
    y, x, y_weight, x_weight = (one.view(count, out, 2 * samples) for one in (y, x, y_weight, x_weight))
    place = (y * width[:, None, None])[:, :, None, :, None] + x[:, None, :, None, :] + first[:, None, None, None, None]
    weight = y_weight[:, :, None, :, None] * x_weight[:, None, :, None, :] / samples**2
    bag = 4 * samples**2
    summed = F.embedding_bag(place.reshape(-1, bag), rows, mode="sum", per_sample_weights=weight.reshape(-1, bag).to(rows.dtype))
    return summed.view(count, out, out, channels).permute(0, 3, 1, 2)


def _between(low: Tensor, high: Tensor, length: Tensor, points: int) -> tuple[Tensor, Tensor]:
    """(N,) ends and lengths of an axis -> (N, points * 2): the two places beside each of `points` even steps, and their weights."""
    steps = (torch.arange(points, device=low.device, dtype=low.dtype) + 0.5) / points
    at = low[:, None] + (high - low)[:, None] * steps - 0.5
    last = length[:, None] - 1
    at = torch.minimum(at.clamp(min=0), last.to(at.dtype))
    before = at.floor().long()
    after = torch.minimum(before + 1, last)
    share = at - before
    return torch.stack([before, after], -1).flatten(1), torch.stack([1 - share, share], -1).flatten(1)
