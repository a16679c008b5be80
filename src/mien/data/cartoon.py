"""Two people drawn by a function, the same on every machine: who somebody is, and how they look at a moment, are known exactly.

A has a round head, B a square one; four numbers in -1..1 say how either looks. The drawing has a slope by each of them, so that they
can be read back from a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SIDE = 32
MOVEMENTS = "tilt of the head", "look", "brows", "mouth"
"""What the four numbers move: anticlockwise to clockwise, left to right, low to high, closed to open."""
PAPER, WHITE, PUPIL, LIPS, BROWS = (0.93, 0.93, 0.93), (1.0, 1.0, 1.0), (0.1, 0.1, 0.15), (0.5, 0.05, 0.1), (0.3, 0.12, 0.1)
EYES = -0.3, 0.3


@dataclass(frozen=True)
class Person:
    """What stays the same in every picture of somebody."""

    skin: tuple[float, float, float]
    hair: tuple[float, float, float]
    power: float
    """Of the head's outline: 2 is an ellipse, 16 nearly a rectangle."""


PEOPLE = {"a": Person((1.0, 0.8, 0.55), (0.35, 0.2, 0.1), 2), "b": Person((0.55, 0.75, 0.95), (0.75, 0.15, 0.2), 16)}


def draw(who: str, movements: Tensor) -> Tensor:
    """Movements (B, 4) in -1..1, in the order of `MOVEMENTS` -> pictures (B, 3, 32, 32) in 0..1, with soft edges."""
    person, line = PEOPLE[who], (torch.arange(SIDE) + 0.5) * 2 / SIDE - 1
    tilt, look, brows, mouth = movements[:, :, None, None].unbind(1)
    c, s = torch.cos(0.12 * tilt), torch.sin(0.12 * tilt)
    x, y = c * line + s * line[:, None], c * line[:, None] - s * line
    face = torch.tensor(PAPER).view(1, 3, 1, 1)
    shapes = [
        (person.hair, 0, -0.12, 0.84, 0.83, person.power), (person.skin, 0, 0.1, 0.7, 0.76, person.power),
        *((WHITE, eye, -0.08, 0.25, 0.2, 2) for eye in EYES), *((PUPIL, eye + 0.12 * look, -0.08, 0.1, 0.13, 2) for eye in EYES),
        *((BROWS, eye, -0.42 - 0.11 * brows, 0.22, 0.07, 4) for eye in EYES), (LIPS, 0, 0.52, 0.36, 0.17 + 0.12 * mouth, 2),
    ]  # fmt: skip
    for colour, right, below, width, height, power in shapes:
        far = (((x - right) / width).abs() ** power + ((y - below) / height).abs() ** power) ** (1 / power) - 1
        cover = torch.sigmoid(-40 * height * far)[:, None]
        face = face * (1 - cover) + torch.tensor(colour).view(1, 3, 1, 1) * cover
    return face


def read(pictures: Tensor, who: str, steps: int = 8, apart: float = 0.01) -> tuple[Tensor, Tensor]:
    """The drawing of somebody that comes nearest to each picture: its movements (B, 4), and the mean squared error left (B,).

    Levenberg and Marquardt's least squares from a face at rest, slopes by differences of `apart`.
    """
    found, little = torch.zeros(len(pictures), len(MOVEMENTS)), 1e-2 * torch.eye(len(MOVEMENTS))
    for _ in range(steps):
        now = draw(who, found)
        slopes = torch.stack([(draw(who, found + apart * one) - now).flatten(1) / apart for one in torch.eye(len(MOVEMENTS))], 1)
        towards = slopes @ (pictures - now).flatten(1)[:, :, None]
        found = (found + torch.linalg.solve(slopes @ slopes.mT + little, towards)[:, :, 0]).clamp(-1.5, 1.5)
    return found, (draw(who, found) - pictures).square().mean((1, 2, 3))
