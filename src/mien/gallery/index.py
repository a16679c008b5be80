"""The nearest vectors, in memory: exact up to a million (8 bits a number, with a proven bound), by cells above."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import faiss

EXACT_TO = 1_000_000
"""Vectors up to which every one is compared with the question; above, those of the nearest cells."""
BLOCK = 16384
"""Vectors that are rounded to 8 bits together, each block in its own range; the last, unfilled one stays float32."""
PROBES = 24
"""Cells looked into."""
ROUNDING = 1e-3
"""Of a float32 distance, as a part of the vectors' length: |a|^2 - 2ab + |b|^2 cancels where a and b are near."""


class Index(Protocol):
    """Numbers of records by how near they are."""

    @property
    def exact(self) -> bool:
        """True: no vector that is not returned is nearer than the last distance less `error`."""
        ...

    @property
    def error(self) -> float:
        """In the vectors' own unit."""
        ...

    def __len__(self) -> int: ...

    def add(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """(N,) int64 and (N, D) float32."""
        ...

    def remove(self, ids: np.ndarray) -> int:
        """How many of them were there."""
        ...

    def search(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(Q, D) -> distances (Q, count) ascending and ids (Q, count); inf and -1 where there are fewer."""
        ...


@dataclass
class Block:
    """Vectors rounded to 8 bits a number in the range they span."""

    ids: np.ndarray
    codes: faiss.IndexScalarQuantizer
    error: float
    """The farthest that rounding moved one of them."""


class Exact:
    """Every vector compared; D bytes and an id each."""

    exact = True

    def __init__(self, size: int):
        self.size = size
        self.blocks: list[Block] = []
        self.error = 0.0
        self._norm = 0.0
        self._count = 0
        self._ids = np.empty(BLOCK, np.int64)
        self._tail = np.empty((0, size), np.float32)

    def __len__(self) -> int:
        return sum(len(block.ids) for block in self.blocks) + self._count

    def add(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """See `Index`; microseconds, or some 20 ms where a block fills up."""
        if len(ids):
            self._norm = max(self._norm, float(np.linalg.norm(vectors, axis=1).max()))
        while len(ids):
            some = min(len(ids), BLOCK - self._count)
            self._room(self._count + some)
            self._ids[self._count: self._count + some] = ids[:some]
            self._tail[self._count: self._count + some] = vectors[:some]
            self._count += some
            ids, vectors = ids[some:], vectors[some:]
            if self._count == BLOCK:
                self._round()
        self._bound()

    def remove(self, ids: np.ndarray) -> int:
        """See `Index`."""
        import faiss

        before = len(self)
        for block in self.blocks:
            gone = np.flatnonzero(np.isin(block.ids, ids))
            if len(gone):
                block.codes.remove_ids(faiss.IDSelectorBatch(gone))
                block.ids = np.delete(block.ids, gone)
        self.blocks = [block for block in self.blocks if len(block.ids)]
        stay = np.flatnonzero(~np.isin(self._ids[:self._count], ids))
        if len(stay) < self._count:
            kept, tail = self._ids[stay], self._tail[stay]
            self._tail[:] = 0  # what was forgotten is not to lie about in memory either
            self._ids[:len(stay)], self._tail[:len(stay)], self._count = kept, tail, len(stay)
        return before - len(self)

    def search(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Index`."""
        import faiss

        best = np.full((len(queries), count), np.inf, np.float32)
        ids = np.full((len(queries), count), -1, np.int64)
        with _one_thread():
            for block in self.blocks:
                near, rows = block.codes.search(queries, min(count, len(block.ids)))
                best, ids = _merge(best, ids, near, block.ids[rows])
            if self._count:
                near, rows = faiss.knn(queries, self._tail[:self._count], min(count, self._count))
                best, ids = _merge(best, ids, near, self._ids[:self._count][rows])
        return np.sqrt(np.maximum(best, 0)), ids

    def _room(self, rows: int) -> None:
        if rows > len(self._tail):
            grown = np.zeros((min(BLOCK, max(2 * rows, 64)), self.size), np.float32)
            grown[:self._count] = self._tail[:self._count]
            self._tail = grown

    def _round(self) -> None:
        import faiss

        codes = faiss.IndexScalarQuantizer(self.size, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_L2)
        codes.train(self._tail)
        codes.add(self._tail)
        moved = np.linalg.norm(codes.reconstruct_n(0, BLOCK) - self._tail, axis=1)
        self.blocks.append(Block(self._ids.copy(), codes, float(moved.max())))
        self._count = 0

    def _bound(self) -> None:
        self.error = max([block.error for block in self.blocks], default=0.0) + ROUNDING * self._norm


class Cells:
    """An inverted file of 8-bit vectors (faiss IndexIVFScalarQuantizer): the PROBES nearest cells are compared."""

    exact = False
    error = 0.0

    def __init__(self, sample: np.ndarray, expected: int, probes: int = PROBES):
        """Find the cells with a sample (S, D) of the vectors; `expected`: how many there will be."""
        import faiss

        size = sample.shape[1]
        cells = min(max(1, len(sample) // 39), 1 << round(math.log2(2 * math.sqrt(expected))))  # 39: as few as faiss trains on gladly
        self._coarse = faiss.IndexFlatL2(size)
        self._index = faiss.IndexIVFScalarQuantizer(self._coarse, size, cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_L2, False)
        self._index.cp.niter = 4
        self._index.cp.max_points_per_centroid = 40
        with _one_thread():
            self._index.train(sample)
        self._index.nprobe = min(probes, cells)

    def __len__(self) -> int:
        return self._index.ntotal

    def add(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """See `Index`."""
        with _one_thread():
            self._index.add_with_ids(np.ascontiguousarray(vectors), ids)

    def remove(self, ids: np.ndarray) -> int:
        """See `Index`."""
        import faiss

        return int(self._index.remove_ids(faiss.IDSelectorBatch(ids)))

    def search(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Index`."""
        with _one_thread():
            near, ids = self._index.search(queries, count)
        return np.sqrt(np.where(ids < 0, np.inf, np.maximum(near, 0))), ids


@contextmanager
def _one_thread() -> Iterator[None]:
    """With all of them, faiss starts its threads even for one question, and waits for each: 40 times slower on busy cores."""
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _merge(best: np.ndarray, ids: np.ndarray, near: np.ndarray, more: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smaller of two lists a row, sorted, as long as the first."""
    if not (near[:, 0] < best[:, -1]).any():
        return best, ids
    both, names = np.concatenate([best, near], axis=1), np.concatenate([ids, more], axis=1)
    order = np.argsort(both, axis=1, kind="stable")[:, :best.shape[1]]
    return np.take_along_axis(both, order, axis=1), np.take_along_axis(names, order, axis=1)
