"""Where the face is: masks drawn from the 68 points."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

OUTSIDE, FACE, FEATURE = 26, 102, 255
"""Grey values of a weight map: background, face, and eyes, brows and mouth, which weigh two and a half times the face."""


def outline(landmarks: np.ndarray, forehead: float = 0.35) -> np.ndarray:
    """(68, 2) -> the face's outline (27, 2): the jaw, then the brows raised by a share of the distance from nose root to nose tip."""
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


def weight_map(landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(68, 2) and (width, height) -> (H, W) uint8: how much each pixel counts in training."""
    canvas = Image.new("L", size, OUTSIDE)
    draw = ImageDraw.Draw(canvas)
    _polygon(draw, outline(landmarks), FACE)
    for part, by in ((slice(36, 42), 1.6), (slice(42, 48), 1.6), (slice(48, 60), 1.25)):
        points = grow(landmarks[part], by)
        centre = points.mean(0)
        turn = np.arctan2(*(points - centre).T[::-1])
        _polygon(draw, points[np.argsort(turn)], FEATURE)
    return np.asarray(canvas)
