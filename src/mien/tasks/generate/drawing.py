"""Sheets of drawn pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mien.data.files import atomic
from mien.data.pictures import read_picture, write_picture
from mien.data.resize import resize_pixels
from mien.models.generator import Plan, draw
from mien.nn.batches import seeded
from mien.provenance.manifest import GENERATED, sign
from mien.provenance.outputs import checked
from mien.tasks.generate.asked import Asked, coloured_pixels, opened
from mien.tasks.generate.labels import numbers, taken
from mien.tasks.generate.results import Generated
from mien.train.generate import AT_ONCE, sheet

MOST = 10_000
"""Pictures on one sheet."""


def generate_sheet(asked: Asked) -> Generated:
    """Draw and write. ValueError for a name, a count or a picture that will not do."""
    checked((), asked.out, asked.signing)
    count = 64 if asked.count is None else asked.count
    if count > MOST:
        raise ValueError(f"found count {count}, expected 1 to {MOST:,} on a sheet: more go into a folder (--out FOLDER)")
    if asked.complete is not None and asked.label:
        raise ValueError("a network with labels draws whole pictures: leave --complete or --label out")
    net, plan = opened(asked.model)
    net.to(asked.runtime.device)
    known = None if asked.complete is None else upper_half(asked.complete, plan.side)
    began = time.perf_counter()
    labels = numbers(asked.label, plan, asked.model)
    pixels = np.concatenate([coloured_pixels(some, asked.zoom) for some in groups(net, plan, count, asked.seed, labels, known)])
    seconds = time.perf_counter() - began
    with atomic(asked.out) as draft:
        write_picture(draft, sheet(pixels, max(round(math.sqrt(count)), 1), 2 * asked.zoom))
        if asked.signing:
            sign(draft, draft, title=asked.out.name, action=f"drawn by a neural network from the seed {asked.seed}",
                 model=f"mien generate {asked.model}", identity=asked.signer, source_type=GENERATED)  # fmt: skip
    return Generated(asked.out, asked.model, plan.network, count, plan.side * asked.zoom, asked.seed, round(seconds, 3),
                     asked.signing)  # fmt: skip


def groups(net: nn.Module, plan: Plan, count: int, seed: int, labels: Tensor | None = None,
           known: Tensor | None = None) -> Iterator[Tensor]:  # fmt: skip
    """`count` pictures, `AT_ONCE` at a time: (B, 1 or 3, S, S) in 0..1. Each is a function of the seed and its place alone.

    labels (N,): drawn in turn; known (S, S): see `mien.models.generator.draw`.
    """
    for group, first in enumerate(range(0, count, AT_ONCE)):
        some = min(AT_ONCE, count - first)
        random = seeded(seed, group) if group else seeded(seed)
        told = taken(torch.arange(len(plan.labels)) if labels is None and plan.labels else labels, first, some)
        yield draw(net, plan.side, some, random, None if known is None else known.expand(some, -1, -1), told)


def upper_half(path: Path, side: int) -> Tensor:
    """A picture's upper half in black and white, (side, side), NaN below: white on black, resized where it is larger."""
    image = read_picture(path)
    height, width = image.shape[:2]
    if height != width:
        raise ValueError(f"{path} has {width} x {height} pixels, expected a square picture")
    if height != side:
        image = resize_pixels(image, side / height)
    grey = torch.from_numpy(image[:side, :side].mean(2)) / 255
    known = (grey > 0.5).float()
    known[side // 2:] = math.nan
    return known
