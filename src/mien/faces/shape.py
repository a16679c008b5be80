"""Whose proportions a face has: what of its landmarks is the person's own, and not the pose's or the expression's.

Points of a person are a person's mean and what changes from picture to picture, both Gaussian: the two covariances are learnt
(`mien.tasks.swap.quick.shapes`), and the person's part of one picture is its expected value given that picture (Prince and Elder 2007,
"Probabilistic Linear Discriminant Analysis for Inferences About Identity", equation 5). It is cautious where pictures of one person
differ much, as at the outline when a head turns. The prior knows fewer kinds of faces than there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mien.faces.bending import POINTS
from mien.weights import load

NAME = "mien-face-shape"
FARTHEST = 0.03
"""Windows by which a point is moved at most: a face seen from the side tells little of its proportions, and much that is wrong."""
INNER = slice(17, 68)
"""Brows, nose, eyes, mouth: these move; the outline is held by hair and background."""


@dataclass(frozen=True)
class FaceShape:
    """The person's part of 77 points, by as many directions K as were worth keeping."""

    mean: Tensor
    """(154,), points of the average face in windows."""
    reads: Tensor
    """(K, 154)"""
    shows: Tensor
    """(154, K)"""

    def __call__(self, points: Tensor) -> Tensor:
        """(B, 77, 2) in windows -> (B, 77, 2): how the person's points differ from the average face's."""
        return ((points.flatten(1) - self.mean) @ self.reads.T @ self.shows.T).view(-1, POINTS, 2)

    def to(self, device: torch.device | str) -> FaceShape:
        """The same there."""
        return FaceShape(self.mean.to(device), self.reads.to(device), self.shows.to(device))


def face_shape() -> FaceShape:
    """What is bundled."""
    return FaceShape(**{name: value.float() for name, value in load(NAME).items()})


def moved(points: Tensor, theirs: Tensor, wanted: Tensor) -> Tensor:
    """(B, 77, 2) with the proportions `theirs` -> with those `wanted`, (B, 77, 2) both; the outline stays."""
    step = torch.zeros_like(points)
    step[:, INNER] = (wanted - theirs)[:, INNER]
    longest = step.norm(dim=2).amax(1)[:, None, None]
    return points + step * (FARTHEST / longest.clamp(min=FARTHEST))
