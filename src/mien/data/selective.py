"""Selective search (Uijlings, van de Sande, Gevers and Smeulders 2013, IJCV 104): regions of a graph segmentation grouped step by step
by likeness; every region on the way is a place where an object may be.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

COLOUR_BINS, TEXTURE_BINS, DIRECTIONS = 25, 10, 8
"""Of the histograms of each channel (section 3.2)."""
LEAST = 8
"""Pixels a side of the smallest box that is proposed."""


class Bins(NamedTuple):
    """Where in the histograms every pixel of a picture counts."""

    colour: np.ndarray
    """(3, P) uint8."""
    texture: np.ndarray
    """(3 * DIRECTIONS, P) uint8."""


class Regions(NamedTuple):
    """Sets of neighbouring pixels, a row each, by what is needed to compare them."""

    sizes: np.ndarray
    """(N,) pixels."""
    boxes: np.ndarray
    """(N, 4) x1, y1, x2, y2."""
    looks: np.ndarray
    """(N, 3 * COLOUR_BINS + 3 * DIRECTIONS * TEXTURE_BINS) histograms of colour and of texture, each of which sums to 1."""


def selective_search(image: np.ndarray, scales: Sequence[float] = (20.0, 100.0), sigma: float = 0.8,
                     smallest: int = 20, most: int = 2000) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (N, 4) float32 boxes, the most likely ones (grouped last) first, no box twice.

    scales: of the graph segmentations (Felzenszwalb and Huttenlocher 2004) that grouping begins with, one after the other: larger ones
    begin with larger regions; smallest: pixels of those. The paper's fast mode also varies the colour space; here it is Lab alone.
    RuntimeError where scikit-image is missing.
    """
    try:
        from skimage.color import rgb2lab
        from skimage.segmentation import felzenszwalb
    except ImportError:
        raise RuntimeError("selective search needs scikit-image: pip install mien[detect]") from None
    if min(image.shape[:2]) < 2:
        return np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
    bins = binned(rgb2lab(image).astype(np.float32))
    ranks: list[tuple[int, tuple[int, int, int, int]]] = []
    for scale in scales:
        labels = felzenszwalb(image, scale=scale, sigma=sigma, min_size=smallest)
        ranks += list(enumerate(reversed([*grouped(labels, bins)])))
    boxes = dict.fromkeys(box for _, box in sorted(ranks, key=lambda pair: pair[0]))
    large = [box for box in boxes if box[2] - box[0] >= LEAST and box[3] - box[1] >= LEAST]
    return np.array(large[:most], np.float32).reshape(-1, 4)


def grouped(labels: np.ndarray, bins: Bins) -> Iterator[tuple[int, int, int, int]]:
    """(H, W) numbers of regions from 0 -> boxes x1, y1, x2, y2: first those of the regions, then of every union (algorithm 1).

    The two most alike neighbours become one, until one is left.
    """
    regions, near, whole = described(labels, bins), neighbours(labels), labels.size
    yield from map(tuple, regions.boxes[:len(near)].tolist())
    pairs = np.array([(a, b) for a, others in near.items() for b in others if a < b], np.intp).reshape(-1, 2)
    queue = [*zip((-likeness(regions, pairs[:, 0], pairs[:, 1], whole)).tolist(), *pairs.T.tolist(), strict=True)]
    heapq.heapify(queue)
    following = len(near)
    while queue:
        _, a, b = heapq.heappop(queue)
        if a not in near or b not in near:
            continue
        unite(regions, a, b, following)
        around = [*(near.pop(a) | near.pop(b)) - {a, b}]
        near[following] = {*around}
        for other, alike in zip(around, likeness(regions, np.array(around, np.intp), following, whole).tolist(), strict=True):
            near[other] -= {a, b}
            near[other].add(following)
            heapq.heappush(queue, (-alike, other, following))
        yield tuple(regions.boxes[following].tolist())
        following += 1


def likeness(regions: Regions, a: np.ndarray, b: np.ndarray | int, whole: int) -> np.ndarray:
    """(K,) and (K,) numbers of regions, or one number -> (K,) likeness of colour, texture, size and fill, 0 to 4 (section 3.2,
    equation 6 with all four); whole: pixels of the picture.
    """
    looks = np.minimum(regions.looks[a], regions.looks[b]).sum(-1)
    pixels, sides = regions.sizes[a] + regions.sizes[b], _around(regions.boxes[a], regions.boxes[b])
    area = (sides[..., 2] - sides[..., 0]) * (sides[..., 3] - sides[..., 1])
    return looks + (1 - pixels / whole) + (1 - (area - pixels) / whole)


