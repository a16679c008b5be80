"""From an index's candidates to the nearest people, compared by the stored vectors themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mien.gallery.types import Hit, iso

if TYPE_CHECKING:
    from mien.gallery.gallery import Gallery
    from mien.gallery.index import Index

FIRST = 32
"""Candidates asked for at first; four times as many each time they do not suffice."""


def nearest(gallery: Gallery, index: Index, queries: np.ndarray, k: int) -> list[list[Hit]]:
    """(Q, D) -> k hits each, one a person.

    An index rounds, so its order is not the last word: candidates are measured again with the stored float32 vectors, and more are
    fetched until the k-th person is nearer than any vector that was not fetched can be (its rounded distance less the index's error).
    """
    now = iso()
    some = "SELECT id FROM person WHERE keep_until = '' OR keep_until > ? LIMIT ?"
    k, count = len(gallery.store.read(some, (now, k))), max(FIRST, 2 * k)
    answers: list[list[Hit]] = [[] for _ in queries]
    exact = index.exact
    unsure = list(range(len(queries))) if k else []
    while unsure:
        rough, ids = index.search(queries[unsure], count)
        read = _read(gallery, np.unique(ids[ids >= 0]), now)
        later = []
        for place, far, some in zip(unsure, rough[:, -1], ids.tolist(), strict=True):
            best = _nearest_people(queries[place], [read[id] for id in some if id in read])[:k]
            sure = len(best) == k and (not exact or best[-1][0] < far - index.error)
            if sure or some[-1] < 0:  # the index has no more to give
                answers[place] = [_hit(gallery, distance, row) for distance, row in best]
            else:
                later.append(place)
        unsure, count = later, 4 * count
    return answers


@dataclass(frozen=True)
class Candidate:
    """A record as stored."""

    id: int
    who: int
    vector: np.ndarray
    source: bytes
    name: bytes


def _read(gallery: Gallery, ids: np.ndarray, now: str) -> dict[int, Candidate]:
    rows = gallery.rows(ids.tolist(), "r.id, r.person, r.vector, r.source, p.name",
                        "AND (p.keep_until = '' OR p.keep_until > ?)", (now,))
    return {id: Candidate(id, who, np.frombuffer(gallery.cipher.open(vector, "record", id, who, "vector"), "<f4"), source, name)
            for id, who, vector, source, name in rows}


def _nearest_people(query: np.ndarray, candidates: list[Candidate]) -> list[tuple[float, Candidate]]:
    """Each person once, nearest first; equal distances in the order of enrolment."""
    if not candidates:
        return []
    away = np.stack([each.vector for each in candidates]).astype(np.float64) - query
    distances = np.sqrt(np.einsum("nd,nd->n", away, away))
    best: dict[int, tuple[float, Candidate]] = {}
    for distance, each in sorted(zip(distances.tolist(), candidates, strict=True), key=lambda pair: (pair[0], pair[1].id)):
        best.setdefault(each.who, (distance, each))
    return list(best.values())


def _hit(gallery: Gallery, distance: float, row: Candidate) -> Hit:
    opened = gallery.cipher.open
    return Hit(opened(row.name, "person", row.who, "name").decode(), distance, row.id,
               opened(row.source, "record", row.id, row.who, "source").decode())
