"""Face swap: one encoder for everybody, one decoder for each person.

`original` is the network of 2017 (64 px, 82 M parameters for two people). `compact` is mien's own (128 px, 2.6 M for the encoder,
2.3 M a person): its code is so small that identity has to come from the decoder, and the decoder starts from one that has seen many
people and is told by a 128-d identity vector whom to draw (feature-wise modulation, Perez et al. 2018).

A trained network can be grown (after Karras et al. 2018, arXiv 1710.10196): its decoders get one more stage, whose picture is added to
the old one, enlarged (output skips, Karras et al. 2020, arXiv 1912.04958); the encoder goes on reading the smaller size.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn

from mien.models import deepfake

SIZES = {"compact": 128, "original": 64, "tiny": 32}
"""Pixels a side, in and out."""
GROWN = {"compact": (192, 256), "tiny": (48, 64)}
"""Pixels a side that a decoder can be grown to."""
FINE = 32
"""Channels of the stage it gets."""
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


class Growth(nn.Module):
    """The stage that a grown decoder ends with. Untrained it adds nothing: the picture is the smaller one, enlarged."""

    def __init__(self, c_in: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.rise = Rise(c_in, FINE)
        self.out = nn.Conv2d(FINE, 12, 3, padding=1)
        assert self.out.bias is not None
        for one in (self.out.weight, self.out.bias):
            nn.init.zeros_(one)

    def forward(self, x: Tensor, who: Tensor, logits: Tensor) -> Tensor:
        """What the stage before gave (B, C, H, W), (B, 128), its picture's logits (B, 3, S, S) -> logits (B, 3, size, size)."""
        x = self.rise(x, who)
        if x.shape[-1] != self.size // 2:  # 192 is no doubling of 128
            x = nn.functional.interpolate(x, size=(self.size // 2,) * 2, mode="bilinear")
        large = nn.functional.interpolate(logits, size=(self.size,) * 2, mode="bicubic")
        return large + nn.functional.pixel_shuffle(self.out(x), 2)


class Decoder(nn.Module):
    """(B, C, 4, 4) -> (B, 3, S, S) in 0..1. `who` is the person's own identity vector, trained with the rest."""

    def __init__(self, name: str = "compact", size: int | None = None) -> None:
        """`size`: of `GROWN`; None for the network's own."""
        super().__init__()
        _, code, _, widths = WIDTHS[name]
        self.who = nn.Parameter(torch.zeros(IDENTITY))
        self.rises = nn.ModuleList(Rise(a, b) for a, b in zip((code, *widths), widths, strict=False))
        self.out = nn.Sequential(nn.Conv2d(widths[-1], 12, 3, padding=1), nn.PixelShuffle(2), nn.Sigmoid())
        nn.init.normal_(self.out[0].get_parameter("weight"), std=0.01)
        self.growth = Growth(widths[-1], size) if size not in (None, SIZES[name]) else None

    def forward(self, code: Tensor, who: Tensor | None = None) -> Tensor:
        """`who` (B, 128) draws other people than the decoder's own: how the base is trained."""
        who = self.who.expand(len(code), -1) if who is None else who
        for rise in self.rises:
            code = rise(code, who)
        if self.growth is None:
            return self.out(code)
        return self.growth(code, who, self.out[:2](code)).sigmoid()


class SwapNet(nn.Module):
    """Train `net(warp(face_a), "a") ~ face_a` and the same for every person; swap by decoding one's code with another's decoder."""

    def __init__(self, people: Iterable[str], name: str = "compact", size: int | None = None) -> None:
        """`size`: pixels a side of what is drawn, where it is not the network's own. ValueError for one it cannot be grown to."""
        super().__init__()
        self.name, self.reads = name, SIZES[name]
        self.size = size or self.reads
        if self.size != self.reads and self.size not in GROWN.get(name, ()):
            known = ", ".join(map(str, (self.reads, *GROWN.get(name, ()))))
            raise ValueError(f"{name} cannot draw {self.size} pixels a side: choose {known}")
        self.encoder = deepfake.encoder() if name == "original" else encoder(name)
        self.decoders = nn.ModuleDict({p: deepfake.decoder() if name == "original" else Decoder(name, size) for p in people})

    def code(self, faces: Tensor) -> Tensor:
        """(B, 3, S, S) in 0..1 -> the encoder's code; larger faces than it reads are shrunk first."""
        if faces.shape[-1] != self.reads:
            faces = nn.functional.interpolate(faces, size=(self.reads,) * 2, mode="bilinear", antialias=True)
        return self.encoder(faces)

    def forward(self, faces: Tensor, person: str) -> Tensor:
        """(B, 3, S, S) in 0..1 -> the same expressions on `person`'s face."""
        return self.decoders[person](self.code(faces))


def grow(net: SwapNet, size: int) -> SwapNet:
    """A network of the same people and weights that draws `size` pixels a side: at first what `net` draws, enlarged.

    ValueError for a size that the network cannot be grown to.
    """
    larger = SwapNet(net.decoders, net.name, size)
    missing, unexpected = larger.load_state_dict(net.state_dict(), strict=False)
    if unexpected:
        raise ValueError(f"the model draws {net.size} pixels a side already, it cannot be made to draw {size}")
    assert all(".growth." in name for name in missing)
    return larger
