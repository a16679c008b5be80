"""BlazeFace (Bazarevsky et al. 2019): the detector's grid, decoding and suppression over a TensorFlow Lite network."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from mien.weights import locate


@dataclass(frozen=True)
class Grid:
    """Input size and, layer after layer, the stride and the anchors a cell."""

    size: int
    layers: tuple[tuple[int, int], ...]


GRIDS = {
    "blazeface-short": Grid(128, ((8, 2), (16, 6))),
    "blazeface-back": Grid(256, ((16, 2), (32, 6))),
    "blazeface-full": Grid(192, ((4, 1),)),
}


@contextmanager
def quiet() -> Iterator[None]:
    """LiteRT writes a note on every start to file descriptor 2, past Python; errors still come as exceptions."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class _Kept(threading.local):
    """Interpreters of one thread: an interpreter holds one picture at a time, and two threads would mix theirs."""

    def __init__(self) -> None:
        self.by_name: dict[str, Any] = {}


_kept, _loading = _Kept(), threading.Lock()


def network(name: str) -> Any:
    """The TensorFlow Lite interpreter of a card, this thread's own; it uses one core, since these networks take a millisecond."""
    if name not in _kept.by_name:
        from ai_edge_litert.interpreter import Interpreter

        path = str(locate(name))  # may fetch it, and say so
        with _loading, quiet():  # two at once would leave file descriptor 2 closed for good
            interpreter = Interpreter(path, num_threads=1)
            interpreter.allocate_tensors()
        _kept.by_name[name] = interpreter
    return _kept.by_name[name]


def run(name: str, image: np.ndarray) -> list[np.ndarray]:
    """(1, H, W, 3) float32 -> the network's outputs."""
    net = network(name)
    net.set_tensor(net.get_input_details()[0]["index"], image)
    net.invoke()
    return [net.get_tensor(output["index"]) for output in net.get_output_details()]


@cache
def anchors(name: str) -> np.ndarray:
    """(A, 2) centres in 0..1, row by row."""
    rows = []
    for stride, repeats in GRIDS[name].layers:
        cells = GRIDS[name].size // stride
        y, x = np.mgrid[:cells, :cells]
        rows.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2) + 0.5, repeats, axis=0) / cells)
    return np.concatenate(rows).astype(np.float32)


def letterbox(image: np.ndarray, size: int) -> tuple[np.ndarray, float, np.ndarray]:
    """(H, W, 3) uint8 -> ((1, size, size, 3) float32 in -1..1, pixels per network pixel, the picture's corner x, y)."""
    height, width = image.shape[:2]
    scale = max(height, width) / size
    w, h = max(round(width / scale), 1), max(round(height / scale), 1)
    small = Image.fromarray(image).resize((w, h), Image.Resampling.BILINEAR, reducing_gap=2.0)
    canvas = np.zeros((1, size, size, 3), np.float32)
    x, y = (size - w) // 2, (size - h) // 2
    canvas[0, y : y + h, x : x + w] = np.asarray(small)
    return canvas / 127.5 - 1, scale, np.array([x, y], np.float32)


def detect(name: str, image: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, W, 3) uint8 -> boxes (N, 4), six key points (N, 6, 2), in pixels, and scores (N,); not yet suppressed."""
    size = GRIDS[name].size
    canvas, scale, corner = letterbox(image, size)
    raw, logits = run(name, canvas)
    scores = 1 / (1 + np.exp(-logits[0, :, 0].clip(-80, 80)))
    keep = scores > threshold
    values = raw[0, keep].reshape(-1, 8, 2)
    centre = values[:, 0] + anchors(name)[keep] * size
    points = values[:, 2:] + anchors(name)[keep][:, None] * size
    half = np.abs(values[:, 1]) / 2
    boxes = np.concatenate([centre - half - corner, centre + half - corner], 1) * scale
    return boxes, (points - corner) * scale, scores[keep]


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, 4), (M, 4) -> (N, M) intersection over union."""
    inner = (np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])).clip(0).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return inner / np.maximum(area_a[:, None] + area_b - inner, 1e-9)


def suppress(boxes: np.ndarray, scores: np.ndarray, threshold: float = 0.3) -> np.ndarray:
    """Greedy non-maximum suppression: indices to keep, best first."""
    order, keep = np.argsort(-scores), []
    while len(order):
        best, order = order[0], order[1:]
        keep.append(best)
        order = order[overlap(boxes[best][None], boxes[order])[0] <= threshold]
    return np.array(keep, int)
