"""The first face-swap autoencoder: one encoder for both people, one decoder each (64 x 64 faces)."""

from __future__ import annotations

from torch import nn


def down(c_in: int, c_out: int) -> nn.Sequential:
    """Halve the size."""
    return nn.Sequential(nn.Conv2d(c_in, c_out, 5, 2, 2), nn.LeakyReLU(0.1))


def up(c_in: int, c_out: int) -> nn.Sequential:
    """Double the size: each pixel's channels become a 2 x 2 block."""
    return nn.Sequential(nn.Conv2d(c_in, 4 * c_out, 3, padding=1), nn.LeakyReLU(0.1), nn.PixelShuffle(2))


def encoder() -> nn.Sequential:
    """(B, 3, 64, 64) -> (B, 512, 8, 8)."""
    return nn.Sequential(down(3, 128), down(128, 256), down(256, 512), down(512, 1024), nn.Flatten(),
                         nn.Linear(1024 * 4 * 4, 1024), nn.Linear(1024, 1024 * 4 * 4), nn.Unflatten(1, (1024, 4, 4)),
                         up(1024, 512))


def decoder() -> nn.Sequential:
    """(B, 512, 8, 8) -> (B, 3, 64, 64) in 0..1."""
    return nn.Sequential(up(512, 256), up(256, 128), up(128, 64), nn.Conv2d(64, 3, 5, padding=2), nn.Sigmoid())
