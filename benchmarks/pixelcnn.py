"""Drawing by a PixelCNN: what is computed kept from pixel to pixel, against a whole pass for every pixel; a VAE for comparison.

    python benchmarks/pixelcnn.py [--model digits-pixelcnn] [--vae digits-vae] [--batch 64]

28 x 28 pixels, one thread, fp32, seconds of processor time (which other processes on the machine disturb least), best of two. A
whole drawing without keeping is 784 passes over the batch, each as long as the other, of which 4 are timed. A network that
goes in squares of 2 x 2 could do with 196 passes (a square's four answers are in one): that ratio stands beside it. That both give
the same pictures is checked with one picture.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from machine import load, origin
from mien.models.generator import Plan, build, draw
from mien.models.pixelcnn import GatedPixelCNN, PixelCNN, sampled
from mien.nn.batches import seeded
from mien.tasks.generate.asked import opened
from mien.tasks.generate.recipes import pixelcnn, pixelcnn_gated

SIDE, PASSES = 28, 4


def seconds(run: Callable[[], Any], times: int = 2) -> float:
    """Of processor time, the least."""
    found = []
    for _ in range(times):
        began = time.process_time()
        run()
        found.append(time.process_time() - began)
    return min(found)


@torch.inference_mode()
def measured(net: nn.Module, batch: int) -> dict[str, Any]:
    """Of one network, untrained or trained: how fast does not hang on its weights."""
    assert isinstance(net, PixelCNN | GatedPixelCNN)
    chances = torch.rand(batch, 1, SIDE, SIDE, generator=seeded(0))
    kept = seconds(lambda: sampled(net, chances))
    one = seconds(lambda: [net(chances) for _ in range(PASSES)]) / PASSES
    whole = one * SIDE * SIDE
    same = bool(torch.equal(sampled(net, chances[:1]), sampled(net, chances[:1], cached=False)))
    row: dict[str, Any] = {
        "parameters": sum(p.numel() for p in net.parameters()), "batch": batch, "seconds_kept": round(kept, 3),
        "pictures_a_second": round(batch / kept, 1), "seconds_of_a_pass": round(one, 4), "seconds_of_784_passes": round(whole, 1),
        "times_as_fast": round(whole / kept, 1), "same_pictures": same,
    }  # fmt: skip
    if net.patch > 1:
        row["times_as_fast_as_196_passes"] = round(whole / net.patch**2 / kept, 1)
    return row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="digits-pixelcnn")
    parser.add_argument("--vae", default="digits-vae")
    parser.add_argument("--batch", type=int, default=64)
    given = parser.parse_args()
    torch.set_num_threads(1)
    before = load()
    nets = {name: build(Plan(recipe.network, SIDE, dict(recipe.options))).eval()
            for name, recipe in (("pixelcnn", pixelcnn()), ("pixelcnn-gated", pixelcnn_gated()))}  # fmt: skip
    rows = {name: measured(net, given.batch) for name, net in nets.items()}
    rows[given.model] = measured(opened(given.model)[0], given.batch)
    vae, plan = opened(given.vae)
    spent = seconds(lambda: draw(vae, plan.side, 1000, seeded(0)))
    rate, parameters = round(1000 / spent, 1), sum(p.numel() for p in vae.parameters())
    rows[given.vae] = {"parameters": parameters, "batch": 1000, "pictures_a_second": rate}
    print(json.dumps({"rows": rows} | origin(before), indent=2))


if __name__ == "__main__":
    main()
