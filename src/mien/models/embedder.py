"""A trained embedder: the same network maps every picture to a vector, and near vectors mean the same person."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.models.classifier import Plan, opened

AT_ONCE = 256


def load(model: Path) -> tuple[nn.Sequential, Plan]:
    """The embedder in a run folder or file, in eval mode on the CPU, and its plan; ValueError where there is none."""
    path = model / "model.safetensors" if model.is_dir() else model
    if not path.is_file():
        raise ValueError(f"{model} is no model file and no run folder with a model.safetensors")
    net, plan = opened(path)
    if not plan.vector:
        raise ValueError(f"{path} is a classifier of {len(plan.classes)} classes, expected a network that makes vectors")
    return net, plan


@torch.no_grad()
def vectors(net: nn.Module, images: Tensor, mirror: bool = False) -> Tensor:
    """(N, H, W, C) uint8 -> (N, D) float32 of unit length on the CPU; `mirror`: of the picture and its mirror image together."""
    device = next(net.parameters()).device
    parts = (part.to(device).permute(0, 3, 1, 2) for part in images.split(AT_ONCE))
    found = [net(part).float() + net(part.flip(-1)).float() if mirror else net(part).float() for part in parts]
    return F.normalize(torch.cat(found)).cpu()
