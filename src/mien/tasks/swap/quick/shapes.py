"""What of a face's landmarks is the person's own, learnt from the faces of the swap from one photo, and the file that is bundled.

python -m mien.tasks.swap.quick.shapes DATA --out RUN      # RUN: as of quick.training, whose face sets are used if they are there
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from mien.data.files import atomic
from mien.faces.bending import MIRROR_ALL
from mien.faces.shape import NAME, FaceShape
from mien.tasks.swap.quick.pairs import Faces
from mien.tasks.swap.quick.training import material

KEPT = 32
"""Directions in which people differ, the surest first."""
MOST = 10
"""Pictures for which a person counts at most: a clip's frames are much alike."""
LEAST = 1e-8
"""Squared windows added to what changes from picture to picture: no landmark is surer than a hundredth of a pixel of 128."""


def covariances(points: np.ndarray, person: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, D) and whose (N,) -> mean (D,), covariance between people and within a person, (D, D) both.

    Moments: within from everybody with two pictures or more; between is what the people's means vary beyond their own chance.
    ValueError where nobody has two pictures, or there is one person only.
    """
    _, whose, count = np.unique(person, return_inverse=True, return_counts=True)
    if len(count) < 2 or count.max() < 2:
        raise ValueError(f"found {len(count)} people with at most {count.max()} pictures, expected two people and two pictures of one")
    means = np.zeros((len(count), points.shape[1]))
    np.add.at(means, whose, points)
    means /= count[:, None]
    counted = np.minimum(count, MOST)
    weight = np.where(count > 1, counted / count, 0.0)[whose]
    rest = points - means[whose]
    freedom = (counted * (1 - 1 / count)).sum()
    within = (rest * weight[:, None]).T @ rest / freedom + LEAST * np.eye(points.shape[1])
    mean = means.mean(0)
    between = np.cov(means.T, bias=True) - within * (1 / count).mean()
    values, vectors = np.linalg.eigh(between)
    return mean, (vectors * values.clip(0)) @ vectors.T, within


def learnt(points: np.ndarray, person: np.ndarray, kept: int = KEPT) -> FaceShape:
    """(N, 77, 2) in windows and whose (N,) -> the person's part; everybody's mirror image is somebody else's face, too.

    E[person | x] = B (B + W)^-1 (x - mean) with B between and W within; kept are the directions with most of B for their W. As
    `covariances` raises.
    """
    mirrored = points[:, MIRROR_ALL] * [-1, 1] + [1, 0]
    both = np.concatenate([points, mirrored]).reshape(2 * len(points), -1).astype(np.float64)
    mean, between, within = covariances(both, np.concatenate([person, person + person.max() + 1]))
    root = np.linalg.cholesky(within)
    white = np.linalg.solve(root, np.linalg.solve(root, between).T)
    values, vectors = np.linalg.eigh((white + white.T) / 2)
    values, vectors = values[::-1][:kept], vectors[:, ::-1][:, :kept]
    reads = np.linalg.solve(root.T, vectors).T
    shows = root @ vectors * (values / (1 + values))
    return FaceShape(*(torch.from_numpy(np.ascontiguousarray(x, np.float32)) for x in (mean, reads, shows)))


def everybody(sources: Sequence[Faces]) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 77, 2) of all sources, and whose (N,)."""
    points, person, before = [], [], 0
    for faces in sources:
        points.append(faces.points.numpy())
        person.append(faces.person + before)
        before += int(faces.person.max()) + 1
    return np.concatenate(points), np.concatenate(person)


def main() -> None:
    """Learn and export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    shape = learnt(*everybody(material(given.data, given.out)))
    path = given.out / f"{NAME}.safetensors"
    with atomic(path) as draft:
        save_file(vars(shape), draft)
    print(path, file=sys.stderr)


if __name__ == "__main__":
    main()
