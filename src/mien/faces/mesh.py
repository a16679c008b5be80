"""Face mesh (Kartynnik et al. 2019): 468 points on a face crop, turned into the 68 of the iBUG scheme."""

from __future__ import annotations

import numpy as np

from mien.data.warp import invert, transform, warp
from mien.faces.blaze import run

SIZE = 192
MARGIN = 1.5  # side of the crop over the longer side of the face's box
EYES = (33, 263)  # outer corners
# The mesh point nearest to each point of the iBUG 68-point scheme: jaw, brows, nose, eyes, outer and inner lips.
IBUG = np.array([162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
                 71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305,
                 33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
                 61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87])


def square(centre: np.ndarray, side: float, right: np.ndarray) -> np.ndarray:
    """The (2, 3) transform from the picture to a crop around `centre`, turned so that the direction `right` is horizontal."""
    x, y = right / max(float(np.linalg.norm(right)), 1e-6) * SIZE / side
    turn = np.array([[x, y], [-y, x]])
    return np.hstack([turn, (SIZE / 2 - turn @ centre)[:, None]])


def around_box(box: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The crop for a fresh detection: box (4,) and BlazeFace's key points (6, 2), the eyes first."""
    return square((box[:2] + box[2:]) / 2, MARGIN * float((box[2:] - box[:2]).max()), points[1] - points[0])


def around_mesh(mesh: np.ndarray) -> np.ndarray:
    """The crop for a face known from its (468, 2) points, here or in the frame before."""
    right = mesh[EYES[1]] - mesh[EYES[0]]
    turned = mesh @ square(np.zeros(2), SIZE, right)[:, :2].T
    low, high = turned.min(0), turned.max(0)
    centre = (low + high) / 2 @ square(np.zeros(2), SIZE, right)[:, :2]
    return square(centre, MARGIN * float((high - low).max()), right)


def measure(image: np.ndarray, crop: np.ndarray) -> tuple[np.ndarray, float]:
    """(H, W, 3) uint8 and a crop's transform -> the mesh (468, 2) in picture pixels, and how sure it is that a face is there."""
    patch = warp(image, crop, (SIZE, SIZE)).astype(np.float32)[None] / 255
    points, logit = run("face-mesh", patch)
    mesh = points.reshape(468, 3)[:, :2]
    return transform(invert(crop), mesh).astype(np.float32), float(1 / (1 + np.exp(-logit.item())))


def to_ibug(mesh: np.ndarray) -> np.ndarray:
    """(468, 2) -> (68, 2)."""
    return mesh[IBUG]
