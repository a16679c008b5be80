"""Changes of pictures that gradients go through, for real and made ones alike: a judge of few pictures learns them by heart without.

Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training" (arXiv 2006.10738, section 3.2, and its program).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def colour(x: Tensor, random: torch.Generator) -> Tensor:
    """Brightness moved by up to 0.5 of pictures in -1..1, saturation 0..2 times, contrast 0.5..1.5 times."""
    bright, vivid, strong = torch.rand(3, len(x), 1, 1, 1, generator=random).to(x.device, x.dtype)
    x = x + (bright - 0.5)
    if x.shape[1] > 1:
        grey = x.mean(1, keepdim=True)
        x = grey + (x - grey) * (2 * vivid)
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (strong + 0.5)


def translation(x: Tensor, random: torch.Generator, most: float = 0.125) -> Tensor:
    """Moved by up to an eighth of the side, 0 where nothing was."""
    shifts = [round(side * most) for side in x.shape[-2:]]
    down, right = (torch.randint(-by, by + 1, (len(x),), generator=random).tolist() for by in shifts)
    return torch.cat([F.pad(one, (b, -b, a, -a)) for one, a, b in zip(x.split(1), down, right, strict=True)])


def cutout(x: Tensor, random: torch.Generator, part: float = 0.5) -> Tensor:
    """A square of half the side set to 0; it may reach over the edge."""
    inside = []
    for axis, side in enumerate(x.shape[-2:]):
        length = round(side * part)
        begin = torch.randint(-(length // 2), side - length // 2, (len(x), 1), generator=random)
        place = torch.arange(side) - begin
        inside.append(((place >= 0) & (place < length)).unsqueeze(2 - axis))
    return x * ~(inside[0] & inside[1]).unsqueeze(1).to(x.device)


CHANGES: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {"colour": colour, "translation": translation, "cutout": cutout}


def changed(x: Tensor, kinds: Sequence[str], random: torch.Generator) -> Tensor:
    """(B, C, H, W) in -1..1 -> the same, each picture changed in its own way."""
    for kind in kinds:
        x = CHANGES[kind](x, random)
    return x
