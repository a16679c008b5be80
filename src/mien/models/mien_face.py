"""mien's own face network: a small residual network (after He et al. 2015, arXiv 1512.03385) that repeats dlib's 128 numbers.

It is the student of a distillation (Hinton et al. 2015, arXiv 1503.02531). What it is unsure of it draws towards the mean, so its
vectors lie nearer to each other than its teacher's: its thresholds are its own, and the two networks' vectors are never compared. It
looks at brightness alone, so that white balance and black-and-white photos make no difference.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien.models.layers import Residual, conv_norm

STEM, STAGES = 16, ((32, 1), (64, 2), (128, 3))
"""Channels behind the first convolution; channels and residual blocks of each stage, every one of which halves the size."""
SIZE, NUMBERS = 96, 128
BT601 = (0.299, 0.587, 0.114)
MEAN, SPREAD = 0.45, 0.25
"""Of the brightness of a face, roughly."""


class Brightness(nn.Module):
    """(B, 3, H, W) RGB in 0..1 -> (B, 1, H, W) luma (ITU-R BT.601), about 0 with spread 1."""

    share: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("share", torch.tensor(BT601).view(1, 3, 1, 1) / SPREAD, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The weighted sum of the three colours; one channel is taken for brightness already."""
        if x.shape[1] == 1:
            return (x - MEAN) / SPREAD
        return (x * self.share).sum(1, keepdim=True) - MEAN / SPREAD


def unit(c_in: int, c_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(*conv_norm(c_in, c_out, kernel, stride), nn.ReLU())


def residual(channels: int) -> Residual:
    """Two 3 x 3 convolutions beside the identity; starts as the identity (Goyal et al. 2017, section 5.1)."""
    body = nn.Sequential(unit(channels, channels), *conv_norm(channels, channels, 3))
    nn.init.zeros_(body[-1].weight)  # pyright: ignore[reportArgumentType]
    return Residual(body, nn.Identity())


def mien_face() -> nn.Sequential:
    """(B, 3, 96, 96) RGB in 0..1, aligned as for dlib's network -> (B, 128); 1,740,400 parameters."""
    layers: list[nn.Module] = [Brightness(), unit(1, STEM, 5, 2)]
    c_in, side = STEM, SIZE // 2
    for channels, depth in STAGES:
        layers += [unit(c_in, channels, stride=2), *(residual(channels) for _ in range(depth))]
        c_in, side = channels, side // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(c_in * side * side, NUMBERS))
