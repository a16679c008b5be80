"""The detectors' grids, letterbox and suppression."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from portraits import grace, needs_networks

from mien.faces import blaze


@pytest.mark.parametrize(("name", "count"), [("blazeface-short", 896), ("blazeface-back", 896), ("blazeface-full", 2304)])
def test_anchor_counts_are_the_papers(name: str, count: int) -> None:
    anchors = blaze.anchors(name)
    assert anchors.shape == (count, 2)
    assert (anchors > 0).all()
    assert (anchors < 1).all()
    assert anchors.mean(0) == pytest.approx([0.5, 0.5])


def test_letterbox_keeps_the_proportions() -> None:
    image = np.full((50, 100, 3), 255, np.uint8)
    canvas, scale, corner = blaze.letterbox(image, 64)
    assert canvas.shape == (1, 64, 64, 3)
    assert scale == 100 / 64
    assert corner.tolist() == [0, 16]
    assert (canvas[0, 16:48] == 1).all()
    assert (canvas[0, :16] == -1).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (8, 8)])
def test_letterbox_takes_any_shape(shape: tuple[int, int]) -> None:
    assert blaze.letterbox(np.zeros((*shape, 3), np.uint8), 128)[0].shape == (1, 128, 128, 3)


def test_overlap_by_hand() -> None:
    boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]], float)
    assert blaze.overlap(boxes[:1], boxes) == pytest.approx(np.array([[1, 1 / 3, 0]]))


def test_suppression_keeps_the_best_of_a_heap() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], float)
    assert blaze.suppress(boxes, np.array([0.6, 0.9, 0.7])).tolist() == [1, 2]
    assert blaze.suppress(np.zeros((0, 4)), np.zeros(0)).tolist() == []


@needs_networks
@pytest.mark.parametrize("name", list(blaze.GRIDS))
def test_every_network_sees_the_portrait(name: str) -> None:
    boxes, points, scores = blaze.detect(name, grace(), 0.5)
    best = scores.argmax()
    x1, y1, x2, y2 = boxes[best]
    assert x1 < 130 < x2
    assert y1 < 130 < y2
    right, left, nose, mouth = points[best, :4]
    assert right[0] < nose[0] < left[0]
    assert right[1] < nose[1] < mouth[1]


@needs_networks
def test_threads_do_not_mix_their_pictures() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.uniform(-1, 1, (1, 128, 128, 3)).astype(np.float32) for _ in range(40)]
    alone = [blaze.run("blazeface-short", picture) for picture in pictures]
    errors = os.fstat(2)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda picture: blaze.run("blazeface-short", picture), pictures))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    assert os.path.samestat(os.fstat(2), errors)  # not left pointing nowhere by two threads that load at once
