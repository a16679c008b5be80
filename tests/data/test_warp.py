"""Warps against hand-computed cases; similarity transforms against random ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.data.warp import compose, invert, scale_of, similarity, transform, warp

IDENTITY = np.eye(3)[:2]
NOISE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
numbers = st.floats(-50, 50)


def matrix(scale: float, angle: float, x: float, y: float) -> np.ndarray:
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cos, -sin, x], [sin, cos, y]])


matrices = st.builds(matrix, st.floats(0.1, 10), st.floats(-np.pi, np.pi), numbers, numbers)


def test_the_identity_changes_nothing() -> None:
    assert np.array_equal(warp(NOISE, IDENTITY, (50, 40)), NOISE)


def test_a_shift_by_whole_pixels_is_a_slice() -> None:
    moved = warp(NOISE, np.array([[1.0, 0, -10], [0, 1, -5]]), (20, 20))
    assert np.array_equal(moved, NOISE[5:25, 10:30])


def test_outside_the_picture_is_the_fill() -> None:
    moved = warp(NOISE, np.array([[1.0, 0, 30], [0, 1, 0]]), (80, 40), fill=7)
    assert np.array_equal(moved[:, 30:], NOISE)
    assert (moved[:, :30] == 7).all()
    assert (warp(NOISE, np.array([[1.0, 0, 999], [0, 1, 0]]), (8, 6), fill=7) == np.full((6, 8, 3), 7)).all()


def test_halving_averages_every_pixel() -> None:
    board = np.indices((32, 32)).sum(0).astype(np.uint8) % 2 * 254
    assert np.array_equal(warp(board, 0.5 * IDENTITY, (16, 16)), np.full((16, 16), 127))


@pytest.mark.parametrize("turn", [matrix(1.3, 0.4, 3, -8), matrix(0.9, 0.4, 5, -8), matrix(1.0, 0.4, 3, -8)])
def test_a_turn_puts_every_pixel_in_its_place(turn: np.ndarray) -> None:
    def scene(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 127.5 + 60 * np.sin(x / 6) + 60 * np.cos(y / 5)

    y, x = np.mgrid[:40, :50] + 0.5
    found = warp(np.round(scene(x, y)).astype(np.uint8), turn, (30, 30)).astype(float)
    rows, columns = np.mgrid[:30, :30] + 0.5
    x, y = np.moveaxis(transform(invert(turn), np.stack([columns, rows], -1)), -1, 0)
    inside = (x > 3) & (x < 47) & (y > 3) & (y < 37)
    assert inside.mean() > 0.7
    slopes = np.stack([10 * np.cos(x / 6), -12 * np.sin(y / 5), np.ones_like(x)], -1)[inside]
    dx, dy, darker = np.linalg.lstsq(slopes, (found - scene(x, y))[inside], rcond=None)[0]
    assert (dx, dy) == pytest.approx((0, 0), abs=0.02)  # pixels
    assert darker == pytest.approx(-0.5, abs=0.1)  # Pillow cuts fractions off instead of rounding


def test_it_does_not_write_into_the_picture() -> None:
    frozen = NOISE.copy()
    frozen.flags.writeable = False
    warp(frozen, matrix(0.4, 0.3, 2, 2), (10, 10))
    assert np.array_equal(frozen, NOISE)


@given(matrices)
def test_similarity_recovers_the_transform(truth: np.ndarray) -> None:
    points = np.random.default_rng(1).normal(0, 20, (12, 2))
    assert similarity(points, transform(truth, points)) == pytest.approx(truth, abs=1e-6)


@given(matrices)
def test_similarity_never_mirrors(truth: np.ndarray) -> None:
    points = np.random.default_rng(2).normal(0, 20, (12, 2))
    mirrored = transform(truth, points * [-1, 1])
    assert np.linalg.det(similarity(points, mirrored)[:, :2]) > 0


@given(matrices, matrices)
def test_transforms_compose_and_invert(first: np.ndarray, second: np.ndarray) -> None:
    points = np.random.default_rng(3).normal(0, 20, (5, 2))
    assert transform(compose(second, first), points) == pytest.approx(transform(second, transform(first, points)), abs=1e-6)
    assert compose(invert(first), first) == pytest.approx(IDENTITY, abs=1e-7)
    assert scale_of(compose(second, first)) == pytest.approx(scale_of(second) * scale_of(first))
