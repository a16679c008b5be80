"""From the name of a model to what enlarges pictures."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from mien.models.enlarger import COLOURED, EXACT, Enlarger, load
from mien.models.planned import model_file
from mien.weights import cards, locate

BICUBIC = "bicubic"
NAMES = {"fast": ("mien-upscale",), "srgan": ("mien-upscale-srgan",), "face": ("mien-upscale-face",), "vdsr": ("vdsr",),
         "srcnn": ("srcnn-x2", "srcnn-x3", "srcnn-x4")}  # fmt: skip
"""What a person asks for, and the cards of the networks that are meant."""
SCALES = (2, 3, 4)


def opened(model: str, scale: int, device: torch.device | None = None) -> Enlarger:
    """`model`: bicubic, one of `NAMES`, a card's name, a model file or a run folder.

    Raises ValueError for none of these, and for a scale it was not made for.
    """
    if scale not in SCALES:
        raise ValueError(f"scale {scale} is not offered: choose {', '.join(map(str, SCALES))}")
    if model == BICUBIC:
        return Enlarger(BICUBIC, None, scale)
    found = [load(path) for path in _files(model)]
    for net, plan in found:
        if scale in plan.scales:
            return Enlarger(model, _ready(net, device), scale, plan.network in COLOURED, plan.network in EXACT)
    offered = sorted({one for _, plan in found for one in plan.scales})
    raise ValueError(f"{model} does not enlarge by {scale}: choose {' or '.join(map(str, offered))}")


def known() -> list[str]:
    """Models that are here."""
    there = {card.name for card in cards()}
    return [BICUBIC, *(name for name, some in NAMES.items() if there & set(some))]


def _files(model: str) -> list[Path]:
    there = {card.name for card in cards() if card.kind == "enlarger"}
    if names := [name for name in NAMES.get(model, (model,)) if name in there]:
        return [locate(name) for name in names]
    if file := model_file(model, "enlarger"):
        return [file]
    raise ValueError(f"no model {model!r}: choose {', '.join(known())}, a .safetensors file or the run folder of a training")


def _ready(net: nn.Module, device: torch.device | None) -> nn.Module:
    return net.to(device) if device else net
