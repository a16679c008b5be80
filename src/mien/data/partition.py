"""The split into train, dev and test: exact, stratified, the same for the same seed, and stored with the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from mien.data.files import atomic

PARTS = ("train", "dev", "test")


def partition(labels: np.ndarray, shares: Sequence[float], seed: int = 0) -> tuple[np.ndarray, ...]:
    """(N,) labels, shares that sum to 1 -> one sorted int64 index array a share; together every example exactly once.

    Within every class each part is less than one example away from its share; what rounding leaves over goes to the part that
    is furthest behind over all classes, so that the sizes of the parts are right too. Raises ValueError for shares that are no
    shares, and where a part would get nothing.
    """
    exact = [Fraction(share).limit_denominator(10**6) for share in shares]
    if not exact or min(exact) <= 0 or sum(exact) != 1:
        raise ValueError(f"the shares {', '.join(f'{share:g}' for share in shares)} are not positive numbers that sum to 1")
    random = np.random.default_rng(seed)
    behind = [Fraction(0)] * len(exact)
    parts: list[list[np.ndarray]] = [[] for _ in exact]
    for one in np.unique(labels):
        order = random.permutation(np.flatnonzero(labels == one))
        sizes = [int(share * len(order)) for share in exact]
        behind = [gap + share * len(order) - size for gap, share, size in zip(behind, exact, sizes, strict=True)]
        for part in sorted(range(len(exact)), key=lambda part: -behind[part])[: len(order) - sum(sizes)]:
            sizes[part] += 1
            behind[part] -= 1
        for part, piece in zip(parts, np.split(order, np.cumsum(sizes)[:-1]), strict=True):
            part.append(piece)
    whole = tuple(np.sort(np.concatenate(part)).astype(np.int64) for part in parts)
    for share, part in zip(shares, whole, strict=True):
        if not len(part):
            raise ValueError(f"a share of {share:g} of {len(labels)} examples is none at all")
    return whole


def save_partition(path: Path, parts: Sequence[np.ndarray]) -> None:
    """Write the indices of 2 or 3 parts (train, dev, test) as JSON."""
    table = {name: part.tolist() for name, part in zip(PARTS, parts, strict=False)}
    with atomic(path) as draft:
        draft.write_text(json.dumps(table))


def load_partition(path: Path, count: int) -> tuple[np.ndarray, ...]:
    """What `save_partition` wrote, for `count` examples; ValueError where the file is not a partition of so many."""
    try:
        table = json.loads(Path(path).read_text())
        parts = tuple(np.array(table[name], np.int64) for name in PARTS if name in table)
    except (OSError, ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{path} is not a stored partition: {error}") from None
    together = np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)
    if not np.array_equal(together, np.arange(count)):
        raise ValueError(f"{path} divides {len(together)} examples, but the data set has {count}: it has changed since the run began")
    return parts
