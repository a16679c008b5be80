"""Pictures moved and recoloured, with their boxes: (H, W, 3) uint8 and `Detections` in, the same out; numpy and Pillow alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from PIL import Image

from mien.types import Detections

GREY = 114
"""What surrounds a picture that has become smaller than its canvas."""
LEAST = 2.0
"""Pixels a side: what is left of a box after a cut and is smaller, is no box any more."""

Seen = tuple[np.ndarray, Detections]


@dataclass(frozen=True)
class Moves:
    """How pictures are changed before a detector sees them. Probabilities, and ranges of factors."""

    mirror: float = 0.5
    upside: float = 0.0
    """Turned upside down: for what has no top, such as cells."""
    quarter: float = 0.0
    """Turned by a quarter: likewise."""
    crop: float = 0.0
    """A window with at least one box's centre inside."""
    window: tuple[float, float] = (0.5, 1.0)
    """The window's sides against the picture's."""
    keep: float = 0.4
    """Share of a box's area inside the window below which it is dropped."""
    zoom: tuple[float, float] = (1.0, 1.0)
    """Size against the picture's own; drawn evenly in logarithms."""
    colour: float = 0.0
    """Brightness, contrast, saturation and channels, up to this share."""


def augmented(image: np.ndarray, truth: Detections, moves: Moves, rng: Generator) -> Seen:
    """One picture, changed as `moves` says."""
    if rng.random() < moves.mirror:
        image, truth = mirrored(image, truth)
    if rng.random() < moves.upside:
        image, truth = upside_down(image, truth)
    if rng.random() < moves.quarter:
        image, truth = quarter_turned(image, truth)
    if rng.random() < moves.crop:
        window = drawn_window(image, truth, moves.window, rng)
        image, truth = cut(image, truth, window, moves.keep)
    if moves.zoom != (1.0, 1.0):
        factor = float(np.exp(rng.uniform(*np.log(moves.zoom))))
        height, width = (max(round(side * factor), 1) for side in image.shape[:2])
        image, truth = resized(image, truth, height, width)
    if moves.colour:
        image = recoloured(image, moves.colour, rng)
    return image, truth


def mirrored(image: np.ndarray, truth: Detections) -> Seen:
    """Left becomes right."""
    x1, y1, x2, y2 = truth.boxes.T
    return _whole(image[:, ::-1]), _moved(truth, image.shape[1] - x2, y1, image.shape[1] - x1, y2)


def upside_down(image: np.ndarray, truth: Detections) -> Seen:
    """The top becomes the bottom."""
    x1, y1, x2, y2 = truth.boxes.T
    return _whole(image[::-1]), _moved(truth, x1, image.shape[0] - y2, x2, image.shape[0] - y1)


def quarter_turned(image: np.ndarray, truth: Detections) -> Seen:
    """A quarter against the clock: (H, W, 3) -> (W, H, 3)."""
    x1, y1, x2, y2 = truth.boxes.T
    return _whole(np.rot90(image)), _moved(truth, y1, image.shape[1] - x2, y2, image.shape[1] - x1)


def cut(image: np.ndarray, truth: Detections, window: tuple[int, int, int, int], keep: float = 0.4) -> Seen:
    """The window x1, y1, x2, y2, inside the picture; boxes are cut at its edge.

    A box of which less than `keep` of the area is inside, or less than two pixels a side, is no object any more and dropped.
    """
    x1, y1, x2, y2 = window
    return _whole(image[y1:y2, x1:x2]), _kept(truth, np.array([x1, y1]), np.array([x2 - x1, y2 - y1]), keep)


def resized(image: np.ndarray, truth: Detections, height: int, width: int) -> Seen:
    """The picture in another size, without aliasing; its sides need not keep their proportion."""
    if image.shape[:2] == (height, width):
        return image, truth
    factors = np.array([width / image.shape[1], height / image.shape[0]] * 2, np.float32)
    small = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(small), replace(truth, boxes=truth.boxes * factors)


