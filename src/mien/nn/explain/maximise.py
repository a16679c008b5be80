"""Activation maximisation: pictures that a unit answers to most, by gradient ascent on the picture (Erhan et al. 2009).

The picture is optimised in Fourier space with all frequencies at equal rates and in decorrelated colours, and is moved, turned
and scaled a little at each step, so that what appears is what the unit robustly looks for (Olah et al. 2017, "Feature
visualization"); without both, ascent ends in high-frequency noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Square root of the covariance of natural photos' colours: brightness, blue against yellow, green against magenta (Olah et al.)."""


@dataclass(frozen=True)
class Ascent:
    """How to climb."""

    steps: int = 96
    rate: float = 0.05
    """Of Adam."""
    decay: float = 1.2
    """How fast amplitudes fall with frequency: 1 as in photos; more is smoother."""
    shift: float = 0.06
    """Largest move, as a share of the side."""
    turn: float = 6.0
    """Largest rotation, degrees."""
    zoom: float = 0.08
    """Largest change of size."""
    contrast: float = 1.0
    """Largest spread of a picture before the sigmoid: ascent has to spend it on what the unit looks for."""


def maximise(objective: Callable[[Tensor], Tensor], count: int, shape: tuple[int, int, int], how: Ascent = Ascent(),
             seed: int = 0) -> Tensor:
    """`count` pictures (count, C, H, W) in 0..1, C 1 or 3, that maximise `objective`: (count, C, H, W) -> (count,)."""
    channels, height, width = shape
    rng = torch.Generator().manual_seed(seed)
    fall = _amplitudes(height, width, how.decay)
    waves = (0.01 * torch.randn(count, channels, *fall.shape, 2, generator=rng)).requires_grad_()
    climber = torch.optim.Adam([waves], how.rate)
    for step in range(how.steps):
        made = _moved(_picture(waves, fall, (height, width), how.contrast), how, rng)
        with _Leaking() if step < how.steps // 2 else nullcontext():
            score = objective(made)
        climber.zero_grad()
        (-score.sum()).backward()
        climber.step()
    with torch.no_grad():
        return _picture(waves, fall, (height, width), how.contrast)


class _Leaking(TorchFunctionMode):
    """Every ReLU inside lets a tenth of what is below zero through: a unit that is off at the start would have no gradient."""

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_):
            return F.leaky_relu(args[0] if args else kwargs["input"], 0.1)
        return func(*args, **(kwargs or {}))


def _amplitudes(height: int, width: int, decay: float) -> Tensor:
    """(H, W // 2 + 1): how large a wave of each frequency is for a coefficient of 1."""
    frequency = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None])
    fall = frequency.clamp(min=1 / max(height, width)) ** -decay
    return fall / fall.square().mean().sqrt() * math.sqrt(height * width)


def _picture(waves: Tensor, fall: Tensor, size: tuple[int, int], contrast: float) -> Tensor:
    """Coefficients (B, C, H, W // 2 + 1, 2) -> (B, C, H, W) in 0..1."""
    plane = torch.fft.irfft2(torch.view_as_complex(waves) * fall, size)
    plane = plane * (contrast / plane.std((1, 2, 3), keepdim=True)).clamp(max=1)
    if plane.shape[1] == 3:
        mix = torch.tensor(COLOURS)
        plane = torch.einsum("dc,bchw->bdhw", mix / mix.norm(dim=0).max(), plane)
    return plane.sigmoid()


def _moved(pictures: Tensor, how: Ascent, rng: torch.Generator) -> Tensor:
    """Each picture a little moved, turned and scaled, mirrored at its edges."""
    count = len(pictures)
    draw = lambda largest: (torch.rand(count, generator=rng) * 2 - 1) * largest
    angle, scale = draw(math.radians(how.turn)), 1 + draw(how.zoom)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = torch.stack([torch.stack([cos, -sin, draw(2 * how.shift)], 1), torch.stack([sin, cos, draw(2 * how.shift)], 1)], 1)
    grid = F.affine_grid(rows, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
