"""Generative adversarial networks of dense layers (Goodfellow et al. 2014, arXiv 1406.2661), of the sizes of the authors' for MNIST.

A generator (B, latent) standard normal -> (B, C, S, S) in -1..1; a judge of rectified maxima (maxout, Goodfellow et al. 2013, arXiv
1302.4389) with dropout -> (B, 1) logits of a picture being real. Labels are taken and not looked at: those are for `mien.models.cgan`.
"""

from __future__ import annotations

from torch import Tensor, nn

DROP = 0.5


class Maxout(nn.Module):
    """(B, c_in) -> (B, units): of each unit the largest of its pieces."""

    def __init__(self, c_in: int, units: int, pieces: int = 5) -> None:
        super().__init__()
        self.shape = units, pieces
        self.linear = nn.Linear(c_in, units * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """One product of matrices."""
        return self.linear(x).unflatten(1, self.shape).max(2).values


class Generator(nn.Module):
    """(B, latent) -> (B, channels, side, side) in -1..1."""

    def __init__(self, side: int = 28, channels: int = 1, classes: int = 0, latent: int = 100, width: int = 1200) -> None:
        """`classes` changes nothing here."""
        super().__init__()
        self.latent, self.classes = latent, 0
        hidden = [nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()]
        last = [nn.Linear(width, channels * side * side), nn.Tanh(), nn.Unflatten(1, (channels, side, side))]
        self.layers = nn.Sequential(*hidden, *last)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Labels have no part in it."""
        return self.layers(z)


class Judge(nn.Module):
    """(B, channels, side, side) in -1..1 -> (B, 1) logits."""

    def __init__(self, side: int = 28, channels: int = 1, classes: int = 0, width: int = 240, drop: float = DROP) -> None:
        """`width`: units of five pieces each; `classes` changes nothing here."""
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(drop / 2), Maxout(channels * side * side, width), nn.Dropout(drop),
                                    Maxout(width, width), nn.Dropout(drop), nn.Linear(width, 1))  # fmt: skip

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Labels have no part in it."""
        return self.layers(x)
