"""Masks of the average face, by hand."""

import numpy as np

from mien.faces.align import MEAN, window
from mien.faces.mask import FACE, FEATURE, OUTSIDE, face_mask, outline, weight_map

POINTS = window(200)


def at(mask: np.ndarray, point: np.ndarray) -> int:
    x, y = point.astype(int)
    return int(mask[y, x])


def test_the_mask_holds_the_features_and_no_corner() -> None:
    mask = face_mask(POINTS, (200, 200))
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 255}
    assert all(at(mask, point) == 255 for point in POINTS[17:])
    assert mask[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() == [0] * 4


def test_a_higher_forehead_only_adds() -> None:
    low, high = face_mask(POINTS, (200, 200), 0.2), face_mask(POINTS, (200, 200), 0.6)
    assert (high >= low).all()
    assert high.sum() > low.sum()


def test_the_outline_is_a_ring_around_the_points() -> None:
    ring = outline(MEAN)
    assert ring.shape == (27, 2)
    x, y = ring.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert 0.35 < area < 0.6


def test_weights_rise_from_background_to_features() -> None:
    weights = weight_map(POINTS, (200, 200))
    assert at(weights, np.array([2, 2])) == OUTSIDE
    assert at(weights, POINTS[30]) == FACE
    assert at(weights, POINTS[36:42].mean(0)) == at(weights, POINTS[62]) == FEATURE


def test_a_closed_eye_weighs_as_much_as_an_open_one() -> None:
    closed = POINTS.copy()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        closed[[upper, lower]] = (POINTS[upper] + POINTS[lower]) / 2
    assert np.array_equal(weight_map(closed, (200, 200)), weight_map(POINTS, (200, 200)))


def test_faces_may_lie_outside_the_picture() -> None:
    assert (face_mask(POINTS + 500, (100, 80)) == np.zeros((80, 100))).all()
