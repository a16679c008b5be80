"""Selective search: by hand, by what must hold, and on a picture of two things."""

import numpy as np
import pytest

from mien.data.selective import Regions, binned, described, grouped, likeness, neighbours, selective_search, unite

pytest.importorskip("skimage")
LABELS = np.array([[0, 0, 1], [0, 2, 1], [2, 2, 1]])
BINS = binned(np.random.default_rng(0).random((3, 3, 3)).astype(np.float32))


def test_neighbours_by_hand() -> None:
    assert neighbours(LABELS) == {0: {1, 2}, 1: {0, 2}, 2: {0, 1}}
    assert neighbours(np.array([[0, 1, 2]])) == {0: {1}, 1: {0, 2}, 2: {1}}


def test_regions_are_described() -> None:
    found = described(LABELS, BINS)
    assert found.sizes.tolist() == [3, 3, 3, 0, 0]  # and room for two unions
    assert found.boxes[:3].tolist() == [[0, 0, 2, 2], [2, 0, 3, 3], [0, 1, 2, 3]]
    assert found.looks[:3, :75].sum(1) == pytest.approx(1, abs=1e-5)
    assert found.looks[:3, 75:].sum(1) == pytest.approx(1, abs=1e-5)


def test_likeness_by_hand() -> None:
    """The same colours and textures, two halves of a picture: 1 + 1 + 0 + 1; a quarter of one histogram in common: 0.75 less."""
    same, other = np.full(8, 0.25), np.array([1, 0, 0, 0, *[0.25] * 4])
    boxes = np.array([[0, 0, 5, 10], [5, 0, 10, 10], [5, 0, 10, 10], [0, 0, 0, 0]])
    regions = Regions(np.array([50, 50, 50, 0]), boxes, np.array([same, same, other, same * 0]))
    assert likeness(regions, np.array([0, 0]), np.array([1, 2]), 100) == pytest.approx([3, 2.25])
    unite(regions, 0, 2, 3)
    assert regions.sizes[3] == 100
    assert regions.boxes[3].tolist() == [0, 0, 10, 10]
    assert regions.looks[3, :4] == pytest.approx([0.625, 0.125, 0.125, 0.125])


def test_grouping_ends_with_the_whole_picture() -> None:
    boxes = [*grouped(LABELS, BINS)]
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


def test_one_colour_is_one_region() -> None:
    assert selective_search(np.full((20, 30, 3), 7, np.uint8)).tolist() == [[0, 0, 30, 20]]


def test_a_picture_of_one_line() -> None:
    assert selective_search(np.zeros((1, 9, 3), np.uint8)).tolist() == [[0, 0, 9, 1]]
