"""Conditional adversarial networks of dense layers (Mirza and Osindero 2014, arXiv 1411.1784, section 4.1: their sizes for MNIST).

Noise and label are mapped to hidden layers of their own, which are joined; the judge does the same with picture and label.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien.models.gan import DROP, Maxout
from mien.models.layers import looked_up

NOISE, LABEL = 200, 1000
"""Hidden units of the generator for noise and for labels."""


class Generator(nn.Module):
    """(B, latent) and labels (B,), or shares of them (B, classes) -> (B, channels, side, side) in -1..1."""

    def __init__(self, side: int = 28, channels: int = 1, classes: int = 10, latent: int = 100, width: int = 1200) -> None:
        """`width`: of the joint layer; noise and label have a sixth and five sixths of it, as in the paper."""
        super().__init__()
        self.latent, self.classes = latent, classes
        noise = width * NOISE // (NOISE + LABEL)
        self.noise, self.label = nn.Linear(latent, noise), nn.Embedding(classes, width - noise)
        self.joint = nn.Sequential(nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, channels * side * side), nn.Tanh(),
                                   nn.Unflatten(1, (channels, side, side)))  # fmt: skip

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """A picture of each label."""
        return self.joint(torch.cat([self.noise(z), looked_up(self.label, labels).to(z.dtype)], 1))


class Judge(nn.Module):
    """(B, channels, side, side) in -1..1 and (B,) labels -> (B, 1) logits of the pair being real."""

    def __init__(self, side: int = 28, channels: int = 1, classes: int = 10, width: int = 240, label: int = 50,
                 drop: float = DROP) -> None:  # fmt: skip
        """Units of five pieces each for the picture (`width`) and the label, and `width` of four for both."""
        super().__init__()
        self.picture = nn.Sequential(nn.Flatten(), Maxout(channels * side * side, width))
        self.label = nn.Sequential(nn.Embedding(classes, 5 * label), nn.Unflatten(1, (label, 5)))
        self.joint = nn.Sequential(nn.Dropout(drop), Maxout(width + label, width, 4), nn.Dropout(drop), nn.Linear(width, 1))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """The label's units are the largest of their pieces, too."""
        seen = self.picture(x)
        return self.joint(torch.cat([seen, self.label(labels).max(2).values.to(seen.dtype)], 1))
