"""Who is who in a set: tracks gathered into people by their embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SAME = 0.54
"""Two groups are one person where their members lie nearer than this, root mean square over all pairs.

Precision and recall over pairs: 15 people with 155 news photos 1.00 and 0.97 (at 0.60: 1.00 and 1.00); 350 people with
two small grey pictures each 0.83 and 0.88 (at 0.60: 0.43 and 0.93). In between: few people, or hundreds.
"""
SAME_OF = {"dlib-face": SAME, "mien-face": 0.40}
"""By network; that of mien-face is scaled by how much nearer its thresholds lie, not chosen on archives."""
BLOCK = 1024


def tracks_of(sources: Sequence[str], tracks: Sequence[int]) -> np.ndarray:
    """(N,) number of each face's track, from 0 in order of appearance; a face in a photo is a track of its own."""
    known: dict[tuple[str, int], int] = {}
    return np.array([known.setdefault(pair, len(known)) for pair in zip(sources, tracks, strict=True)], np.int64)


def means(embeddings: np.ndarray, track: np.ndarray) -> np.ndarray:
    """(N, 128) and (N,) track numbers -> (T, 128) the mean embedding of each track."""
    total = np.zeros((track.max(initial=-1) + 1, embeddings.shape[1]))
    np.add.at(total, track, embeddings)
    return (total / np.bincount(track)[:, None]).astype(np.float32)


def cluster(
    vectors: np.ndarray,
    threshold: float = SAME,
    same: Sequence[tuple[int, int]] = (),
    different: Sequence[tuple[int, int]] = (),
    names: Sequence[str] | None = None,
) -> np.ndarray:
    """(T, D) -> (T,) group numbers. Average linkage on squared distances, all mutual nearest neighbours at a time.

    The mean squared distance between the members of two groups is |a - b|^2 + var a + var b, so only centroids are
    compared: a round is one matrix product in blocks, and the order of the vectors does not matter.

    `same` and `different` are pairs of positions that a person has spoken on: the ones are together from the start, and groups that
    hold one of the others between them never meet. Such groups are infinitely far apart, which keeps the linkage reducible: mutual
    nearest neighbours still give what merging the nearest pair first gives. Raises ValueError where the links contradict each other,
    naming the vectors by `names`, else by their positions.
    """
    label = joined(len(vectors), same, different, names)
    apart = np.unique(np.sort(label[np.array(different, np.int64).reshape(-1, 2)], axis=1), axis=0)
    count = np.bincount(label).astype(np.float64)
    centre, spread = vectors.astype(np.float32), np.zeros(len(vectors), np.float32)
    if len(count) < len(vectors):
        centre = means(centre, label)
        spread = (np.bincount(label, ((vectors - centre[label]) ** 2).sum(1)) / count).astype(np.float32)
    while len(centre) > 1:
        near, squared = _nearest(centre, spread, apart)
        here = np.arange(len(centre))
        first = np.flatnonzero((near[near] == here) & (here < near) & (squared < threshold**2))
        if not len(first):
            if squared.min() >= threshold**2:
                break
            first = np.array([squared.argmin()])  # copies of one vector can be each other's nearest in a ring, by rounding
        second = near[first]
        share = (count[second] / (count[first] + count[second])).astype(np.float32)
        between = ((centre[first] - centre[second]) ** 2).sum(1)
        spread[first] = (1 - share) * spread[first] + share * spread[second] + share * (1 - share) * between
        centre[first] += share[:, None] * (centre[second] - centre[first])
        count[first] += count[second]
        here[second] = first
        left = np.delete(np.arange(len(centre)), second)
        place = np.zeros(len(centre), np.int64)
        place[left] = np.arange(len(left))
        label, apart = place[here][label], place[here][apart]
        centre, spread, count = centre[left], spread[left], count[left]
    return label


def joined(
    count: int, same: Sequence[tuple[int, int]], different: Sequence[tuple[int, int]] = (), names: Sequence[str] | None = None
) -> np.ndarray:
    """(count,) numbers, from 0 in order of appearance, alike where `same` leads from one to the other; see `cluster`."""
    beside: dict[int, list[int]] = {}
    for a, b in same:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    label = np.arange(count)
    for start in beside:
        if label[start] == start:
            label[list(_reached(start, beside))] = start
    for a, b in different:
        if label[a] == label[b]:
            came, path = _reached(a, beside), [b]
            while path[-1] != a:
                path.append(came[path[-1]])
            told = [names[i] if names else str(i) for i in reversed(path)]
            raise ValueError(
                f"{told[0]} and {told[-1]} are said to be different, and the same ({' = '.join(told)}): take one of the two back"
            )
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _reached(start: int, beside: dict[int, list[int]]) -> dict[int, int]:
    """Whoever links lead to, with the one before on the shortest way there."""
    came, waiting = {start: start}, [start]
    for one in waiting:  # grows as it goes
        new = dict.fromkeys((other for other in beside.get(one, ()) if other not in came), one)
        came |= new
        waiting += new
    return came


def _nearest(centre: np.ndarray, spread: np.ndarray, apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every group its nearest other group, and the mean squared distance between their members; never those of `apart` (M, 2)."""
    norms = (centre**2).sum(1) + spread
    near, squared = np.zeros(len(centre), np.int64), np.zeros(len(centre), np.float32)
    both = np.concatenate([apart, apart[:, ::-1]])
    for start in range(0, len(centre), BLOCK):
        block = slice(start, start + BLOCK)
        table = norms[None] - 2 * (centre[block] @ centre.T)
        rows = np.arange(len(table))
        table[rows, start + rows] = np.inf
        here = both[(both[:, 0] >= start) & (both[:, 0] < start + BLOCK)]
        table[here[:, 0] - start, here[:, 1]] = np.inf
        near[block] = table.argmin(1)
        squared[block] = table[rows, near[block]] + norms[block]
    return near, squared


def neighbours(vectors: np.ndarray, label: np.ndarray, different: Sequence[tuple[int, int]] = ()) -> list[tuple[int, int, float]]:
    """(T, D) and (T,) group numbers from 0 -> every pair of groups of which one is the other's nearest, the nearest pair first.

    With the root mean square distance between their members; `different` as in `cluster`.
    """
    centre = means(vectors, label)
    spread = (np.bincount(label, ((vectors - centre[label]) ** 2).sum(1)) / np.bincount(label)).astype(np.float32)
    near, squared = _nearest(centre, spread, label[np.array(different, np.int64).reshape(-1, 2)])
    found = enumerate(zip(near.tolist(), np.sqrt(squared.clip(0)).tolist(), strict=True))
    pairs = {(min(a, b), max(a, b)): value for a, (b, value) in found if np.isfinite(value)}
    return sorted(((a, b, value) for (a, b), value in pairs.items()), key=lambda pair: pair[2])


def people(embeddings: np.ndarray, track: np.ndarray, threshold: float = SAME) -> np.ndarray:
    """(N, 128) and (N,) track numbers -> (N,) person numbers, 0 for the person with most faces; ties by appearance."""
    if not len(track):
        return np.zeros(0, np.int64)
    group = cluster(means(embeddings, track), threshold)[track]
    _, first, inverse, count = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(count), np.int64)
    rank[np.lexsort((first, -count))] = np.arange(len(count))
    return rank[inverse]
