"""DCGAN (Radford et al. 2016, arXiv 1511.06434): strides instead of pooling, batch norm, no dense layer between, N(0, 0.02) weights.

Kernels of 4 x 4 and 64 channels at the largest size, as in the authors' own program (dcgan.torch); the paper's figure 1 has twice as
many channels. At 64 pixels the generator has 3,576,704 parameters and the judge 2,765,568. Of a `norm` other than "batch" the judge is
that of later papers: none for a gradient penalty (Gulrajani et al. 2017, section 4), "spectral" after Miyato et al. 2018.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from mien.nn.strided import Doubling, Halving

Norm = Literal["batch", "spectral", "none"]
LEAK = 0.2


def stages(side: int) -> list[int]:
    """Multiples of the width at 4, 8, ... side / 2 pixels: 64 -> [8, 4, 2, 1]. ValueError for another side than 8, 16, 32, ..."""
    count = int(math.log2(side)) - 2 if side > 0 else 0
    if count < 1 or side != 4 * 2**count:
        raise ValueError(f"DCGAN draws pictures of 8, 16, 32, 64, ... pixels a side, not of {side}: --set size=32")
    return [2**i for i in reversed(range(count))]


class Generator(nn.Module):
    """(B, latent) -> (B, channels, side, side) in -1..1."""

    def __init__(self, side: int = 64, channels: int = 3, classes: int = 0, latent: int = 100, width: int = 64) -> None:
        """`classes` changes nothing here."""
        super().__init__()
        self.latent, self.classes = latent, 0
        widths = [width * one for one in stages(side)]
        layers: list[nn.Module] = [nn.Unflatten(1, (latent, 1, 1)), nn.ConvTranspose2d(latent, widths[0], 4, 1, 0, bias=False)]
        for c_in, c_out in pairwise(widths):
            layers += [nn.BatchNorm2d(c_in), nn.ReLU(inplace=True), Doubling(c_in, c_out, bias=False)]
        layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True), Doubling(widths[-1], channels, bias=False)]
        self.layers = nn.Sequential(*layers, nn.Tanh()).apply(started)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Labels have no part in it."""
        return self.layers(z)


class Judge(nn.Module):
    """(B, channels, side, side) in -1..1 -> (B, 1) logits."""

    def __init__(self, side: int = 64, channels: int = 3, classes: int = 0, width: int = 64, norm: Norm = "batch") -> None:
        """`classes` changes nothing here."""
        super().__init__()
        widths = [width * one for one in reversed(stages(side))]
        layers: list[nn.Module] = [Halving(channels, width, bias=False), nn.LeakyReLU(LEAK, inplace=True)]
        for c_in, c_out in pairwise(widths):
            layers += [Halving(c_in, c_out, bias=norm != "batch"), *normed(norm, c_out), nn.LeakyReLU(LEAK, inplace=True)]
        layers.append(nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False))
        self.layers = nn.Sequential(*layers, nn.Flatten()).apply(started)
        if norm == "spectral":
            for layer in self.layers:
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Labels have no part in it."""
        return self.layers(x)


def normed(norm: Norm, width: int) -> Iterator[nn.Module]:
    """The layer that norms activations, where there is one."""
    if norm == "batch":
        yield nn.BatchNorm2d(width)


def started(module: nn.Module) -> None:
    """Weights N(0, 0.02), factors of norms N(1, 0.02): section 3, and the authors' program."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
