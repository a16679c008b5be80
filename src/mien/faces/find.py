"""Find faces: BlazeFace proposes, the face mesh confirms and measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mien.data.warp import compose, warp
from mien.faces import blaze, mesh
from mien.types import Face

PRESENT = 0.6
"""The mesh network's certainty from which a proposal counts as a face."""
QUICK = (("blazeface-full", 0.5), ("blazeface-short", 0.6))
LARGEST = 2048
"""Longer side, in pixels, of the picture the detectors look at; the mesh is measured on the original."""
VIEW = 3000
"""Pixels on the longer side of the view of a photo that faces are looked for in; more only costs time."""
CROWD = 10
"""A face smaller than this share of the longer side promises more of its kind: smaller windows follow."""
TURNS = (90, 270, 180, 45, 315, 135, 225)
"""Degrees to turn a picture by where nothing is found upright."""
THOROUGH = (("blazeface-full", 0.4), ("blazeface-short", 0.5), ("blazeface-back", 0.5))


@dataclass(frozen=True)
class Measured:
    """A face with its dense mesh: what following and masks stand on."""

    face: Face
    mesh: np.ndarray
    """(468, 3) float32: x, y and depth z, all in picture pixels; see `mesh.measure`."""


def tiles(height: int, width: int, parts: int) -> Iterator[tuple[int, int, int, int]]:
    """Windows x1, y1, x2, y2 of a `1 / parts` share of the longer side, overlapping by at least half."""
    side = max(height, width) / parts
    rows, columns = (max(round(2 * length / side) - 1, 1) for length in (height, width))
    for i in range(rows):
        for j in range(columns):
            y = round((height - side) * i / (rows - 1)) if rows > 1 else 0
            x = round((width - side) * j / (columns - 1)) if columns > 1 else 0
            yield max(x, 0), max(y, 0), min(round(x + side), width), min(round(y + side), height)


