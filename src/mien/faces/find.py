"""Find faces: BlazeFace proposes, the face mesh confirms and measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mien.faces import blaze, mesh
from mien.types import Face

PRESENT = 0.6
"""The mesh network's certainty from which a proposal counts as a face."""
QUICK = (("blazeface-full", 0.5), ("blazeface-short", 0.6))
THOROUGH = (("blazeface-full", 0.4), ("blazeface-short", 0.5), ("blazeface-back", 0.5))


@dataclass(frozen=True)
class Measured:
    """A face with its dense mesh: what following and masks stand on."""

    face: Face
    mesh: np.ndarray
    """(468, 2) float32 in picture pixels."""


def tiles(height: int, width: int, parts: int) -> Iterator[tuple[int, int, int, int]]:
    """Windows x1, y1, x2, y2 of a `1 / parts` share of the longer side, overlapping by at least half."""
    side = max(height, width) / parts
    rows, columns = (max(round(2 * length / side) - 1, 1) for length in (height, width))
    for i in range(rows):
        for j in range(columns):
            y = round((height - side) * i / (rows - 1)) if rows > 1 else 0
            x = round((width - side) * j / (columns - 1)) if columns > 1 else 0
            yield max(x, 0), max(y, 0), min(round(x + side), width), min(round(y + side), height)


def propose(image: np.ndarray, networks: tuple[tuple[str, float], ...],
            windows: list[tuple[int, int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes (N, 4), key points (N, 6, 2) and scores (N,) of every network in every window, suppressed together."""
    found = []
    for x1, y1, x2, y2 in windows:
        part = np.ascontiguousarray(image[y1:y2, x1:x2])
        for name, threshold in networks:
            boxes, points, scores = blaze.detect(name, part, threshold)
            found.append((boxes + [x1, y1, x1, y1], points + [x1, y1], scores))
    boxes, points, scores = (np.concatenate(column) for column in zip(*found, strict=True))
    keep = blaze.suppress(boxes, scores)
    return boxes[keep], points[keep], scores[keep]


def settle(image: np.ndarray, crop: np.ndarray, rounds: int = 2) -> tuple[np.ndarray, float]:
    """Measure the mesh, centre the crop on it, and measure again: the second look is the accurate one."""
    points, present = mesh.measure(image, crop)
    for _ in range(rounds - 1):
        if present < PRESENT / 2:
            break
        points, present = mesh.measure(image, mesh.around_mesh(points))
    return points, present


def measured(points: np.ndarray, present: float) -> Measured:
    """The face of a mesh; its box bounds the 68 points."""
    landmarks = mesh.to_ibug(points)
    low, high = landmarks.min(0), landmarks.max(0)
    return Measured(Face((*map(float, low), *map(float, high)), present, landmarks), points)  # type: ignore[arg-type]


def confirm(image: np.ndarray, boxes: np.ndarray, points: np.ndarray) -> list[Measured]:
    """Proposals -> faces, largest first, no face twice."""
    faces = []
    for box, keys in zip(boxes, points, strict=True):
        shape, present = settle(image, mesh.around_box(box, keys))
        if present >= PRESENT:
            faces.append(measured(shape, present))
    if not faces:
        return []
    keep = blaze.suppress(np.array([f.face.box for f in faces]), np.array([f.face.score for f in faces]), 0.4)
    return sorted((faces[i] for i in keep), key=lambda f: -f.face.size)


def find_measured(image: np.ndarray, thorough: bool = True) -> list[Measured]:
    """(H, W, 3) uint8 RGB -> every face, largest first.

    `thorough` (photos) adds a network of higher resolution and overlapping windows for small faces, and where nothing is
    found tries the picture on its sides and on its head.
    """
    height, width = image.shape[:2]
    whole = [(0, 0, width, height)]
    if not thorough:
        boxes, points, _ = propose(image, QUICK, whole)
        return confirm(image, boxes, points)
    windows = whole + (list(tiles(height, width, 2)) if max(height, width) >= 400 else [])
    boxes, points, _ = propose(image, THOROUGH, windows)
    return confirm(image, boxes, points) or find_turned(image)


def find_turned(image: np.ndarray) -> list[Measured]:
    """Faces in a picture that lies on its side or stands on its head, in the picture's own pixels."""
    height, width = image.shape[:2]
    back = {1: lambda p: np.stack([width - p[..., 1], p[..., 0]], -1),
            2: lambda p: np.stack([width - p[..., 0], height - p[..., 1]], -1),
            3: lambda p: np.stack([p[..., 1], height - p[..., 0]], -1)}
    for quarter, restore in back.items():
        turned = np.ascontiguousarray(np.rot90(image, quarter))
        boxes, points, _ = propose(turned, THOROUGH, [(0, 0, turned.shape[1], turned.shape[0])])
        if faces := confirm(turned, boxes, points):
            return [measured(restore(f.mesh), f.face.score) for f in faces]
    return []


def find(image: np.ndarray, thorough: bool = True) -> list[Face]:
    """(H, W, 3) uint8 RGB -> faces, largest first; an empty list where there is none."""
    return [m.face for m in find_measured(image, thorough)]
