"""One part of a data set before its pictures are decoded, and how decoded pictures become one array."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

Reader = Callable[[int | None], np.ndarray]
"""Pixels a side, or None for as they are -> (N, H, W, C) uint8."""


@dataclass(frozen=True)
class Pile:
    """Labels are there, pictures are read when asked for."""

    files: tuple[Path, ...]
    """What it is made of: a changed file means other pictures."""
    labels: np.ndarray
    """(N,) whole numbers or text, as the files have them."""
    read: Reader
    names: tuple[str, ...] | None = None
    """Of the labels 0, 1, ..., where the data set gives them."""
    keep: bool = False
    """Whether the decoded pictures may stay in the cache folder: never those of somebody's own folder of pictures."""


def joined_parts(source: Path, arrays: Mapping[str, Mapping[str, tuple[Path, Callable[[], np.ndarray]]]],
                 names: tuple[str, ...] | None = None) -> dict[str, Pile] | None:
    """Part -> {"images": (file, how to load it), "labels": ...} as piles; None for no part; ValueError where one is missing."""
    piles = {}
    for part, pair in arrays.items():
        for kind, other in (("images", "labels"), ("labels", "images")):
            if kind not in pair:
                raise ValueError(f"{source}: {part} {kind} are missing, found only {other} ({pair[other][0].name})")
        images, labels = pair["images"], pair["labels"]
        piles[part] = Pile((images[0], labels[0]), flat_labels(labels[1](), labels[0]), _array_reader(*images), names)
    return piles or None


def flat_labels(labels: np.ndarray, source: Path) -> np.ndarray:
    """(N,) or (N, 1) whole numbers or text -> (N,); ValueError for anything else, and for labels that are missing."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    whole = labels.dtype.kind == "f" and np.isfinite(labels).all() and (labels == labels.round()).all()
    if labels.ndim != 1 or not (labels.dtype.kind in "iuUb" or whole):
        raise ValueError(f"{source}: the labels are {labels.dtype} {labels.shape}, expected one whole number or name for each picture")
    if labels.dtype.kind == "U":
        return labels
    labels = labels.astype(np.int64)
    if len(labels) and labels.min() < 0:
        raise ValueError(f"{source}: {(labels < 0).sum()} of {len(labels)} pictures have no label ({labels.min()})")
    return labels


def to_pictures(images: np.ndarray, source: Path) -> np.ndarray:
    """(N, H, W), (N, H, W, C) or (N, C, H, W), 0..255 or floats 0..1 -> (N, H, W, C) uint8; ValueError for anything else."""
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and images.shape[3] not in (1, 3) and images.shape[1] in (1, 3):
        images = images.transpose(0, 2, 3, 1)
    if images.ndim != 4 or images.shape[3] not in (1, 3) or images.dtype.kind not in "biuf":
        raise ValueError(f"{source}: the images are {images.dtype} {images.shape}, expected (N, H, W) or (N, H, W, 1 or 3)")
    if images.dtype == np.uint8 or not images.size:
        return np.ascontiguousarray(images, np.uint8)
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise ValueError(f"{source}: {(~np.isfinite(images)).sum()} values of the images are not finite")
    low, high, top = images.min(), images.max(), 255 if images.dtype.kind in "iu" else 1
    if low < 0 or high > top:
        raise ValueError(f"{source}: the images are {images.dtype} from {low:g} to {high:g}, expected 0 to {top}")
    return images.astype(np.uint8) if top == 255 else (images * np.float32(255)).round().astype(np.uint8)


def stack(pictures: Iterable[tuple[str, np.ndarray]], count: int, size: int | None) -> np.ndarray:
    """Named pictures (H, W, C) uint8 -> (N, H, W, C), resized to `size` if given; ValueError names two of different sizes."""
    out, first = np.empty((0, 0, 0, 0), np.uint8), ""
    for place, (name, picture) in enumerate(pictures):
        picture = picture if size is None else fit_square(picture, size)
        if place == 0:
            out, first = np.empty((count, *picture.shape), np.uint8), name
        elif picture.shape != out.shape[1:]:
            here, there = (f"{one.shape[1]} x {one.shape[0]}" for one in (picture, out[0]))
            raise ValueError(f"the pictures have different sizes: {first} has {there} pixels, {name} has {here}; give a size for all")
        out[place] = picture
    return out


def fit_square(picture: np.ndarray, size: int) -> np.ndarray:
    """(H, W, C) -> (size, size, C): the shorter side resized (triangle filter over all source pixels), the longer one cropped."""
    height, width = picture.shape[:2]
    if (height, width) == (size, size):
        return picture
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    grey = picture.shape[2] == 1
    image = Image.fromarray(picture[..., 0] if grey else picture)
    image = image.resize((size, size), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
    return np.asarray(image).reshape(size, size, picture.shape[2])


def fit_squares(images: np.ndarray, size: int) -> np.ndarray:
    """(N, H, W, C) -> (N, size, size, C): what `fit_square` does to each of them, but for rounding; quick for many small ones."""
    height, width = images.shape[1:3]
    side = min(height, width)
    rows, columns = (_triangles(length, size, (length - side) / 2, side / size) for length in (height, width))
    out = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for start in range(0, len(images), 1000):
        some = images[start : start + 1000].transpose(0, 3, 1, 2).astype(np.float32)
        out[start : start + 1000] = (rows @ some @ columns.T + np.float32(0.5)).astype(np.uint8).transpose(0, 2, 3, 1)
    return out


def _triangles(length: int, size: int, start: float, scale: float) -> np.ndarray:
    """(size, length) weights: a triangle round each new pixel's centre that reaches to the next centres, never less than a pixel."""
    centres = start + (np.arange(size) + 0.5) * scale
    weights = np.maximum(1 - np.abs(np.arange(length) + 0.5 - centres[:, None]) / max(scale, 1.0), 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _array_reader(source: Path, load: Callable[[], np.ndarray]) -> Reader:
    def read(size: int | None) -> np.ndarray:
        images = to_pictures(load(), source)
        return images if size is None or images.shape[1:3] == (size, size) else fit_squares(images, size)

    return read
