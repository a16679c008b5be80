"""What a classifier sees in pictures, for distances of distributions: the numbers before its last layer, and its answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.models.classifier import Plan, find, load
from mien.progress import Progress

FOR = {1: "lenet5-digits", 3: "speednet-cifar10"}
"""Channels of pictures -> the bundled classifier that looks at them."""
AT_ONCE = 250


@dataclass(frozen=True)
class Seen:
    """What an extractor makes of pictures."""

    features: Tensor
    """(N, D) before the last layer."""
    chances: Tensor
    """(N, classes)."""


@dataclass
class Extractor:
    """A classifier that looks at pictures; `name` holds the beginning of its file's hash, for a score is one of its extractor."""

    name: str
    net: nn.Module
    plan: Plan
    device: torch.device
    _before: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        """What the last dense layer is given is kept as it passes."""
        last = [part for part in self.net.modules() if isinstance(part, nn.Linear)][-1]
        last.register_forward_pre_hook(lambda _, inputs: self._before.append(inputs[0].flatten(1)))

    def fits(self, side: int) -> str:
        """How pictures come to the size it knows, in words."""
        wanted = self.plan.shape[1]
        return "" if side == wanted else f", pictures of {side} pixels brought to {wanted} (bilinear, antialiased)"

    @torch.no_grad()
    def see(self, pictures: Tensor, what: str) -> Seen:
        """(N, C, H, W) uint8; greys become colours, and colours grey, where it knows the other; `what`: for the progress."""
        features, chances = [], []
        with Progress(f"look at {what}", total=len(pictures), unit="pictures") as bar:
            for some in pictures.split(AT_ONCE):
                self._before.clear()
                chances.append(self.net(self._prepared(some)).float().softmax(1).cpu())
                features.append(self._before[0].float().cpu())
                bar.advance(len(some))
        return Seen(torch.cat(features), torch.cat(chances))

    def _prepared(self, some: Tensor) -> Tensor:
        x, (channels, side, _) = some.to(self.device).float() / 255, self.plan.shape
        if x.shape[1] != channels:
            x = x.mean(1, keepdim=True).expand(-1, channels, -1, -1)
        return x if x.shape[-1] == side else F.interpolate(x, (side, side), mode="bilinear", antialias=True)


def extractor(model: str, channels: int, device: torch.device) -> Extractor:
    """`model`: a bundled classifier, a classifier's file or run folder; nothing: the one of `FOR`. ValueError where it is none."""
    model = model or FOR[channels]
    net, plan = load(model)
    if not any(isinstance(part, nn.Linear) for part in net.modules()):
        raise ValueError(f"{model} has no dense last layer to look before: choose another extractor")
    path = find(model)
    with path.open("rb") as file:
        code = hashlib.file_digest(file, "sha256").hexdigest()[:8]
    name = model if model in FOR.values() else path.stem
    return Extractor(f"{name}@{code}", net.to(device), plan, device)
