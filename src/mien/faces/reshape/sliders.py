"""What can be asked for: twenty sliders from -1 to 1, and where each of them moves the points of a face.

All is measured in the face's own window (`mien.faces.align`): upright, 1 wide, with the average face from 0.11 to 0.89. "Left" and
"right" are those of the picture. At uniformly drawn amounts a crop of 400 pixels is displaced 1.7 pixels on average, 11 at most.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from math import isfinite

import numpy as np

from mien.data.warp import invert, transform
from mien.faces.align import alignment

FOREHEAD = 9
"""Points added above the 68, from one temple along the hairline to the other."""
LEFT_EYE, RIGHT_EYE = range(36, 42), range(42, 48)
MOUTH = range(48, 68)
MIDDLE = (27, 28, 29, 30, 8)
"""Nose and chin: of a face turned aside the far cheek is near them, and moves less."""
JAW, CROWN = range(17), range(68, 68 + FOREHEAD)


@dataclass(frozen=True)
class Sliders:
    """-1..1 each; 0 leaves things as they are. Raises ValueError for anything beyond."""

    left_eye_size: float = 0.0
    right_eye_size: float = 0.0
    left_eye_height: float = 0.0
    right_eye_height: float = 0.0
    left_eye_width: float = 0.0
    right_eye_width: float = 0.0
    left_eye_tilt: float = 0.0
    """Above 0 the outer corner rises."""
    right_eye_tilt: float = 0.0
    eye_distance: float = 0.0
    smile: float = 0.0
    """Above 0 the corners of the mouth rise."""
    upper_lip: float = 0.0
    """Above 0 it is fuller."""
    lower_lip: float = 0.0
    mouth_width: float = 0.0
    mouth_height: float = 0.0
    nose_width: float = 0.0
    nose_height: float = 0.0
    """Above 0 it is longer."""
    face_width: float = 0.0
    chin_height: float = 0.0
    """Above 0 the chin is longer."""
    jawline: float = 0.0
    """Above 0 the jaw is wider."""
    forehead: float = 0.0
    """Above 0 it is higher."""

    def __post_init__(self) -> None:
        for name, amount in zip(NAMES, astuple(self), strict=True):
            if not (isfinite(amount) and -1 <= amount <= 1):
                raise ValueError(f"{name.replace('_', '-')} is {amount:g}, expected a number from -1 to 1")


NAMES = tuple(field.name for field in fields(Sliders))


def random_sliders(random: np.random.Generator) -> Sliders:
    """Every slider uniform in [-1, 1], as the reference was made."""
    return Sliders(*random.uniform(-1, 1, len(NAMES)).tolist())


@dataclass(frozen=True)
class Move:
    """Of a few points: about their centre by a matrix, and by a shift; in windows of the face, at an amount of 1."""

    weights: dict[int, float]
    """Point -> share of the movement it makes."""
    about: range | tuple[int, ...] = ()
    """The points whose mean is the centre."""
    matrix: tuple[tuple[float, float], tuple[float, float]] = ((0, 0), (0, 0))
    """Displacement of a point by where it is from the centre: x, then y."""
    shift: tuple[float, float] = (0, 0)


def _all(points: range | tuple[int, ...], weight: float = 1.0) -> dict[int, float]:
    return dict.fromkeys(points, weight)


def _eye(points: range, x: float, y: float) -> tuple[Move, ...]:
    return (Move(_all(points), points, ((x, 0), (0, y))),)


def _turned(points: range, by: float) -> tuple[Move, ...]:
    return (Move(_all(points), points, ((0, -by), (by, 0))),)


CORNERS = {48: 1.0, 54: 1.0, 60: 0.95, 64: 0.95, 49: 0.5, 53: 0.5, 59: 0.5, 55: 0.5, 61: 0.35, 63: 0.35, 67: 0.35, 65: 0.35}
JAW_SIDE = {3: 0.4, 4: 0.8, 5: 1.0, 6: 0.8, 7: 0.35}
MOVES: dict[str, tuple[Move, ...]] = {
    "left_eye_size": _eye(LEFT_EYE, 0.22, 0.32),
    "right_eye_size": _eye(RIGHT_EYE, 0.22, 0.32),
    "left_eye_height": _eye(LEFT_EYE, 0, 0.4),
    "right_eye_height": _eye(RIGHT_EYE, 0, 0.4),
    "left_eye_width": _eye(LEFT_EYE, 0.22, 0),
    "right_eye_width": _eye(RIGHT_EYE, 0.22, 0),
    "left_eye_tilt": _turned(LEFT_EYE, 0.18),
    "right_eye_tilt": _turned(RIGHT_EYE, -0.18),
    "eye_distance": (Move(_all(LEFT_EYE) | _all(range(17, 22), 0.5), shift=(-0.017, 0)),
                     Move(_all(RIGHT_EYE) | _all(range(22, 27), 0.5), shift=(0.017, 0))),
    "smile": (Move(CORNERS, shift=(0, -0.028)), Move(CORNERS, MOUTH, ((0.08, 0), (0, 0))),
              Move({51: 1, 62: 1, 57: 1, 66: 1}, shift=(0, 0.004))),
    "upper_lip": (Move({49: 0.5, 50: 1, 51: 1, 52: 1, 53: 0.5}, shift=(0, -0.017)),),
    "lower_lip": (Move({59: 0.6, 58: 1, 57: 1, 56: 1, 55: 0.6}, shift=(0, 0.019)),),
    "mouth_width": (Move(_all(MOUTH), MOUTH, ((0.18, 0), (0, 0))),),
    "mouth_height": (Move(_all(MOUTH), MOUTH, ((0, 0), (0, 0.24))),),
    "nose_width": (Move(_all(range(31, 36)), range(31, 36), ((0.26, 0), (0, 0))),),
    "nose_height": (Move({28: 0.2, 29: 0.5, 30: 0.9} | _all(range(31, 36)), shift=(0, 0.02)),),
    "face_width": (Move(_all(JAW) | _all(CROWN, 0.7), MIDDLE, ((0.09, 0), (0, 0))),),
    "chin_height": (Move({4: 0.1, 5: 0.3, 6: 0.6, 7: 0.9, 8: 1, 9: 0.9, 10: 0.6, 11: 0.3, 12: 0.1}, shift=(0, 0.036)),),
    "jawline": (Move(JAW_SIDE | {16 - i: w for i, w in JAW_SIDE.items()}, MIDDLE, ((0.11, 0), (0, 0))),),
    "forehead": (Move({68 + i: float(np.sin(np.pi * (i + 1) / (FOREHEAD + 1))) for i in range(FOREHEAD)}, shift=(0, -0.042)),
                 Move(_all(range(17, 27), 0.12), shift=(0, -0.042))),
}


def with_forehead(landmarks: np.ndarray) -> np.ndarray:
    """(68, 2) -> (77, 2): half an ellipse from ear to ear over a forehead as high as the nose is long, brow to tip's base."""
    first, last = landmarks[0], landmarks[16]
    brow = landmarks[[21, 22]].mean(0)
    top = brow + 0.85 * (brow - landmarks[33])
    turn = np.linspace(np.pi, 0, FOREHEAD + 2)[1:-1, None]
    middle = (first + last) / 2
    return np.concatenate([landmarks, middle + np.cos(turn) * (last - first) / 2 + np.sin(turn) * (top - middle)])


def moved(landmarks: np.ndarray, amounts: Sliders) -> tuple[np.ndarray, np.ndarray]:
    """(68, 2) -> where 77 points are, and where they go: the 68 and those of the forehead, float64 (77, 2) twice."""
    source = with_forehead(landmarks.astype(np.float64))
    matrix = alignment(landmarks, 1)
    window = transform(matrix, source)
    shifts = np.zeros_like(window)
    for name, amount in zip(NAMES, astuple(amounts), strict=True):
        if amount:
            for move in MOVES[name]:
                points, weights = list(move.weights), np.array(list(move.weights.values()))[:, None]
                centre = window[list(move.about)].mean(0) if move.about else 0.0
                shifts[points] += amount * weights * ((window[points] - centre) @ np.array(move.matrix).T + move.shift)
    return source, transform(invert(matrix), window + shifts)
