"""How hard to look for faces: a glance where that is enough; where it shows nothing, or nothing plainly, the thorough search."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from mien.data.warp import compose
from mien.faces import mesh
from mien.faces.find import PRESENT, QUICK, Measured, apart, find_measured, measured, propose, shrunk

Search = Literal["quick", "largest", "everybody", "thorough"]
"""quick: one look at the whole picture, whatever it shows. thorough: overlapping windows too, and several measurements of each face.
largest: a glance, and the thorough search unless that shows one large face plainly; beside it others of less than half its size may be
missed. everybody: a glance at pictures so small that it cannot miss a face large enough to be recognised, else the thorough search."""
Networks = tuple[tuple[str, float], ...]
SEES: tuple[tuple[Networks, float], ...] = (
    ((("blazeface-short", 0.5),), 0.13),
    ((("blazeface-full", 0.4), ("blazeface-short", 0.5)), 0.09),
)
"""Networks, and the share of the picture's longer side from which they see a face in the whole picture: the small one alone saw 45 of
46 faces, pasted into photos or found by the thorough search in landmarks68, portraits, coco128 (of those smaller 17 of 142), the two
74 of 75 (66 of 113)."""
USABLE = 23
"""Pixels of the longer side of a face with 10 pixels between the eyes; smaller ones are refused (`mien.faces.probe.SMALL`)."""
SURE, AGREED = 0.75, 0.04
"""A face is plain with this score, and when the mesh moves by no more than this share of the face from the first measurement to the
second. Of 192 largest faces (LFW, johns, portraits, stills, landmarks68) the three that gave another vector than the thorough search
scored at most 0.66 and moved by 0.07 to 0.12; of the others 95 in 100 scored at least 0.79 and moved by less than 0.02."""


def search(image: np.ndarray, how: Search) -> list[Measured]:
    """(H, W, 3) uint8 RGB -> faces, largest first; empty where there is none."""
    longer = max(image.shape[:2])
    if how == "quick":
        return [one.found for one in glance(image, QUICK)]
    for networks, share in SEES if how == "largest" else ():
        seen = glance(image, networks)
        if seen and seen[0].plain and seen[0].found.face.size >= 2 * share * longer:
            return [one.found for one in seen]
    if how == "everybody" and longer * SEES[1][1] <= USABLE:
        seen = glance(image, SEES[1][0])
        if seen and all(one.plain for one in seen):
            return [one.found for one in seen]
    return find_measured(image, thorough=True)


class Seen(NamedTuple):
    """A face at a glance."""

    found: Measured
    plain: bool


def glance(image: np.ndarray, networks: Networks) -> list[Seen]:
    """The faces that the networks see in the whole picture, largest first."""
    small, shrink = shrunk(image)
    seen: list[Seen] = []
    for crop, score in propose(small, networks, [(0, 0, small.shape[1], small.shape[0])]):
        first, present = mesh.measure(image, compose(crop, shrink), fine=False)
        if present < PRESENT / 2:
            continue
        second, present = mesh.measure(image, mesh.around_mesh(first), fine=False)
        if present >= PRESENT:
            face = measured(second, present)
            moved = float(np.linalg.norm((second - first)[:, :2], axis=1).mean()) / face.face.size
            seen.append(Seen(face, score >= SURE and moved <= AGREED))
    seen.sort(key=lambda one: -one.found.face.size)
    kept = apart([one.found for one in seen])
    return [one for one in seen if any(one.found is face for face in kept)]
