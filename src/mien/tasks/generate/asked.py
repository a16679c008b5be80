"""What a person asked for, and what every way of drawing shares: the model opened, and its pictures as pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from mien.data.files import atomic
from mien.data.pictures import write_picture
from mien.models.generator import Plan, load
from mien.models.planned import model_file
from mien.provenance.identity import Identity
from mien.provenance.manifest import sign
from mien.runtime import Runtime
from mien.weights import cards


@dataclass(frozen=True)
class Asked:
    """What a person asked for."""

    model: str
    out: Path
    count: int | None
    seed: int
    zoom: int
    complete: Path | None
    runtime: Runtime
    signing: bool
    signer: Identity | None
    label: str = ""
    between: int = 24


def opened(model: str) -> tuple[nn.Module, Plan]:
    """A card's name, a model file or a run folder -> network and plan. ValueError for none of these."""
    if file := model_file(model, "generator"):
        return load(file)
    there = [card.name for card in cards() if card.kind == "generator"]
    raise ValueError(f"no model {model!r}: choose {', '.join([*there, 'a .safetensors file'])} or the run folder of a training")


def coloured_pixels(drawn: Tensor, zoom: int) -> np.ndarray:
    """(N, 1 or 3, S, S) in 0..1 -> (N, S zoom, S zoom, 3) uint8."""
    pixels = (drawn.float() * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy().repeat(zoom, 1).repeat(zoom, 2)
    return np.repeat(pixels, 3, 3) if pixels.shape[3] == 1 else pixels


def write_sheet(out: Path, pixels: np.ndarray, action: str, model: str, signer: Identity | None, source_type: str,
                signing: bool) -> None:  # fmt: skip
    """(H, W, 3) uint8 as a picture, signed where wanted; `action`: what was done, in words."""
    with atomic(out) as draft:
        write_picture(draft, pixels)
        if signing:
            sign(draft, draft, title=out.name, action=action, model=f"mien generate {model}", identity=signer, source_type=source_type)
