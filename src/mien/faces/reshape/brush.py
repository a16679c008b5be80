"""Liquify by hand: round brushes that push, bloat and pucker, one stroke after the other.

A stroke is a map from where a point is after it to where it was before; a chain of them is evaluated point by point, so nothing is
resampled twice. Pushing fades as (1 - (d / r)^2)^2, which folds nothing while it moves less than 0.64 of its radius; bloating and
puckering are the local scaling of Gustafsson 1993, "Interactive Image Warping", section 4.4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.data.warp import scale_of
from mien.faces.align import alignment
from mien.faces.reshape import fields

FURTHEST = 0.55
"""Of its radius, how far a push may move: (1 - t^2)^2 is at most 1.54 steep, so at 0.65 it would fold."""


@dataclass(frozen=True)
class Stroke:
    """One touch of the brush, in pixels."""

    x: float
    y: float
    radius: float
    dx: float = 0.0
    """A push: what is under the centre goes this far."""
    dy: float = 0.0
    size: float = 0.0
    """Above 0 bloats, at most below 1; below 0 puckers, at most to -2."""

    def before(self, points: np.ndarray) -> np.ndarray:
        """(2, N) after the stroke -> (2, N) where they were before it."""
        away = points - np.array([[self.x], [self.y]], points.dtype)
        share = (away[0] ** 2 + away[1] ** 2) / points.dtype.type(self.radius**2)
        inside = np.flatnonzero(share < 1)
        share, found = share[inside], points.copy()
        shift = (1 - share) ** 2 * np.array([[self.dx], [self.dy]], points.dtype)
        if self.size:
            shift += points.dtype.type(self.size) * (1 - np.sqrt(share)) ** 2 * away[:, inside]
        found[:, inside] -= shift
        return found

    def after(self, points: np.ndarray, steps: int = 12) -> np.ndarray:
        """(2, N) before the stroke -> (2, N) where it takes them, by fixed point."""
        found = points
        for _ in range(steps):
            found = points + (found - self.before(found))
        return found


def push(at: np.ndarray, by: np.ndarray, radius: float) -> Stroke:
    """A stroke from a point (2,) by (2,), shortened to what does not fold; its middle is between start and end."""
    reach = float(np.hypot(*by))
    x, y = by * min(1.0, FURTHEST * radius / max(reach, 1e-9))
    return Stroke(float(at[0] + x), float(at[1] + y), radius, float(x), float(y))


def origins(points: np.ndarray, strokes: Sequence[Stroke]) -> np.ndarray:
    """(N, 2) after all strokes -> (N, 2) where they were before the first."""
    found = np.ascontiguousarray(points.T)
    for stroke in reversed(strokes):
        found = stroke.before(found)
    return found.T


def random_strokes(landmarks: np.ndarray, random: np.random.Generator) -> list[Stroke]:
    """One to four gestures somewhere on a face (68, 2): drags of a few touches each, bloats and puckers."""
    unit = 1 / scale_of(alignment(landmarks, 1))
    strokes = []
    for _ in range(random.integers(1, 5)):
        at = landmarks[random.integers(68)] + random.normal(0, 0.05 * unit, 2)
        radius = unit * random.uniform(0.08, 0.32)
        if random.random() < 0.35:
            strokes.append(Stroke(float(at[0]), float(at[1]), radius, size=float(random.uniform(0.06, 0.35) * random.choice([-1, 1]))))
            continue
        touches, heading = int(random.integers(1, 6)), random.uniform(0, 2 * np.pi)
        step = unit * random.uniform(0.012, 0.05) / touches
        for _ in range(touches):
            strokes.append(push(at, step * np.array([np.cos(heading), np.sin(heading)]), radius))
            at, heading = at + step * np.array([np.cos(heading), np.sin(heading)]), heading + random.normal(0, 0.3)
    return strokes


def stroked_field(strokes: Sequence[Stroke], height: int, width: int) -> np.ndarray:
    """Strokes on a picture -> their backward field (2, H, W) float32."""
    grid = fields.nodes(height, width)
    return fields.dense(origins(grid, strokes) - grid, height, width)
