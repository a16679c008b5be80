"""Where the face is: masks drawn from the 68 points."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

OUTSIDE, FACE, FEATURE = 26, 102, 255
"""Grey values of a weight map: background, face, and eyes and mouth, which weigh two and a half times the face."""


def outline(landmarks: np.ndarray, forehead: float = 0.35) -> np.ndarray:
    """(68, 2) -> the face's outline (27, 2): the jaw, then the brows raised by a share of the nose's length (27 to 33)."""
    up = (landmarks[27] - landmarks[33]) * forehead
    return np.concatenate([landmarks[:17], landmarks[26:16:-1] + up])


def _polygon(draw: ImageDraw.ImageDraw, points: np.ndarray, value: int) -> None:
    draw.polygon([(float(x), float(y)) for x, y in points], fill=value)


def face_mask(landmarks: np.ndarray, size: tuple[int, int], forehead: float = 0.35) -> np.ndarray:
    """(68, 2) and (width, height) -> (H, W) uint8, 255 inside the face."""
    canvas = Image.new("L", size)
    _polygon(ImageDraw.Draw(canvas), outline(landmarks, forehead), 255)
    return np.asarray(canvas)


def grow(points: np.ndarray, by: float) -> np.ndarray:
    """Scale a polygon about its centre."""
    centre = points.mean(0)
    return centre + (points - centre) * by


def socket(eye: np.ndarray) -> np.ndarray:
    """An eye's six points -> the ellipse (32, 2) in which its lids move: as tall for a closed eye as for an open one."""
    right = (eye[3] - eye[0]) / 2
    down = np.array([-right[1], right[0]])
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)[:, None]
    return (eye[0] + eye[3]) / 2 + 1.45 * np.cos(turn) * right + 0.85 * np.sin(turn) * down


def weight_map(landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(68, 2) and (width, height) -> (H, W) uint8: how much each pixel counts in training."""
    canvas = Image.new("L", size, OUTSIDE)
    draw = ImageDraw.Draw(canvas)
    _polygon(draw, outline(landmarks), FACE)
    for eye in (landmarks[36:42], landmarks[42:48]):
        _polygon(draw, socket(eye), FEATURE)
    _polygon(draw, grow(landmarks[48:60], 1.25), FEATURE)
    return np.asarray(canvas)
