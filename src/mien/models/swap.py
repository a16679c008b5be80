"""Face swap: one encoder for everybody, one decoder for each person.

`original` is the network of 2017 (64 px, 82 M parameters for two people). `compact` is mien's own (128 px, 2.6 M for the encoder,
2.3 M a person): its code is so small that identity has to come from the decoder, and the decoder starts from one that has seen many
people and is told by a 128-d identity vector whom to draw (feature-wise modulation, Perez et al. 2018).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn

from mien.models import deepfake

SIZES = {"compact": 128, "original": 64, "tiny": 32}
"""Pixels a side, in and out."""
WIDTHS = {"compact": ((32, 64, 128, 256, 256), 128, 352, (128, 128, 96, 48)), "tiny": ((8, 8, 16), 8, 32, (16, 8))}
"""Channels of the encoder's stages; of the 4 x 4 code; of the dense bottleneck; of the decoder's stages."""
IDENTITY = 128


class Add(nn.Module):
    """x + act(conv(x))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        return x + nn.functional.leaky_relu(self.conv(x), 0.1)


class Centre(nn.Module):
    """0..1 -> -1..1."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x * 2 - 1


def keep_variance(module: nn.Module) -> None:
    """He et al. 2015 for leaky ReLU 0.1: with torch's own defaults the signal fades layer by layer, and training starts slowly."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, 0.1, nonlinearity="leaky_relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def encoder(name: str = "compact") -> nn.Sequential:
    """(B, 3, S, S) in 0..1 -> the code (B, C, 4, 4)."""
    widths, code, dense, _ = WIDTHS[name]
    layers: list[nn.Module] = [Centre(), nn.Conv2d(3, widths[0], 5, 2, 2), nn.LeakyReLU(0.1)]
    for c_in, c_out in pairwise(widths):
        layers += [nn.Conv2d(c_in, c_out, 3, 2, 1), nn.LeakyReLU(0.1)]
        if c_in == 64:
            layers.append(Add(c_out))
    net = nn.Sequential(*layers, nn.Conv2d(widths[-1], code, 1), nn.Flatten(), nn.Linear(16 * code, dense),
                        nn.Linear(dense, 16 * code), nn.Unflatten(1, (code, 4, 4)))
    return net.apply(keep_variance)


class Rise(nn.Module):
    """Double the size, then refine with a gain and a bias a channel that depend on whom to draw."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.up = deepfake.up(c_in, c_out)
        self.conv = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.film = nn.Linear(IDENTITY, 2 * c_out)
        self.apply(keep_variance)
        nn.init.normal_(self.film.weight, std=0.02)

    def forward(self, x: Tensor, who: Tensor) -> Tensor:
        """(B, C_in, H, W) and (B, 128) -> (B, C_out, 2 H, 2 W)."""
        x = self.up(x)
        gain, bias = self.film(who)[:, :, None, None].chunk(2, dim=1)
        return x + nn.functional.leaky_relu(self.conv(x) * (1 + gain) + bias, 0.1)


class Decoder(nn.Module):
    """(B, C, 4, 4) -> (B, 3, S, S) in 0..1. `who` is the person's own identity vector, trained with the rest."""

    def __init__(self, name: str = "compact") -> None:
        super().__init__()
        _, code, _, widths = WIDTHS[name]
        self.who = nn.Parameter(torch.zeros(IDENTITY))
        self.rises = nn.ModuleList(Rise(a, b) for a, b in zip((code, *widths), widths, strict=False))
        self.out = nn.Sequential(nn.Conv2d(widths[-1], 12, 3, padding=1), nn.PixelShuffle(2), nn.Sigmoid())
        nn.init.normal_(self.out[0].get_parameter("weight"), std=0.01)

    def forward(self, code: Tensor, who: Tensor | None = None) -> Tensor:
        """`who` (B, 128) draws other people than the decoder's own: how the base is trained."""
        who = self.who.expand(len(code), -1) if who is None else who
        for rise in self.rises:
            code = rise(code, who)
        return self.out(code)


class SwapNet(nn.Module):
    """Train `net(warp(face_a), "a") ~ face_a` and the same for every person; swap by decoding one's code with another's decoder."""

    def __init__(self, people: Iterable[str], name: str = "compact") -> None:
        super().__init__()
        self.name, self.size = name, SIZES[name]
        self.encoder = deepfake.encoder() if name == "original" else encoder(name)
        self.decoders = nn.ModuleDict({p: deepfake.decoder() if name == "original" else Decoder(name) for p in people})

    def forward(self, faces: Tensor, person: str) -> Tensor:
        """(B, 3, S, S) in 0..1 -> the same expressions on `person`'s face."""
        return self.decoders[person](self.encoder(faces))