def unite(regions: Regions, a: int, b: int, into: int) -> None:
    """Row `into` becomes both; histograms are means weighted by size (equation 3)."""
    sizes, looks = regions.sizes, regions.looks
    sizes[into] = sizes[a] + sizes[b]
    regions.boxes[into] = _around(regions.boxes[a], regions.boxes[b])
    share = sizes[a] / sizes[into]
    looks[into] = looks[a] * share + looks[b] * (1 - share)


def _around(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate([np.minimum(a[..., :2], b[..., :2]), np.maximum(a[..., 2:], b[..., 2:])], -1)


def described(labels: np.ndarray, bins: Bins) -> Regions:
    """(H, W) -> every region of a segmentation, by number; behind them rows for all their unions."""
    count, flat = int(labels.max()) + 1, labels.ravel()
    sizes, rows = np.bincount(flat, minlength=count), 2 * count - 1
    looks = np.concatenate([_histograms(flat, count, bins.colour, COLOUR_BINS),
                            _histograms(flat, count, bins.texture, TEXTURE_BINS)], 1)  # fmt: skip
    narrow = np.uint16 if count < 2**16 else flat.dtype
    order = np.argsort(flat.astype(narrow), kind="stable")  # of 16 bits: sorted by counting
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    y, x = np.divmod(order, labels.shape[1])
    boxes = np.stack([np.minimum.reduceat(x, starts), np.minimum.reduceat(y, starts),
                      np.maximum.reduceat(x, starts) + 1, np.maximum.reduceat(y, starts) + 1], 1)  # fmt: skip
    empty = [np.zeros((rows, *one.shape[1:]), one.dtype) for one in (sizes, boxes, looks)]
    for table, one in zip(empty, (sizes, boxes, looks), strict=True):
        table[:count] = one
    return Regions(*empty)


def binned(lab: np.ndarray) -> Bins:
    """(H, W, 3) float32 -> where in the histograms every pixel counts."""
    low, high = lab.reshape(-1, 3).min(0), lab.reshape(-1, 3).max(0)
    colour = ((lab - low) / np.maximum(high - low, 1e-6) * COLOUR_BINS).astype(np.uint8).clip(0, COLOUR_BINS - 1)
    return Bins(np.ascontiguousarray(colour.reshape(-1, 3).T), textures(lab))


def textures(lab: np.ndarray) -> np.ndarray:
    """(H, W, 3) -> (3 * DIRECTIONS, H * W) uint8 bin of the slope in each direction, of each channel."""
    found = []
    for channel in np.moveaxis(lab, 2, 0):
        down, across = (slope.ravel() for slope in np.gradient(np.ascontiguousarray(channel)))
        for angle in np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS):
            slope = np.maximum(across * float(np.cos(angle)) + down * float(np.sin(angle)), 0)
            found.append((slope * (TEXTURE_BINS / max(float(slope.max()), 1e-6))).astype(np.uint8).clip(0, TEXTURE_BINS - 1))
    return np.stack(found)


def _histograms(flat: np.ndarray, count: int, bins: np.ndarray, many: int) -> np.ndarray:
    """(P,) region of each pixel, (K, P) its bins -> (count, K * many), each row summing to 1."""
    base = flat.astype(np.intp) * many
    table = np.concatenate([np.bincount(base + row, minlength=count * many).reshape(count, many) for row in bins], 1)
    table = table.astype(np.float32)
    return table / np.maximum(table.sum(1, keepdims=True), 1)


def neighbours(labels: np.ndarray) -> dict[int, set[int]]:
    """Which regions touch each one, to the side or above and below."""
    count = int(labels.max()) + 1
    near: dict[int, set[int]] = {number: set() for number in range(count)}
    for one, other in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        differ = one != other
        for a, b in zip(*(part.tolist() for part in np.divmod(np.unique(one[differ] * count + other[differ]), count)), strict=True):
            near[a].add(b)
            near[b].add(a)
    return near
