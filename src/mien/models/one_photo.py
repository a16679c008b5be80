"""mien's swap from one photo: a frame's face is redrawn as the person of a photo that was bent to lie over it.

The encoder sees the frame (pose, expression, light) and the bent photo; the decoder is told by an identity vector whom to draw
(feature-wise modulation, Perez et al. 2018, in place of modulated convolutions: the same freedom at the cost of plain ones). It says
for each pixel how much of the photo and of the frame is wanted, which light is missing, and where the frame may be changed at all.
`compose` applies these maps at any size: all detail is the photo's or the frame's own, none is the network's.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.models.swap import Add, Centre, keep_variance

SIZE = 128
"""Pixels a side of what the network sees."""
IDENTITY = 128
WIDTHS = (32, 64, 96, 160)
"""Channels at a half, a quarter, an eighth and a sixteenth of `SIZE`."""
MAPS = 5
"""What is drawn: three of colour, one of the photo's share, one of where the frame changes."""
COARSE = 32
"""Pixels over which the colour is averaged: it can light a face, but neither paint nor blur one."""
MOSTLY = 3.0
"""Added to the last two before the sigmoid: untrained, the photo lies over the face."""


class Told(nn.Module):
    """x + act(gain * conv(x) + bias), gain and bias by whom to draw."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.film = nn.Linear(IDENTITY, 2 * channels)
        self.apply(keep_variance)
        nn.init.normal_(self.film.weight, std=0.02)

    def forward(self, x: Tensor, who: Tensor) -> Tensor:
        """(B, C, H, W) and (B, 128) -> (B, C, H, W)."""
        gain, bias = self.film(who)[:, :, None, None].chunk(2, dim=1)
        return x + F.leaky_relu(self.conv(x) * (1 + gain) + bias, 0.1)


class Rise(nn.Module):
    """Double the size, meet what the encoder saw there, refine by whom to draw."""

    def __init__(self, c_in: int, c_skip: int, c_out: int) -> None:
        super().__init__()
        self.meet = nn.Conv2d(c_in + c_skip, c_out, 3, padding=1)
        self.told = Told(c_out)
        keep_variance(self.meet)

    def forward(self, x: Tensor, skip: Tensor, who: Tensor) -> Tensor:
        """(B, C_in, H, W), (B, C_skip, 2 H, 2 W), (B, 128) -> (B, C_out, 2 H, 2 W)."""
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        return self.told(F.leaky_relu(self.meet(torch.cat([x, skip], 1)), 0.1), who)


class OnePhoto(nn.Module):
    """(B, 3, S, S) frame and bent photo in 0..1, (B, 1, S, S) the face's mask, (B, 128) identity -> (B, 5, S, S) for `compose`."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.centre = Centre()
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(28, widths[0], 3, padding=1), nn.LeakyReLU(0.1), Add(widths[0]))
        self.falls = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.LeakyReLU(0.1), Add(b)) for a, b in pairwise(widths))
        self.told = Told(widths[-1])
        self.rises = nn.ModuleList(Rise(b, a, a) for a, b in reversed(list(pairwise(widths))))
        self.out = nn.Sequential(nn.Conv2d(widths[0], 4 * MAPS, 3, padding=1), nn.PixelShuffle(2))
        for part in (self.stem, self.falls):
            part.apply(keep_variance)
        nn.init.zeros_(self.out[0].get_parameter("weight"))
        nn.init.zeros_(self.out[0].get_parameter("bias"))

    def forward(self, frame: Tensor, photo: Tensor, mask: Tensor, who: Tensor) -> Tensor:
        """Raw maps; untrained they are 0, which is the photo over the face."""
        seen = [self.stem(self.centre(torch.cat([frame, photo, mask], 1)))]
        for fall in self.falls:
            seen.append(fall(seen[-1]))
        x = self.told(seen.pop(), who)
        for rise, skip in zip(self.rises, reversed(seen), strict=True):
            x = rise(x, skip, who)
        return self.out(x)


def maps_at(raw: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """(B, 5, S, S) -> light (B, 3, T, T) in -1..1, the photo's share and the change (B, 1, T, T) in 0..1, at `size` T pixels."""
    light = F.interpolate(torch.tanh(F.avg_pool2d(raw[:, :3], COARSE)), size=(size, size), mode="bilinear", align_corners=False)
    gates = torch.sigmoid(raw[:, 3:] + MOSTLY)
    if raw.shape[-1] != size:
        gates = F.interpolate(gates, size=(size, size), mode="bilinear", align_corners=False)
    return light, gates[:, :1], gates[:, 1:]


def compose(frame: Tensor, photo: Tensor, mask: Tensor, raw: Tensor) -> tuple[Tensor, Tensor]:
    """The face (B, 3, T, T) and where it replaces the frame (B, 1, T, T), all 0..1.

    frame, photo: (B, 3, T, T), of any size T; mask: (B, 1, T, T), 1 where there may be a face; raw: the network's maps.
    """
    light, share, change = maps_at(raw, frame.shape[-1])
    return (share * photo + (1 - share) * frame + light).clamp(0, 1), mask * change
