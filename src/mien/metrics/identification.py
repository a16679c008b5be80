"""Who of many, or nobody: ranks, the curve of cumulated matches, strangers, and one-shot choices among N people.

Open-set rates as in Phillips, Grother & Micheals, "Evaluation Methods in Face Recognition" (Handbook of Face Recognition, 2011);
N-way one-shot accuracy as in Koch, Zemel & Salakhutdinov 2015 and Vinyals et al. 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Probes:
    """Pictures that were searched in a gallery."""

    rank: np.ndarray
    """(P,) int: how many enrolled people are as near as the right one, itself included: 1 is found; 0 for strangers."""
    nearest: np.ndarray
    """(P,) float64: distance of the nearest enrolled person, right or wrong."""
    people: np.ndarray
    """(P,) the person of each probe."""

    @property
    def known(self) -> np.ndarray:
        """(P,) bool: whether the person is enrolled."""
        return self.rank > 0


@dataclass(frozen=True)
class OpenSet:
    """Rates over thresholds, rising."""

    thresholds: np.ndarray
    """(K,) float64; the first is -inf: nobody is named."""
    false_alarm: np.ndarray
    """(K,) share of strangers that are given a name."""
    identified: np.ndarray
    """(K,) share of known people given the right name (detection and identification rate)."""
    misnamed: np.ndarray
    """(K,) share of known people given another's name."""


def search(probes: np.ndarray, probe_people: np.ndarray, gallery: np.ndarray, gallery_people: np.ndarray, block: int = 512) -> Probes:
    """(P, D), (P,), (G, D), (G,) -> what each probe finds; a person is as near as their nearest picture.

    People as near as the right one count before it, so that vectors that are all alike find nobody.
    """
    if not len(gallery):
        raise ValueError("nobody is enrolled, expected at least one picture in the gallery")
    order = np.argsort(gallery_people, kind="stable")
    names, starts = np.unique(gallery_people[order], return_index=True)
    kept = np.asarray(gallery, np.float64)[order]
    place = np.searchsorted(names, probe_people).clip(max=len(names) - 1)
    known = names[place] == probe_people
    rank, nearest = np.zeros(len(probes), int), np.empty(len(probes))
    for start in range(0, len(probes), block):
        part = slice(start, start + block)
        found = np.minimum.reduceat(_distances(np.asarray(probes[part], np.float64), kept), starts, axis=1)
        own = np.take_along_axis(found, place[part, None], 1)
        rank[part] = np.where(known[part], (found <= own).sum(1), 0)
        nearest[part] = found.min(1)
    return Probes(rank, nearest, np.asarray(probe_people))


def leave_one_out(vectors: np.ndarray, people: np.ndarray, block: int = 512) -> Probes:
    """(N, D), (N,) -> each picture searched among all others; those of people with one picture are left out."""
    names, number, counts = np.unique(people, return_inverse=True, return_counts=True)
    order = np.argsort(number, kind="stable")
    vectors, number = np.asarray(vectors, np.float64)[order], number[order]
    starts = np.concatenate([[0], counts.cumsum()[:-1]])
    places = np.flatnonzero(counts[number] > 1)
    rank, nearest = np.zeros(len(places), int), np.empty(len(places))
    for start in range(0, len(places), block):
        at = places[start : start + block]
        distances = _distances(vectors[at], vectors)
        distances[np.arange(len(at)), at] = np.inf
        found = np.minimum.reduceat(distances, starts, axis=1)
        own = np.take_along_axis(found, number[at, None], 1)
        rank[start : start + block], nearest[start : start + block] = (found <= own).sum(1), found.min(1)
    return Probes(rank, nearest, names[number[places]])


def cmc(ranks: np.ndarray, most: int) -> np.ndarray:
    """(P,) ranks from 1 -> (most,) share of probes whose person is among the nearest 1, 2, ... people."""
    ranks = ranks[ranks > 0]
    if not len(ranks):
        raise ValueError("no probe shows an enrolled person, expected at least one")
    return np.bincount(np.minimum(ranks, most + 1), minlength=most + 2)[1 : most + 1].cumsum() / len(ranks)


def open_set(found: Probes) -> OpenSet:
    """Rates at every threshold that makes a difference. Raises ValueError without known people or without strangers."""
    known = found.known
    if not known.any() or known.all():
        raise ValueError(f"found {known.sum()} probes of known people and {(~known).sum()} of strangers, expected some of both")
    steps, place = np.unique(found.nearest, return_inverse=True)
    right = found.rank == 1
    parts = (~known, ~known), (known & right, known), (known & ~right, known)
    rates = [np.concatenate([[0.0], np.bincount(place, part, len(steps)).cumsum() / whole.sum()]) for part, whole in parts]
    return OpenSet(np.concatenate([[-np.inf], steps]), *rates)


def identified_at(curve: OpenSet, false_alarm: float) -> tuple[float, float]:
    """(detection and identification rate, threshold) at the largest threshold that names at most this share of strangers."""
    place = int(np.searchsorted(curve.false_alarm, false_alarm * (1 + 1e-12), side="right")) - 1
    return float(curve.identified[place]), float(curve.thresholds[place])


def n_way(vectors: np.ndarray, people: np.ndarray, ways: int, block: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """(N, D), (N,) -> for each ordered pair of pictures of one person the chance that one-shot choice is right, and its person.

    The first picture is asked about, the second is the one picture its person is known by, among `ways` people with one picture
    each. Nothing is drawn: the mean over every choice of other people and of their pictures is computed exactly (a ratio of
    elementary symmetric polynomials), so the figure has no luck in it. Others just as near count as wrong.
    """
    names, number, counts = np.unique(people, return_inverse=True, return_counts=True)
    if not 2 <= ways <= len(names):
        raise ValueError(f"found {ways} ways and {len(names)} people, expected from 2 ways to as many as there are people")
    order = np.argsort(number, kind="stable")
    vectors, number = np.asarray(vectors, np.float64)[order], number[order]
    starts = np.concatenate([[0], counts.cumsum()[:-1]])
    pairs = np.array([(a, b) for start, count in zip(starts, counts, strict=True) for a in range(start, start + count)
                      for b in range(start, start + count) if a != b], int).reshape(-1, 2)  # fmt: skip
    chances = np.empty(len(pairs))
    for start in range(0, len(pairs), block):
        asked, kept = pairs[start : start + block].T
        distances = _distances(vectors[asked], vectors)
        own = np.take_along_axis(distances, kept[:, None], 1)
        farther = np.add.reduceat((distances > own).astype(np.float64), starts, axis=1) / counts
        others = np.arange(len(names)) != number[asked][:, None]
        chances[start : start + block] = _all_chosen(farther[others].reshape(len(asked), -1), ways - 1)
    return chances, names[number[pairs[:, 0]]]


def _all_chosen(chances: np.ndarray, size: int) -> np.ndarray:
    """(N, K) -> (N,): the mean product of `size` of the K chances, over all choices of `size`.

    mean[k, j] = (k - j) / k * mean[k - 1, j] + j / k * chance[k] * mean[k - 1, j - 1], which stays within 0..1.
    """
    mean = np.zeros((len(chances), size + 1))
    mean[:, 0] = 1
    j = np.arange(1, size + 1)
    for k in range(1, chances.shape[1] + 1):
        taken = j / k * chances[:, k - 1 : k] * mean[:, :-1]
        mean[:, 1:] = np.maximum(k - j, 0) / k * mean[:, 1:] + np.where(j <= k, taken, 0)
    return mean[:, size]


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(A, D), (B, D) float64 -> (A, B) by the product; float64 keeps it good to about 1e-8 of the length."""
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))
