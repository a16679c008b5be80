"""Selective search: by hand, by what must hold, and on a picture of two things."""

import numpy as np
import pytest

from mien.data.selective import Region, described, grouped, joined, likeness, neighbours, selective_search, union

pytest.importorskip("skimage")
LABELS = np.array([[0, 0, 1], [0, 2, 1], [2, 2, 1]])


def test_neighbours_by_hand() -> None:
    assert neighbours(LABELS) == {0: {1, 2}, 1: {0, 2}, 2: {0, 1}}
    assert neighbours(np.array([[0, 1, 2]])) == {0: {1}, 1: {0, 2}, 2: {1}}


def test_regions_are_described() -> None:
    lab = np.random.default_rng(0).random((3, 3, 3)).astype(np.float32)
    found = described(LABELS, lab)
    assert [one.size for one in found] == [3, 3, 3]
    assert [one.box for one in found] == [(0, 0, 2, 2), (2, 0, 3, 3), (0, 1, 2, 3)]
    for one in found:
        assert one.colour.sum() == pytest.approx(1, abs=1e-5)
        assert one.texture.sum() == pytest.approx(1, abs=1e-5)


def test_likeness_by_hand() -> None:
    """The same colours and textures, two halves of a picture: 1 + 1 + 0 + 1."""
    same = np.full(4, 0.25, np.float32)
    left, right = Region(50, (0, 0, 5, 10), same, same), Region(50, (5, 0, 10, 10), same, same)
    assert likeness(left, right, 100) == pytest.approx(3)
    other = Region(50, (5, 0, 10, 10), np.array([1, 0, 0, 0], np.float32), same)
    assert likeness(left, other, 100) == pytest.approx(2.25)
    assert union(left, right).size == 100
    assert joined(left.box, right.box) == (0, 0, 10, 10)


def test_grouping_ends_with_the_whole_picture() -> None:
    lab = np.random.default_rng(0).random((3, 3, 3)).astype(np.float32)
    boxes = [*grouped(LABELS, lab)]
    assert len(boxes) == 2 * 3 - 1  # three regions, two unions
    assert boxes[-1] == (0, 0, 3, 3)


def test_two_things_are_proposed() -> None:
    image = np.full((60, 80, 3), 200, np.uint8)
    image[10:30, 10:30] = (200, 30, 30)
    image[25:50, 40:70] = (20, 60, 160)
    boxes = selective_search(image, (50.0,), sigma=0.3).tolist()
    assert [10, 10, 30, 30] in boxes
    assert [40, 25, 70, 50] in boxes
    assert boxes[0] == [0, 0, 80, 60]
    assert len({*map(tuple, boxes)}) == len(boxes)


def test_a_picture_of_one_line() -> None:
    assert selective_search(np.zeros((1, 9, 3), np.uint8)).tolist() == [[0, 0, 9, 1]]
