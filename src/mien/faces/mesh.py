"""Face mesh (Kartynnik et al. 2019): 468 points on a face crop, turned into the 68 of the iBUG scheme."""

from __future__ import annotations

import numpy as np

from mien.data.warp import invert, scale_of, transform, warp
from mien.faces.blaze import run

SIZE = 192
MARGIN = 1.5  # side of the crop over the longer side of the face's box
EYES = (33, 263)  # outer corners
FOREHEAD, CHIN = 10, 152
LEVEL = 7.5  # degrees the line from forehead to chin leans in frontal faces: medians of four sets of photos are 7.2 to 9.4
PAIRS = np.array([[33, 133, 61, 234, 127], [263, 362, 291, 454, 356]])  # left and right in the picture: eyes, mouth, cheeks
# The mesh point nearest to each point of the iBUG 68-point scheme: jaw, brows, nose, eyes, outer and inner lips.
IBUG = np.array([
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
])
# From that mesh point to the iBUG point, along the head's own right, down and back, in thousandths of its width (`axes`).
# Seven tenths of a robust fit on 1,039 frames of 347 people (each frame's labels first shifted so that the eyes agree), made
# symmetric; the brows 40 further down, since the mesh follows their upper edge. The seven tenths and the 40 were settled
# with the faces of benchmarks/find.py in view.
OFFSETS = np.array([
    [-39, -4, 34], [-38, 36, -12], [-19, 62, -22], [-40, -44, 8], [-42, 2, 32], [-16, 49, 36], [-59, 22, 67],
    [-82, 22, 46], [0, 57, 30], [82, 22, 46], [59, 22, 67], [16, 49, 36], [42, 2, 32], [40, -44, 8],
    [19, 62, -22], [38, 36, -12], [39, -4, 34],  # jaw
    [30, 51, -60], [12, 26, -12], [23, 35, -11], [7, 40, 2], [-32, 49, 16], [32, 49, 16], [-7, 40, 2],
    [-23, 35, -11], [-12, 26, -12], [-30, 51, -60],  # brows
    [0, 37, -5], [0, 24, 6], [0, 16, 13], [0, 34, 28], [4, 26, 40], [4, 9, 32], [0, 20, 31], [-4, 9, 32],
    [-4, 26, 40],  # nose
    [8, -2, 4], [11, 2, -16], [-1, 8, -9], [-17, -4, 22], [-9, -2, -1], [-1, -1, 3], [17, -4, 22], [1, 8, -9],
    [-11, 2, -16], [-8, -2, 4], [1, -1, 3], [9, -2, -1],  # eyes
    [1, 18, 20], [-12, 27, 33], [13, 15, 25], [0, 17, 30], [-13, 15, 25], [12, 27, 33], [-1, 18, 20],
    [16, 1, 24], [7, 15, 18], [0, 16, 19], [-7, 15, 18], [-16, 1, 24], [-13, 20, 17], [-15, 13, 16], [0, 9, 20],
    [15, 13, 16], [13, 20, 17], [10, 16, 21], [0, 20, 26], [-10, 16, 21],  # mouth
]) / 1000


def square(centre: np.ndarray, side: float, right: np.ndarray) -> np.ndarray:
    """The (2, 3) transform from the picture to a crop around `centre`, turned so that `right` is horizontal."""
    x, y = right / max(float(np.linalg.norm(right)), 1e-6) * SIZE / side
    turn = np.array([[x, y], [-y, x]])
    return np.hstack([turn, (SIZE / 2 - turn @ centre)[:, None]])


def around_box(box: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The crop for a fresh detection: box (4,) and BlazeFace's key points (6, 2), the eyes first."""
    return square((box[:2] + box[2:]) / 2, MARGIN * float((box[2:] - box[:2]).max()), points[1] - points[0])


def around_mesh(mesh: np.ndarray) -> np.ndarray:
    """The crop for a face known from its (468, 3) points, here or in the frame before."""
    flat = mesh[:, :2]
    right = flat[EYES[1]] - flat[EYES[0]]
    turned = flat @ square(np.zeros(2), SIZE, right)[:, :2].T
    low, high = turned.min(0), turned.max(0)
    centre = (low + high) / 2 @ square(np.zeros(2), SIZE, right)[:, :2]
    return square(centre, MARGIN * float((high - low).max()), right)


def measure(image: np.ndarray, crop: np.ndarray, fine: bool = True) -> tuple[np.ndarray, float]:
    """(H, W, 3) uint8 and a crop's transform -> the mesh (468, 3) float32, and how sure it is that a face is there.

    x, y and z are in picture pixels; z grows away from the camera and is 0 at the depth of the head's centre. `fine`: see `warp`.
    """
    patch = warp(image, crop, (SIZE, SIZE), fine=fine).astype(np.float32)[None] / 255
    points, logit = run("face-mesh", patch)
    mesh = points.reshape(468, 3)
    flat = transform(invert(crop), mesh[:, :2])
    shape = np.concatenate([flat, mesh[:, 2:] / scale_of(crop)], 1).astype(np.float32)
    return shape, float(1 / (1 + np.exp(-logit.item())))


def axes(mesh: np.ndarray) -> tuple[np.ndarray, float]:
    """(468, 3) -> the head's right, down and back as the rows of a (3, 3) rotation, and its width (mean of five pairs)."""
    right = (mesh[PAIRS[1]] - mesh[PAIRS[0]]).mean(0).astype(float)
    width = max(float(np.linalg.norm(right)), 1e-9)
    right /= width
    down = (mesh[CHIN] - mesh[FOREHEAD]).astype(float)
    down -= right * (down @ right)
    down /= max(float(np.linalg.norm(down)), 1e-9)
    return np.stack([right, down, np.cross(right, down)]), width


def to_ibug(mesh: np.ndarray) -> np.ndarray:
    """(468, 3) -> the 68 points (68, 2) float32."""
    rows, width = axes(mesh)
    return (mesh[IBUG, :2] + width * OFFSETS @ rows[:, :2]).astype(np.float32)


def pose(mesh: np.ndarray) -> tuple[float, float, float]:
    """(468, 3) -> yaw, pitch and roll of the head in degrees, all 0 for a face that looks straight into the camera.

    As the viewer sees the picture: yaw > 0 looks to its right, pitch > 0 looks up, roll > 0 is tilted clockwise. The
    camera is taken to be far away, so a face near the edge of a wide-angle picture reads a few degrees off.
    """
    (right, _, back), _ = axes(mesh)
    yaw, pitch = np.arctan2(-back[0], back[2]), np.arcsin(np.clip(back[1], -1, 1))
    level = np.array([np.cos(yaw), 0, np.sin(yaw)])  # where `right` points without roll
    roll = np.arctan2(np.cross(level, right) @ back, level @ right)
    return float(np.degrees(yaw)), float(np.degrees(pitch)) + LEVEL, float(np.degrees(roll))
