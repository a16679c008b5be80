"""Non-maximum suppression and regions cut from maps against the obvious ways to write them in torch; memory of the latter.

    python benchmarks/detect_ops.py

One thread; processor seconds, the median of several runs after one to warm up, so that other work on the machine matters little.
Naive suppression: one box after the other against those that are left. Naive RoIAlign: `grid_sample` of the maps, once for each box.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from machine import load, origin
from mien.nn import boxes as bx
from mien.nn.regions import roi_align, roi_pool

RUNS = 9


def naive_suppress(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    order, keep = scores.argsort(descending=True), []
    while len(order):
        best, rest = order[0], order[1:]
        keep.append(best)
        order = rest[bx.iou(boxes[best][None], boxes[rest])[0] <= threshold]
    return torch.stack(keep)


def naive_align(feature: Tensor, boxes: Tensor, stride: float, out: int = 7) -> Tensor:
    """2 x 2 points in every part, as `roi_align` has them."""
    steps = (torch.arange(2 * out) + 0.5) / (2 * out)
    x, y = (boxes[:, i, None] + (boxes[:, i + 2] - boxes[:, i])[:, None] * steps for i in (0, 1))
    height, width = feature.shape[-2:]
    x, y = x / stride / width * 2 - 1, y / stride / height * 2 - 1
    grid = torch.stack([x[:, None, :].expand(-1, 2 * out, -1), y[:, :, None].expand(-1, -1, 2 * out)], dim=-1)
    samples = F.grid_sample(feature.expand(len(boxes), -1, -1, -1), grid, padding_mode="border", align_corners=False)
    return F.avg_pool2d(samples, 2)


def seconds(run: Callable[[], object]) -> float:
    run()
    found = []
    for _ in range(RUNS):
        began = time.process_time()
        run()
        found.append(time.process_time() - began)
    return statistics.median(found)


def against(ours: Callable[[], Any], naive: Callable[[], Any]) -> dict[str, float]:
    mine, theirs = seconds(ours), seconds(naive)
    return {"ms": round(mine * 1e3, 3), "naive_ms": round(theirs * 1e3, 3), "times": round(theirs / mine, 2)}


def some_boxes(count: int, side: float) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    boxes = torch.rand(count, 4, generator=random) * side
    boxes[:, 2:] = boxes[:, :2] + side / 10 + boxes[:, 2:] / 4
    return boxes, torch.rand(count, generator=random)


def main() -> None:
    torch.set_num_threads(1)
    before, results = load(), {}
    for count in (300, 1000, 4000):
        boxes, scores = some_boxes(count, 200)
        assert torch.equal(bx.suppress(boxes, scores, 0.5), naive_suppress(boxes, scores, 0.5))
        results[f"suppress {count}"] = against(partial(bx.suppress, boxes, scores, 0.5), partial(naive_suppress, boxes, scores, 0.5))
    maps, (boxes, _) = torch.rand(1, 64, 60, 80), some_boxes(300, 300)
    zeros = torch.zeros(300, dtype=torch.long)
    torch.testing.assert_close(roi_align([maps], (8,), boxes, zeros, zeros), naive_align(maps[0], boxes, 8), atol=1e-4, rtol=0)
    learnt = maps.clone().requires_grad_()
    results["align 300"] = against(lambda: roi_align([maps], (8,), boxes, zeros, zeros), lambda: naive_align(maps[0], boxes, 8))
    results["align 300, forward and backward"] = against(
        lambda: roi_align([learnt], (8,), boxes, zeros, zeros).sum().backward(),
        lambda: naive_align(learnt[0], boxes, 8).sum().backward(),
    )
    results["pool 300"] = {"ms": round(seconds(lambda: roi_pool(maps, boxes, zeros, 8)) * 1e3, 3)}
    print(json.dumps({"results": results, **origin(before)}, indent=2))


if __name__ == "__main__":
    main()
