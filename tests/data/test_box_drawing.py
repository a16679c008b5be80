import numpy as np
import pytest

from mien.data.box_drawing import COLOURS, colour, drawn
from mien.types import Detections

GREY = np.full((300, 400, 3), 128, np.uint8)


def painted(image: np.ndarray, tint: tuple[int, int, int]) -> np.ndarray:
    return (image == tint).all(-1)


def test_a_frame_lies_on_the_pixels_of_its_box_and_has_the_colour_of_its_class():
    image = drawn(GREY, Detections.of([[100, 120, 180, 200]], [1]), ("cat", "dog"), scores=False)
    ys, xs = np.nonzero(painted(image, COLOURS[1])[121:])
    assert (xs.min(), xs.max()) == (100, 179)
    assert ys.max() == 199 - 121
    assert (GREY == 128).all()  # the picture itself is as it was
    assert not painted(image, COLOURS[0]).any()


@pytest.mark.parametrize("factor", [0.1, 0.5, 1, 4])
def test_every_size_is_drawn(factor):
    height, width = int(300 * factor), int(400 * factor)
    boxes = np.array([[0, 0, 1, 1], [0, 0, 0.5, 0.02], [0.2, 0.2, 0.9, 0.4]]) * [width, height, width, height]
    image = drawn(np.full((height, width, 3), 128, np.uint8), Detections.of(boxes, [0, 1, 2], [0.2, 0.9, 0.5]), ("a", "b", "c" * 40))
    assert image.shape == (height, width, 3)
    assert all(painted(image, COLOURS[label]).any() for label in range(3))


def test_labels_never_cover_each_other():
    many = Detections.of([[50 + i, 100 + i, 90 + i, 140 + i] for i in range(20)], [0] * 20, np.linspace(0.9, 0.3, 20))
    both = painted(drawn(GREY, many, ("cat",)), COLOURS[0]).sum()
    assert both < 20 * painted(drawn(GREY, many.select(np.array([0])), ("cat",)), COLOURS[0]).sum()


def test_boxes_beyond_the_edge_and_none_at_all():
    assert np.array_equal(drawn(GREY, Detections.none(), ()), GREY)
    drawn(GREY, Detections.of([[-50, -20, 600, 700], [399, 299, 399.2, 299.2]], [0, 0], difficult=[True, False]), ("cat",))


def test_colours_are_all_different():
    assert len({colour(label) for label in range(80)}) == 80
