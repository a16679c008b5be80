"""Selective search (Uijlings, van de Sande, Gevers and Smeulders 2013, IJCV 104): regions of a graph segmentation grouped step by step
by likeness; every region on the way is a place where an object may be.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

COLOUR_BINS, TEXTURE_BINS, DIRECTIONS = 25, 10, 8
"""Of the histograms of each channel (section 3.2)."""
LEAST = 8
"""Pixels a side of the smallest box that is proposed."""


@dataclass
class Region:
    """A set of neighbouring pixels, by what is needed to compare it with others."""

    size: int
    """Pixels."""
    box: tuple[int, int, int, int]
    """x1, y1, x2, y2."""
    colour: np.ndarray
    """(3 * COLOUR_BINS,) sums to 1."""
    texture: np.ndarray
    """(3 * DIRECTIONS * TEXTURE_BINS,) sums to 1."""


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
    lab = rgb2lab(image).astype(np.float32)
    ranks: list[tuple[int, tuple[int, int, int, int]]] = []
    for scale in scales:
        labels = felzenszwalb(image, scale=scale, sigma=sigma, min_size=smallest)
        ranks += list(enumerate(reversed([*grouped(labels, lab)])))
    boxes = dict.fromkeys(box for _, box in sorted(ranks, key=lambda pair: pair[0]))
    large = [box for box in boxes if box[2] - box[0] >= LEAST and box[3] - box[1] >= LEAST]
    return np.array(large[:most], np.float32).reshape(-1, 4)


def grouped(labels: np.ndarray, lab: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """(H, W) numbers of regions from 0, (H, W, 3) -> boxes: first those of the regions, then of every union (algorithm 1).

    The two most alike neighbours become one, until one is left.
    """
    regions = dict(enumerate(described(labels, lab)))
    near = neighbours(labels)
    whole = labels.size
    queue = [(-likeness(regions[a], regions[b], whole), a, b) for a, others in near.items() for b in others if a < b]
    heapq.heapify(queue)
    yield from (region.box for region in regions.values())
    following = len(regions)
    while queue:
        _, a, b = heapq.heappop(queue)
        if a not in regions or b not in regions:
            continue
        both = union(regions.pop(a), regions.pop(b))
        around = (near.pop(a) | near.pop(b)) - {a, b}
        regions[following], near[following] = both, around
        for other in around:
            near[other] -= {a, b}
            near[other].add(following)
            heapq.heappush(queue, (-likeness(both, regions[other], whole), other, following))
        yield both.box
        following += 1


def likeness(a: Region, b: Region, whole: int) -> float:
    """Of colour, texture, size and fill, 0 to 4 (section 3.2, equation 6 with all four)."""
    colour, texture = np.minimum(a.colour, b.colour).sum(), np.minimum(a.texture, b.texture).sum()
    x1, y1, x2, y2 = joined(a.box, b.box)
    size = 1 - (a.size + b.size) / whole
    fill = 1 - ((x2 - x1) * (y2 - y1) - a.size - b.size) / whole
    return float(colour + texture + size + fill)


def union(a: Region, b: Region) -> Region:
    """Histograms are means weighted by size (equation 3)."""
    size = a.size + b.size
    mixed = ((x * a.size + y * b.size) / size for x, y in ((a.colour, b.colour), (a.texture, b.texture)))
    return Region(size, joined(a.box, b.box), *mixed)


def joined(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The box around two."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def described(labels: np.ndarray, lab: np.ndarray) -> list[Region]:
    """Every region of a segmentation, by number."""
    count, flat = int(labels.max()) + 1, labels.ravel()
    sizes = np.bincount(flat, minlength=count)
    low, high = lab.reshape(-1, 3).min(0), lab.reshape(-1, 3).max(0)
    bins = ((lab - low) / np.maximum(high - low, 1e-6) * COLOUR_BINS).astype(int).clip(0, COLOUR_BINS - 1)
    colour = _histograms(flat, count, bins.reshape(-1, 3), COLOUR_BINS)
    texture = _histograms(flat, count, textures(lab), TEXTURE_BINS)
    rows, columns = (np.indices(labels.shape)[axis].ravel() for axis in (0, 1))
    order = np.argsort(flat, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    edges = [ufunc.reduceat(axis[order], starts) for ufunc, axis in
             ((np.minimum, columns), (np.minimum, rows), (np.maximum, columns), (np.maximum, rows))]  # fmt: skip
    return [Region(int(size), (int(x1), int(y1), int(x2) + 1, int(y2) + 1), one, two)
            for size, x1, y1, x2, y2, one, two in zip(sizes, *edges, colour, texture, strict=True)]  # fmt: skip


def textures(lab: np.ndarray) -> np.ndarray:
    """(H, W, 3) -> (H * W, 3 * DIRECTIONS) bin of the slope in each direction, of each channel."""
    found = []
    for channel in np.moveaxis(lab, 2, 0):
        down, across = np.gradient(channel)
        for angle in np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS):
            slope = np.maximum(across * np.cos(angle) + down * np.sin(angle), 0)
            found.append((slope / max(float(slope.max()), 1e-6) * TEXTURE_BINS).astype(int).clip(0, TEXTURE_BINS - 1).ravel())
    return np.stack(found, 1)


def _histograms(flat: np.ndarray, count: int, bins: np.ndarray, many: int) -> np.ndarray:
    """(P,) region of each pixel, (P, K) its bins -> (count, K * many), each row summing to 1."""
    kinds = bins.shape[1]
    parts = [np.bincount(flat * many + bins[:, kind], minlength=count * many).reshape(count, many) for kind in range(kinds)]
    table = np.concatenate(parts, 1).astype(np.float32)
    return table / np.maximum(table.sum(1, keepdims=True), 1)


def neighbours(labels: np.ndarray) -> dict[int, set[int]]:
    """Which regions touch each one, to the side or above and below."""
    near: dict[int, set[int]] = {number: set() for number in range(int(labels.max()) + 1)}
    for one, other in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        differ = one != other
        for a, b in np.unique(np.stack([one[differ], other[differ]], 1), axis=0).tolist():
            near[a].add(b)
            near[b].add(a)
    return near
