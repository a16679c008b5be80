"""The average face and the alignment onto it."""

import numpy as np
import pytest
from portraits import eileen, grace, needs_networks

from mien.data.warp import transform
from mien.faces.align import MEAN, MIRROR, align, alignment, window
from mien.faces.find import find


def test_the_average_face_is_its_own_mirror() -> None:
    assert MEAN[MIRROR] * [-1, 1] + [1, 0] == pytest.approx(MEAN, abs=1e-4)
    assert sorted(MIRROR) == list(range(68))
    assert np.array_equal(MIRROR[MIRROR], np.arange(68))


def test_a_wider_cover_shrinks_about_the_centre() -> None:
    assert window(100, 2.0) == pytest.approx((window(100) - 50) / 2 + 50)


def test_the_average_face_needs_no_alignment() -> None:
    assert alignment(window(80), 80) == pytest.approx(np.eye(3)[:2], abs=1e-9)


def test_expression_does_not_move_the_window() -> None:
    open_mouth = window(100).copy()
    open_mouth[[8, 57, 66]] += [0, 15]
    assert alignment(open_mouth, 100) == pytest.approx(alignment(window(100), 100))


@needs_networks
@pytest.mark.parametrize("portrait", [grace, eileen])
def test_a_face_lands_where_it_belongs(portrait) -> None:
    face = find(portrait())[0]
    crop, matrix = align(portrait(), face.landmarks, 128)
    assert crop.shape == (128, 128, 3)
    assert np.abs(transform(matrix, face.landmarks) - window(128)).mean() < 0.05 * 128
    again = find(crop)[0].landmarks
    assert np.abs(again - transform(matrix, face.landmarks)).mean() < 0.02 * 128
