"""The index against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.gallery import index as module
from mien.gallery.index import Cells, Exact, Index


def structured(people: int, each: int, size: int, seed: int = 0) -> np.ndarray:
    """(people * each, size) float32 around a curved surface of four dimensions."""
    draw = np.random.default_rng(seed)
    surface = draw.normal(size=(4, size))
    latent = draw.normal(size=(people, 1, 4)) + 0.05 * draw.normal(size=(people, each, 4))
    return np.tanh(latent.reshape(-1, 4) @ surface).astype(np.float32)


def distances(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(queries[:, None].astype(np.float64) - vectors[None], axis=2)


@given(st.integers(0, 2**31), st.floats(0.01, 100), st.integers(1, 3))
def test_rounding_never_moves_a_distance_by_more_than_the_bound(seed: int, scale: float, blocks: int) -> None:
    draw = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", 64)
        vectors = (scale * draw.normal(size=(64 * blocks + 7, 12)) * draw.uniform(0.1, 3, 12)).astype(np.float32)
        index = Exact(12)
        index.add(np.arange(len(vectors)) + 1000, vectors)
        near, ids = index.search(vectors[:5] + np.float32(0.1 * scale), 10)
        true = distances(vectors[:5] + np.float32(0.1 * scale), vectors)
        np.testing.assert_array_less(np.abs(near - np.take_along_axis(true, ids - 1000, axis=1)), index.error)
        assert (near[:, 1:] >= near[:, :-1]).all()
        # nobody left out is nearer than the last one given, less the bound
        true[np.arange(5)[:, None], ids - 1000] = np.inf
        assert (true.min(1) >= near[:, -1] - index.error).all()
        assert len(index) == len(vectors)


@pytest.fixture(params=["exact", "cells"])
def filled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Index, np.ndarray]:
    monkeypatch.setattr(module, "BLOCK", 512)
    vectors = structured(1000, 4, 24)
    index = Exact(24) if request.param == "exact" else Cells(vectors, len(vectors))
    index.add(np.arange(len(vectors)), vectors)
    return index, vectors


def test_the_nearest_is_found(filled: tuple[Index, np.ndarray]) -> None:
    index, vectors = filled
    queries = vectors[::40] + np.random.default_rng(1).normal(size=(100, 24)).astype(np.float32) * 0.01
    _, ids = index.search(queries, 8)
    truth = distances(queries, vectors).argmin(1)
    assert (ids == truth[:, None]).any(1).mean() >= 0.99


def test_removed_vectors_are_never_found_again(filled: tuple[Index, np.ndarray]) -> None:
    index, vectors = filled
    gone = np.array([0, 511, 512, 3999, 7777])
    assert index.remove(gone) == 4
    assert index.remove(gone) == 0
    assert len(index) == 3996
    _, ids = index.search(vectors[[0, 511, 512, 3999]], 50)
    assert not np.isin(ids, gone).any()
    index.add(np.array([9000]), vectors[:1])
    assert index.search(vectors[:1], 1)[1].item() == 9000


def test_fewer_than_asked_for_are_filled_up() -> None:
    index = Exact(3)
    assert index.search(np.zeros((2, 3), np.float32), 2)[1].tolist() == [[-1, -1], [-1, -1]]
    index.add(np.array([5]), np.ones((1, 3), np.float32))
    near, ids = index.search(np.zeros((1, 3), np.float32), 2)
    assert ids.tolist() == [[5, -1]]
    np.testing.assert_allclose(near, [[np.sqrt(3), np.inf]])


def test_a_whole_block_removed_leaves_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 4)
    index = Exact(2)
    vectors = np.arange(20, dtype=np.float32).reshape(10, 2)
    index.add(np.arange(10), vectors)
    assert index.remove(np.arange(8)) == 8
    assert index.search(vectors[:1], 3)[1].tolist() == [[8, 9, -1]]
