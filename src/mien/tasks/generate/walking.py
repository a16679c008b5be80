"""A walk from picture to picture through what a network draws them from, as a film that ends where it began."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.data.moving import FILMS, write_film
from mien.models.generator import latent, pictures
from mien.nn.batches import seeded
from mien.nn.latent import between
from mien.provenance.container import SIGNABLE
from mien.provenance.manifest import GENERATED, sign
from mien.tasks.generate.asked import Asked, coloured_pixels, opened
from mien.tasks.generate.labels import numbers, taken
from mien.tasks.generate.results import Walked

KEYS, RATE, AT_ONCE = 8, 25, 32
"""Pictures that a walk passes, frames a second, frames computed at once."""
LONGEST = 20_000
"""Frames of a film."""
SIGNED = tuple(suffix for name, suffixes in SIGNABLE.values() if name == "MP4" for suffix in suffixes)


def walk(asked: Asked) -> Walked:
    """Draw and write. ValueError for a name, a number or a label that will not do, or a network that has nothing to walk through."""
    keys = KEYS if asked.count is None else asked.count
    _check(asked, keys)
    net, plan = opened(asked.model)
    z, labels = latent(net), numbers(asked.label, plan, asked.model)
    net.to(asked.runtime.device)
    ends = torch.randn(keys, z, generator=seeded(asked.seed))
    shown = None
    if plan.labels:
        chosen = taken(torch.arange(len(plan.labels)) if labels is None else labels, 0, keys)
        assert chosen is not None
        shown = F.one_hot(chosen, len(plan.labels)).float()
    began = time.perf_counter()
    frames = [*_frames(net, ends, shown, asked.between, asked.zoom)]
    seconds = time.perf_counter() - began
    _write(asked, frames)
    return Walked(asked.out, asked.model, plan.network, keys, len(frames), plan.side * asked.zoom, asked.seed, round(seconds, 3),
                  asked.signing)  # fmt: skip


def _check(asked: Asked, keys: int) -> None:
    suffix = asked.out.suffix.lower()
    if suffix not in FILMS:
        raise ValueError(f"{asked.out}: cannot write {asked.out.suffix or 'no suffix'} as a film, expected one of {' '.join(FILMS)}")
    if asked.signing and suffix not in SIGNED:
        raise ValueError(f"{asked.out}: a {suffix} file cannot be signed: write {' or '.join(SIGNED)}, or --no-sign")
    if keys < 2:
        raise ValueError(f"found count {keys}, expected 2 or more pictures to walk through")
    if asked.between < 1 or keys * asked.between > LONGEST:
        raise ValueError(f"found {asked.between} frames for each of {keys} pictures, expected 1 or more, {LONGEST:,} together at most")
    if asked.complete is not None:
        raise ValueError("a walk draws whole pictures: leave --complete out")


def _frames(net: nn.Module, ends: Tensor, labels: Tensor | None, count: int, zoom: int) -> Iterator[np.ndarray]:
    """`count` frames from each end to the next, and from the last to the first; (keys, classes) labels fade from one to the other."""
    share = torch.arange(count) / count
    turned = ends.roll(-1, 0)
    path = torch.cat([between(one, other, share) for one, other in zip(ends, turned, strict=True)])
    shown = None
    if labels is not None:
        pairs = zip(labels, labels.roll(-1, 0), strict=True)
        shown = torch.cat([torch.lerp(one, other, share[:, None]) for one, other in pairs])
    for start in range(0, len(path), AT_ONCE):
        z, told = path[start:start + AT_ONCE], None if shown is None else shown[start:start + AT_ONCE]
        yield from coloured_pixels(pictures(net, z, told), zoom)


def _write(asked: Asked, frames: list[np.ndarray]) -> None:
    draft = asked.out.with_name(f".{asked.out.stem}.unsigned{asked.out.suffix}") if asked.signing else asked.out
    try:
        write_film(draft, frames, RATE)
        if asked.signing:
            sign(draft, asked.out, title=asked.out.name, action=f"drawn by a neural network from the seed {asked.seed}",
                 model=f"mien generate {asked.model}", identity=asked.signer, source_type=GENERATED)  # fmt: skip
    finally:
        if asked.signing:
            Path(draft).unlink(missing_ok=True)
