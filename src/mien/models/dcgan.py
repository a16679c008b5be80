"""DCGAN (Radford et al. 2016, arXiv 1511.06434): strides instead of pooling, batch norm, no dense layer between, N(0, 0.02) weights.

Kernels of 4 x 4 and 64 channels at the largest size, as in the authors' own program (dcgan.torch); the paper's figure 1 has twice as
many channels. At 64 pixels the generator has 3,576,704 parameters and the judge 2,765,568. Of a `norm` other than "batch" the judge is
that of later papers: none for a gradient penalty (Gulrajani et al. 2017, section 4), "spectral" after Miyato et al. 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from mien.models.layers import looked_up
from mien.nn.strided import Doubling, Halving

Norm = Literal["batch", "spectral", "none"]
LEAK = 0.2


def stages(side: int) -> tuple[int, list[int]]:
    """Pixels at the bottom, and multiples of the width from there up: 64 -> 4, [8, 4, 2, 1]; 28 -> 7, [2, 1].

    ValueError for a side that is not 4, 5, 6 or 7 doubled once or more.
    """
    bottom, count = side, 0
    while bottom > 7 and bottom % 2 == 0:
        bottom, count = bottom // 2, count + 1
    if count < 1 or not 4 <= bottom <= 7:
        raise ValueError(f"DCGAN draws pictures of 28, 32, 64, ... pixels a side (4 to 7, doubled), not of {side}: --set size=32")
    return bottom, [2**i for i in reversed(range(count))]


class Generator(nn.Module):
    """(B, latent) and, with `classes`, labels (B,) or shares of them (B, classes) -> (B, channels, side, side) in -1..1."""

    def __init__(self, side: int = 64, channels: int = 3, classes: int = 0, latent: int = 100, width: int = 64) -> None:
        """With `classes`, a vector of the label lies beside the noise, as in Mirza and Osindero 2014: DCGAN's paper has no labels."""
        super().__init__()
        self.latent, self.classes = latent, classes
        bottom, multiples = stages(side)
        widths = [width * one for one in multiples]
        self.table = nn.Embedding(classes, latent) if classes else None
        inputs = 2 * latent if classes else latent
        layers: list[nn.Module] = [nn.Unflatten(1, (inputs, 1, 1)), nn.ConvTranspose2d(inputs, widths[0], bottom, 1, 0, bias=False)]
        for c_in, c_out in pairwise(widths):
            layers += [nn.BatchNorm2d(c_in), nn.ReLU(inplace=True), Doubling(c_in, c_out, bias=False)]
        layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True), Doubling(widths[-1], channels, bias=False)]
        self.layers = nn.Sequential(*layers, nn.Tanh()).apply(started)
        if self.table is not None:
            nn.init.normal_(self.table.weight, 0.0, latent**-0.5)  # as long as a 1 among 0s: a longer one drowns the noise

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """From one place up."""
        if self.table is None:
            return self.layers(z)
        assert labels is not None
        return self.layers(torch.cat([z, looked_up(self.table, labels).to(z.dtype)], 1))


class Judge(nn.Module):
    """(B, channels, side, side) in -1..1 and, with `classes`, (B,) labels -> (B, 1) logits."""

    def __init__(self, side: int = 64, channels: int = 3, classes: int = 0, width: int = 64, norm: Norm = "batch") -> None:
        """With `classes`, a vector of the label is added to what the first convolution sees: as if planes of 0 and 1 lay beside the
        picture.
        """
        super().__init__()
        bottom, multiples = stages(side)
        widths = [width * one for one in reversed(multiples)]
        self.first, self.table = Halving(channels, width, bias=False), nn.Embedding(classes, width) if classes else None
        layers: list[nn.Module] = [nn.LeakyReLU(LEAK, inplace=True)]
        for c_in, c_out in pairwise(widths):
            layers += [Halving(c_in, c_out, bias=norm != "batch"), *normed(norm, c_out), nn.LeakyReLU(LEAK, inplace=True)]
        layers += [nn.Conv2d(widths[-1], 1, bottom, 1, 0, bias=False), nn.Flatten()]
        self.layers = nn.Sequential(*layers)
        self.apply(started)
        if self.table is not None:
            nn.init.normal_(self.table.weight, 0.0, 0.1)
        if norm == "spectral":
            for layer in [one for one in self.modules() if isinstance(one, nn.Conv2d)]:
                spectral_norm(layer)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The last convolution sees the whole map."""
        seen = self.first(x)
        if self.table is not None:
            assert labels is not None
            seen = seen + self.table(labels).to(seen.dtype)[:, :, None, None]
        return self.layers(seen)


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
    if isinstance(module, nn.BatchNorm2d) and module.affine:
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