def shrunk(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The picture with at most `LARGEST` pixels a side, and the (2, 3) transform from the picture to it."""
    factor = -(-max(image.shape[:2]) // LARGEST)
    small = image if factor == 1 else np.asarray(Image.fromarray(image).reduce(factor))
    return small, np.array([[1 / factor, 0, 0], [0, 1 / factor, 0]])


def propose(image: np.ndarray, networks: tuple[tuple[str, float], ...],
            windows: list[tuple[int, int, int, int]]) -> list[tuple[np.ndarray, float]]:
    """Of each face that a network sees in a window the (2, 3) transform from the picture to a crop around it, and its score."""
    found = []
    for x1, y1, x2, y2 in windows:
        part = np.ascontiguousarray(image[y1:y2, x1:x2])
        for name, threshold in networks:
            boxes, points, scores = blaze.detect(name, part, threshold)
            found.append((boxes + np.array([x1, y1, x1, y1]), points + np.array([x1, y1]), scores))
    boxes, points, scores = (np.concatenate(column) for column in zip(*found, strict=True))
    return [(mesh.around_box(boxes[i], points[i]), float(scores[i])) for i in blaze.suppress(boxes, scores)]


def settle(image: np.ndarray, crop: np.ndarray, rounds: int = 2) -> tuple[np.ndarray, float]:
    """Measure the mesh, centre the crop on it, and measure again: the second look is the accurate one."""
    points, present = mesh.measure(image, crop)
    for _ in range(rounds - 1):
        if present < PRESENT / 2:
            break
        points, present = mesh.measure(image, mesh.around_mesh(points))
    return points, present


def steady(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The mean of three meshes, from crops a little apart and of different sizes: for photos, where nothing else averages."""
    crop, meshes = mesh.around_mesh(points), []
    for scale, shift in ((1.0, 0.0), (1.04, 4.0), (0.96, -4.0)):
        centre = mesh.SIZE / 2 * (1 - scale) + shift
        meshes.append(mesh.measure(image, scale * crop + [[0, 0, centre], [0, 0, centre]])[0])
    return np.asarray(np.mean(meshes, axis=0), np.float32)


def measured(points: np.ndarray, present: float) -> Measured:
    """The face of a mesh; its box bounds the 68 points."""
    landmarks = mesh.to_ibug(points)
    low, high = landmarks.min(0), landmarks.max(0)
    return Measured(Face((*map(float, low), *map(float, high)), present, landmarks), points)  # type: ignore[arg-type]


def apart(faces: list[Measured]) -> list[Measured]:
    """Largest first -> without those that lie inside a larger one: a mouth or an eye taken for a face."""
    kept: list[Measured] = []
    for face in faces:
        x1, y1, x2, y2 = face.face.box
        for other in kept:
            a1, b1, a2, b2 = other.face.box
            inside = max(min(x2, a2) - max(x1, a1), 0) * max(min(y2, b2) - max(y1, b1), 0)
            if inside > 0.6 * (x2 - x1) * (y2 - y1):
                break
        else:
            kept.append(face)
    return kept


def confirm(image: np.ndarray, crops: list[np.ndarray], careful: bool) -> list[Measured]:
    """Proposals -> faces, largest first, no face twice; `careful` measures each more often."""
    faces = []
    for crop in crops:
        shape, present = settle(image, crop)
        if present >= PRESENT:
            faces.append(measured(shape, present))
    if not faces:
        return []
    keep = blaze.suppress(np.array([f.face.box for f in faces]), np.array([f.face.score for f in faces]), 0.4)
    kept = apart(sorted((faces[i] for i in keep), key=lambda f: -f.face.size))
    return [measured(steady(image, f.mesh), f.face.score) for f in kept] if careful else kept


def find_measured(image: np.ndarray, thorough: bool = True) -> list[Measured]:
    """(H, W, 3) uint8 RGB -> every face, largest first.

    `thorough` (photos) adds a network of higher resolution and overlapping windows for small faces, measures each face
    several times, and where nothing is found tries the picture turned.
    """
    small, shrink = shrunk(image)
    height, width = small.shape[:2]
    whole = [(0, 0, width, height)]
    if not thorough:
        return confirm(image, [compose(crop, shrink) for crop, _ in propose(small, QUICK, whole)], careful=False)
    longer = max(height, width)
    windows = whole + (list(tiles(height, width, 2)) if longer >= 400 else [])
    faces = confirm(image, [compose(crop, shrink) for crop, _ in propose(small, THOROUGH, windows)], careful=True)
    if longer >= 800 and min((f.face.size * shrink[0, 0] for f in faces), default=0) < longer / CROWD:
        windows += list(tiles(height, width, 4))
        faces = confirm(image, [compose(crop, shrink) for crop, _ in propose(small, THOROUGH, windows)], careful=True)
    return faces or find_turned(image, small, shrink)


def find_turned(image: np.ndarray, small: np.ndarray, shrink: np.ndarray) -> list[Measured]:
    """Faces in a picture that does not stand upright; `shrink` leads from `image` to `small`."""
    height, width = small.shape[:2]
    for degrees in TURNS:
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        w, h = (round(abs(a * cos) + abs(b * sin)) for a, b in ((width, height), (height, width)))
        turn = np.array([[cos, -sin, 0], [sin, cos, 0]])
        turn[:, 2] = np.array([w, h]) / 2 - turn[:, :2] @ np.array([width, height]) / 2
        crops = propose(warp(small, turn, (w, h)), THOROUGH, [(0, 0, w, h)])
        if faces := confirm(image, [compose(compose(crop, turn), shrink) for crop, _ in crops], careful=True):
            return faces
    return []


def find_in_photo(image: np.ndarray) -> list[Measured]:
    """`find_measured`, in a view of at most `VIEW` pixels; what is found is measured again in the full picture."""
    factor = -(-max(image.shape[:2]) // VIEW)
    if factor == 1:
        return find_measured(image, thorough=True)
    view = np.asarray(Image.fromarray(image).reduce(factor))
    looks = [settle(image, mesh.around_mesh(face.mesh * factor), rounds=1) for face in find_measured(view, thorough=True)]
    return [measured(points, present) for points, present in looks]


def find(image: np.ndarray, thorough: bool = True) -> list[Face]:
    """(H, W, 3) uint8 RGB -> faces, largest first; an empty list where there is none."""
    return [m.face for m in find_measured(image, thorough)]