def laid(image: np.ndarray, truth: Detections, height: int, width: int, left: int, top: int, keep: float = 0.4) -> Seen:
    """The picture on a grey canvas of height x width, its corner at left, top, which may be outside."""
    canvas = np.full((height, width, 3), GREY, np.uint8)
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = max(min(left + image.shape[1], width), x1), max(min(top + image.shape[0], height), y1)
    canvas[y1:y2, x1:x2] = image[y1 - top : y2 - top, x1 - left : x2 - left]
    return canvas, _kept(truth, np.array([-left, -top]), np.array([width, height]), keep)


def mosaic(four: Sequence[Seen], height: int, width: int, rng: Generator, keep: float = 0.4) -> Seen:
    """Four pictures around a point near the middle, each with a corner there (Bochkovskiy et al. 2020): many small objects at once."""
    x, y = (int(side * rng.uniform(0.3, 0.7)) for side in (width, height))
    canvas, truths = np.full((height, width, 3), GREY, np.uint8), []
    for place, (image, truth) in enumerate(four[:4]):
        tall, wide = image.shape[:2]
        x1, x2 = (0, x) if place % 2 == 0 else (x, width)
        y1, y2 = (0, y) if place < 2 else (y, height)
        left, top = x - x1 - wide if place % 2 == 0 else 0, y - y1 - tall if place < 2 else 0
        canvas[y1:y2, x1:x2], inside = laid(image, truth, y2 - y1, x2 - x1, left, top, keep)
        truths.append(replace(inside, boxes=inside.boxes + np.array([x1, y1, x1, y1], np.float32)))
    return canvas, joined(truths)


def joined(several: Sequence[Detections]) -> Detections:
    """All of them, in one picture."""
    columns = zip(*((one.boxes, one.labels, one.scores, one.difficult) for one in several), strict=True)
    return Detections(*(np.concatenate(column) for column in columns)) if several else Detections.none()


def drawn_window(
    image: np.ndarray, truth: Detections, sides: tuple[float, float], rng: Generator, tries: int = 20
) -> tuple[int, int, int, int]:
    """A window whose sides are `sides` of the picture's, around at least one box's centre; the whole picture where none was found."""
    height, width = image.shape[:2]
    centres = (truth.boxes[:, :2] + truth.boxes[:, 2:]) / 2
    for _ in range(tries):
        wide, tall = (max(int(side * rng.uniform(*sides)), 1) for side in (width, height))
        x, y = int(rng.integers(width - wide + 1)), int(rng.integers(height - tall + 1))
        inside = (centres >= (x, y)) & (centres <= (x + wide, y + tall))
        if not len(truth) or inside.all(1).any():
            return x, y, x + wide, y + tall
    return 0, 0, width, height


def recoloured(image: np.ndarray, strength: float, rng: Generator) -> np.ndarray:
    """Channels, contrast, saturation and brightness changed by up to `strength`; boxes stay where they are."""
    x = image.astype(np.float32)
    gain, channels, contrast, saturation = (1 + rng.uniform(-strength, strength, shape) for shape in (1, 3, 1, 1))
    x = x * (gain * (1 + (channels - 1) / 2)).astype(np.float32)
    mean = x.mean()
    x = (x - mean) * np.float32(contrast[0]) + mean
    grey = x @ np.array([0.299, 0.587, 0.114], np.float32)
    x = (x - grey[..., None]) * np.float32(saturation[0]) + grey[..., None]
    return x.round().clip(0, 255).astype(np.uint8)


def _kept(truth: Detections, corner: np.ndarray, size: np.ndarray, keep: float) -> Detections:
    """Boxes seen from `corner`, cut at a window of `size` (width, height); those of which too little is left are dropped."""
    moved = truth.boxes - np.tile(corner, 2).astype(np.float32)
    inside = moved.clip(0, np.tile(size, 2).astype(np.float32))
    sides, before = inside[:, 2:] - inside[:, :2], (moved[:, 2:] - moved[:, :2]).prod(1)
    enough = (sides >= LEAST).all(1) & (sides.prod(1) >= keep * before)
    return replace(truth, boxes=inside).select(enough)


def _moved(truth: Detections, *corners: np.ndarray) -> Detections:
    return replace(truth, boxes=np.stack(corners, 1).astype(np.float32))


def _whole(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image)
