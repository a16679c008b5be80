"""Sheets of drawn pictures, and what a generator makes of given ones."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mien.data.examples import parts, read_examples
from mien.data.files import atomic
from mien.data.pictures import read_picture, write_picture
from mien.data.resize import resize_pixels
from mien.models.generator import Plan, draw, load
from mien.models.vae import VAE
from mien.nn.batches import seeded
from mien.progress import Progress
from mien.provenance.identity import Identity
from mien.provenance.manifest import GENERATED, sign
from mien.provenance.outputs import checked
from mien.runtime import Runtime
from mien.tasks.generate.results import Generated, Likely
from mien.train.generate import AT_ONCE, coloured, costs, sheet
from mien.weights import cards, locate

MOST = 10_000
"""Pictures on one sheet."""


@dataclass(frozen=True)
class Asked:
    """What a person asked for."""

    model: str
    out: Path
    count: int
    seed: int
    zoom: int
    complete: Path | None
    runtime: Runtime
    signing: bool
    signer: Identity | None


def opened(model: str) -> tuple[nn.Module, Plan]:
    """A card's name, a model file or a run folder -> network and plan. ValueError for none of these."""
    there = [card.name for card in cards() if card.kind == "generator"]
    path = Path(model)
    if model in there:
        return load(locate(model))
    if (path / "model.safetensors").is_file():
        return load(path / "model.safetensors")
    if path.is_file():
        return load(path)
    raise ValueError(f"no model {model!r}: choose {', '.join([*there, 'a .safetensors file'])} or the run folder of a training")


def generate_sheet(asked: Asked) -> Generated:
    """Draw and write. ValueError for a name, a count or a picture that will not do."""
    checked((), asked.out, asked.signing)
    if not 1 <= asked.count <= MOST:
        raise ValueError(f"found count {asked.count}, expected 1 to {MOST:,}")
    if not 1 <= asked.zoom <= 16:
        raise ValueError(f"found zoom {asked.zoom}, expected 1 to 16")
    net, plan = opened(asked.model)
    net.to(asked.runtime.device)
    known = None if asked.complete is None else upper_half(asked.complete, plan.side).expand(asked.count, -1, -1)
    began = time.perf_counter()
    drawn = draw(net, plan.side, asked.count, seeded(asked.seed), known)
    seconds = time.perf_counter() - began
    pixels = (drawn[:, 0] * 255).round().byte().numpy().repeat(asked.zoom, 1).repeat(asked.zoom, 2)
    across = max(round(math.sqrt(asked.count)), 1)
    with atomic(asked.out) as draft:
        write_picture(draft, np.repeat(sheet(pixels, across, 2 * asked.zoom)[..., None], 3, 2))
        if asked.signing:
            sign(draft, draft, title=asked.out.name, action=f"drawn by a neural network from the seed {asked.seed}",
                 model=f"mien generate {asked.model}", identity=asked.signer, source_type=GENERATED)  # fmt: skip
    return Generated(asked.out, asked.model, plan.network, asked.count, plan.side * asked.zoom, asked.seed, round(seconds, 3),
                     asked.signing)  # fmt: skip


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


@torch.no_grad()
def measured(model: str, data: Path, samples: int, images: int, runtime: Runtime) -> Likely:
    """Nats of the test pictures of a data set. ValueError for a data set without them, and counts below 1."""
    if samples < 1 or images < 1:
        raise ValueError(f"found {samples} samples and {images} images, expected 1 or more of both")
    net, plan = opened(model)
    net.to(runtime.device)
    part = "test" if "test" in parts(data) else "train"
    grey = read_examples(data, part, plan.side, 1).images[:images]
    x = coloured(torch.from_numpy(np.ascontiguousarray(grey)), seeded(0, 5))
    random = seeded(0, 6)
    exact: list[Tensor] = []
    bounds: list[Tensor] = []
    with Progress("measure", total=len(x), unit="pictures") as bar:
        for some in x.split(AT_ONCE if not isinstance(net, VAE) else 50):
            some = some.to(runtime.device)
            cost = costs(net, some, random)["cost"]
            if isinstance(net, VAE):
                bounds.append(cost.cpu())
                noise = torch.randn(samples, len(some), net.latent, generator=random).to(runtime.device)
                cost = net.nats(some, noise)
            exact.append(cost.cpu())
            bar.advance(len(some))
    nats = float(torch.cat(exact).mean())
    protocol = f"{len(x)} {part} pictures of {data.name}, white with a chance of their grey value, drawn once"
    return Likely(model, plan.network, nats, float(torch.cat(bounds).mean()) if bounds else None,
                  nats / math.log(2) / plan.side**2, samples if bounds else None, len(x), protocol)  # fmt: skip
