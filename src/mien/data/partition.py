"""The split into train, dev and test: exact, stratified, the same for the same seed, and stored with the run."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from mien.data.files import atomic

PARTS = ("train", "dev", "test")


def partition(labels: np.ndarray, shares: Sequence[float], seed: int = 0) -> tuple[np.ndarray, ...]:
    """(N,) labels, shares that sum to 1 -> one sorted int64 index array a share; together every example exactly once.

    The whole and every class are divided with less than one example of difference to the exact shares. Raises ValueError for
    shares that are no shares, and where a part would get nothing.
    """
    exact = [Fraction(share).limit_denominator(10**6) for share in shares]
    if not exact or min(exact) <= 0 or abs(sum(exact) - 1) > 1e-5:
        raise ValueError(f"the shares {', '.join(f'{share:g}' for share in shares)} are not positive numbers that sum to 1")
    if not len(labels):
        raise ValueError("there are no examples to divide")
    exact = [share / sum(exact) for share in exact]  # a share of 0.123456789 has been rounded
    random = np.random.default_rng(seed)
    orders = [random.permutation(np.flatnonzero(labels == one)) for one in np.unique(labels)]
    sizes = _sizes([[share * len(order) for share in exact] for order in orders])
    pieces = [np.split(order, np.cumsum(row)[:-1]) for order, row in zip(orders, sizes, strict=True)]
    parts = tuple(np.sort(np.concatenate(part)).astype(np.int64) for part in zip(*pieces, strict=True))
    for share, part in zip(shares, parts, strict=True):
        if not len(part):
            raise ValueError(f"a share of {share:g} of {len(labels)} examples is none at all")
    return parts


def _sizes(exact: list[list[Fraction]]) -> list[list[int]]:
    """(classes, parts) exact sizes, whole in each row's sum -> whole sizes, every one and every column's sum less than 1 away.

    Controlled rounding (Cox 1987): each row by largest remainder, then examples change parts along chains until every column fits.
    """
    sizes = []
    for row in exact:
        floors = [int(one) for one in row]
        largest = sorted(range(len(row)), key=lambda part: floors[part] - row[part])[: int(sum(row)) - sum(floors)]
        sizes.append([one + (part in largest) for part, one in enumerate(floors)])
    parts = range(len(exact[0]))
    while True:
        ahead = [sum(row[part] for row in sizes) - sum(row[part] for row in exact) for part in parts]
        if max(ahead) >= 1:
            givers, takers = {ahead.index(max(ahead))}, {part for part in parts if ahead[part] < 0}
        elif min(ahead) <= -1:
            givers, takers = {part for part in parts if ahead[part] > 0}, {ahead.index(min(ahead))}
        else:
            return sizes
        for giver, taker in itertools.pairwise(_chain(givers, takers, exact, sizes)):
            row = next(_donors(giver, taker, exact, sizes))
            row[giver] -= 1
            row[taker] += 1


def _chain(givers: set[int], takers: set[int], exact: list[list[Fraction]], sizes: list[list[int]]) -> list[int]:
    """The shortest chain of parts from one of `givers` to one of `takers` in which each has an example for the next."""
    chains = [[part] for part in givers]
    for chain in chains:  # grows while it is walked
        if chain[-1] in takers:
            return chain
        seen = {one[-1] for one in chains}
        chains += [[*chain, part] for part in range(len(exact[0])) if part not in seen and any(_donors(chain[-1], part, exact, sizes))]
    raise AssertionError("the exact sizes are a flow, so there is a chain")


def _donors(giver: int, taker: int, exact: list[list[Fraction]], sizes: list[list[int]]) -> Iterator[list[int]]:
    """The rows of `sizes` that are rounded up in column `giver` and down in column `taker`."""
    return (have for have, due in zip(sizes, exact, strict=True) if have[giver] > due[giver] and have[taker] < due[taker])


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
