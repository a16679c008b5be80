"""A judge of patches: says of every part of a picture whether it is a photograph's (PatchGAN, Isola et al. 2017, arXiv 1611.07004).

Each score sees 54 x 54 pixels, so the judge knows texture and edges, and not whose face it is. What it sees on the way to its scores
is given, too, since a generator may learn from that (Salimans et al. 2016; Wang et al. 2018): `mien.nn.adversary.feature_matching`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, NamedTuple

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from mien.models.srresnet import Centred
from mien.nn.strided import Halving

WIDTHS = (32, 64, 128)
"""Channels of the stages, each of which halves the size."""
LEAK = 0.2
LEAST = 32
"""Pixels a side of the smallest picture judged."""


class Judged(NamedTuple):
    """What a judge makes of pictures."""

    scores: Tensor
    """(B, 1, h, w), without a sigmoid: a score for each patch."""
    features: tuple[Tensor, ...]
    """The maps on the way there, each (B, C, h, w), from fine to coarse."""


class PatchJudge(nn.Module):
    """(B, channels, H, W) in 0..1, sides of 32 and more -> `Judged`, a score every 8 pixels; 314,337 parameters.

    norm: "spectral" (Miyato et al. 2018: each layer no steeper than 1, for the hinge loss), or "none" for a gradient penalty.
    """

    def __init__(self, channels: int = 3, widths: tuple[int, ...] = WIDTHS, norm: Literal["spectral", "none"] = "spectral") -> None:
        super().__init__()
        stages = [nn.Sequential(Halving(a, b), nn.LeakyReLU(LEAK)) for a, b in pairwise((channels, *widths))]
        last = nn.Sequential(nn.Conv2d(widths[-1], widths[-1], 3, padding=1), nn.LeakyReLU(LEAK))
        self.centred, self.stages = Centred(), nn.ModuleList([*stages, last])
        self.out = nn.Conv2d(widths[-1], 1, 3, padding=1)
        for layer in [one for one in self.modules() if isinstance(one, nn.Conv2d)]:
            nn.init.kaiming_normal_(layer.weight, LEAK, nonlinearity="leaky_relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
            if norm == "spectral":
                spectral_norm(layer)

    def forward(self, x: Tensor) -> Judged:
        """Raises ValueError for pictures too small to be halved so often; odd sides lose a row."""
        if min(x.shape[-2:]) < LEAST:
            raise ValueError(f"found pictures of {x.shape[-1]} x {x.shape[-2]} pixels, expected {LEAST} or more a side")
        x, features = self.centred(x), []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return Judged(self.out(x), tuple(features))

    def score(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) -> (B,): the mean of its patches, for penalties on how steep the judge is."""
        return self(x).scores.mean((1, 2, 3))
