"""Whether a network answers as it did when its card was written: a wrong order of weights or colours answers otherwise.

A card's `check` holds, for some layers, the means of what they make of `known_picture`: over four groups of channels each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor

from mien import weights

SIDE, GROUPS = 64, 4
TOLERANCE = 0.01
"""Of the largest number of a layer: other processors and libraries round otherwise, by far less."""
Run = Callable[[Tensor, Iterable[str]], Mapping[str, Tensor]]
"""(1, C, H, W) in 0..1 and names of layers -> their maps (1, K, ...)."""
SQUARES = ((1.0, 0.1, 0.1), (0.1, 0.9, 0.2), (0.15, 0.2, 1.0), (1.0, 0.9, 0.1))
"""Red, green, blue, yellow, from the upper left to the lower right."""


def known_picture(channels: int = 3, side: int = SIDE) -> Tensor:
    """(1, channels, side, side) in 0..1: a ramp of another direction in each colour, four squares, a frame; the same everywhere."""
    ramp = torch.arange(side) / (side - 1)
    down, right = ramp[:, None].expand(side, side), ramp.expand(side, side)
    picture = torch.stack([right, down, (2 - right - down) / 2])
    step, width = side // 4, max(side // 6, 1)
    for place, colour in enumerate(SQUARES):
        top, left = step * place, step * ((2 * place + 1) % 4)
        picture[:, top:top + width, left:left + width] = torch.tensor(colour)[:, None, None]
    picture[:, [1, -2]] = 0
    return picture[None] if channels == 3 else picture.mean(0).expand(1, channels, side, side).contiguous()


def told(maps: Mapping[str, Tensor]) -> dict[str, tuple[float, ...]]:
    """Layer -> the means of its groups of channels, as a card holds them."""
    return {name: tuple(float(part.double().mean()) for part in one[0].tensor_split(GROUPS)) for name, one in maps.items()}


@torch.no_grad()
def check(card: str, run: Run, channels: int = 3, side: int = SIDE) -> None:
    """RuntimeError where `run` does not answer as the card says; nothing where the card says nothing."""
    wanted = weights.card(card).check
    if not wanted:
        return
    found = told(run(known_picture(channels, side), wanted))
    for layer, numbers in wanted.items():
        most = max(map(abs, numbers))
        off = max(abs(one - other) for one, other in zip(found[layer], numbers, strict=True)) / most
        if not off <= TOLERANCE:
            raise RuntimeError(f"{card} is not the network of its card: layer {layer} answers a known picture {off:.1%} otherwise "
                               "(weights in another order, or a picture prepared otherwise)")
