import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data import box_augment as aug
from mien.types import Detections

SIDES = st.integers(24, 60)


@st.composite
def painted(draw):
    """A black picture with one white rectangle, and its box."""
    height, width = draw(SIDES), draw(SIDES)
    x1, y1 = draw(st.integers(0, width - 8)), draw(st.integers(0, height - 8))
    x2, y2 = draw(st.integers(x1 + 6, width)), draw(st.integers(y1 + 6, height))
    image = np.zeros((height, width, 3), np.uint8)
    image[y1:y2, x1:x2] = 255
    return image, Detections.of([[x1, y1, x2, y2]], [3], difficult=[True])


def extent(image: np.ndarray) -> list[float]:
    """The box around what is white."""
    white = image[..., 0] > 127
    (ys,), (xs,) = np.nonzero(white.any(1)), np.nonzero(white.any(0))
    return [xs[0], ys[0], xs[-1] + 1, ys[-1] + 1]


@pytest.mark.parametrize("move", [aug.mirrored, aug.upside_down, aug.quarter_turned])
@given(seen=painted())
@settings(max_examples=30)
def test_turned_pictures(move, seen):
    image, truth = move(*seen)
    assert truth.boxes[0].tolist() == extent(image)
    assert (truth.labels[0], truth.difficult[0]) == (3, True)


@given(seen=painted(), times=st.sampled_from([("mirrored", 2), ("upside_down", 2), ("quarter_turned", 4)]))
def test_turned_all_the_way_nothing_has_changed(seen, times):
    image, truth = seen
    for _ in range(times[1]):
        image, truth = getattr(aug, times[0])(image, truth)
    assert np.array_equal(image, seen[0])
    assert np.array_equal(truth.boxes, seen[1].boxes)


@given(seen=painted(), data=st.data())
def test_a_cut_keeps_what_is_inside(seen, data):
    image, truth = seen
    height, width = image.shape[:2]
    x1, y1 = data.draw(st.integers(0, width - 4)), data.draw(st.integers(0, height - 4))
    window = x1, y1, data.draw(st.integers(x1 + 3, width)), data.draw(st.integers(y1 + 3, height))
    part, kept = aug.cut(image, truth, window, keep=0.5)
    share = (part[..., 0] > 0).sum() / (image[..., 0] > 0).sum()
    if len(kept):
        assert kept.boxes[0].tolist() == extent(part)
        assert share >= 0.5
    else:
        assert share < 0.5 or min(np.diff(np.reshape(extent(part), (2, 2)), axis=0)[0]) < aug.LEAST


@given(seen=painted(), height=st.integers(20, 120), width=st.integers(20, 120))
def test_another_size(seen, height, width):
    image, truth = aug.resized(*seen, height, width)
    assert image.shape == (height, width, 3)
    assert np.allclose(truth.boxes[0], extent(image), atol=1.0)


@given(seen=painted(), left=st.integers(-30, 30), top=st.integers(-30, 30))
def test_laid_on_a_canvas(seen, left, top):
    canvas, kept = aug.laid(*seen, 50, 70, left, top, keep=0)
    assert canvas.shape == (50, 70, 3)
    if len(kept):
        assert kept.boxes[0].tolist() == extent(canvas)
    else:
        assert (canvas[..., 0] > 127).sum(0).max(initial=0) < 2 or (canvas[..., 0] > 127).sum(1).max(initial=0) < 2


@given(four=st.lists(painted(), min_size=4, max_size=4), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_mosaic(four, seed):
    canvas, truth = aug.mosaic(four, 64, 80, np.random.default_rng(seed), keep=0)
    assert canvas.shape == (64, 80, 3)
    mask = np.zeros((64, 80), bool)
    for x1, y1, x2, y2 in truth.boxes.astype(int):
        assert (canvas[y1:y2, x1:x2] == 255).all()
        mask[y1:y2, x1:x2] = True
    assert ((canvas[..., 0] == 255) & ~mask).sum() <= 4 * 80  # only slivers below two pixels have lost their box


@given(seen=painted(), seed=st.integers(0, 999))
def test_everything_together(seen, seed):
    moves = aug.Moves(0.5, 0.5, 0.5, crop=0.7, window=(0.4, 1), zoom=(0.5, 2), colour=0.2)
    image, truth = aug.augmented(*seen, moves, np.random.default_rng(seed))
    if len(truth) and extent(image)[2] - extent(image)[0] > 3:
        assert np.allclose(truth.boxes[0], extent(image), atol=1.5)
    again, same = aug.augmented(*seen, moves, np.random.default_rng(seed))
    assert np.array_equal(image, again)
    assert np.array_equal(truth.boxes, same.boxes)


def test_a_picture_with_nothing_in_it():
    rng = np.random.default_rng(0)
    moves = aug.Moves(1, 1, 1, crop=1, zoom=(0.5, 0.5), colour=0.3)
    image, truth = aug.augmented(np.full((20, 30, 3), 200, np.uint8), Detections.none(), moves, rng)
    assert image.ndim == 3
    assert len(truth) == 0
    assert len(aug.joined([])) == 0


def test_colours_change_and_places_do_not():
    image = np.zeros((10, 10, 3), np.uint8)
    image[2:5, 3:7] = (200, 100, 50)
    changed = aug.recoloured(image, 0.3, np.random.default_rng(1))
    assert not np.array_equal(changed, image)
    assert np.ptp(changed[2:5, 3:7], axis=(0, 1)).tolist() == [0, 0, 0]
    assert np.array_equal(aug.recoloured(image, 0.0, np.random.default_rng(1)), image)
