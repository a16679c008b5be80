import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.faces.inspected import LARGEST, crop_of, cut, looked_at, square


def test_the_margins_are_those_of_the_paper():
    # w = 100: sides 300 - 40 to 400 + 40 and 300 - 66.7 to 420 + 40, so 226.7 high; square about the middle (350, 346.7)
    assert crop_of((300, 300, 400, 420), (900, 900)) == (236, 233, 227)
    assert crop_of((300, 300, 400, 340), (900, 900)) == (260, 217, 180)  # a flat box: the width decides


def test_a_crop_of_the_right_size_is_bit_for_bit_the_picture():
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    x0, y0, side = crop_of((120, 130, 170, 200), image.shape)
    crop, scale = cut(image, (120, 130, 170, 200), side)
    assert scale == 1
    np.testing.assert_array_equal(crop, image[y0:y0 + side, x0:x0 + side])


def test_what_is_looked_at_is_the_picture_itself_in_whole_steps():
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    crop, (x0, y0, side) = looked_at(image, (120, 130, 170, 200))
    assert (side, len(crop)) == (128, 128)  # 70 + 50 / 1.5 + 50 / 2.5 = 123.3
    left, top, within = crop_of((120, 130, 170, 200), image.shape)
    assert left - 2 <= x0 <= left
    assert top - 3 <= y0 <= top
    assert x0 + side >= left + within
    np.testing.assert_array_equal(crop, image[y0:y0 + side, x0:x0 + side])


def test_only_what_is_too_large_is_resized():
    image = np.zeros((2400, 2400, 3), np.uint8)
    crop, (_, _, side) = looked_at(image, (700, 700, 1500, 1700))
    assert side > LARGEST
    assert crop.shape == (LARGEST, LARGEST, 3)


def test_resizing_keeps_positions():
    image = np.zeros((400, 400, 3), np.uint8)
    image[200:208, 240:248] = 255  # its centre: (244, 204)
    box = (200.0, 180.0, 280.0, 260.0)
    x0, y0, _ = crop_of(box, image.shape)
    crop, scale = cut(image, box, 400)
    y, x = (crop[..., 0] > 127).nonzero()
    np.testing.assert_allclose((x.mean() + 0.5, y.mean() + 0.5), ((244 - x0) * scale, (204 - y0) * scale), atol=0.25)


@given(x=st.floats(-50, 99), y=st.floats(-50, 79), width=st.floats(1, 150), height=st.floats(1, 150))
def test_beyond_the_picture_its_border_is_repeated(x: float, y: float, width: float, height: float):
    image = np.random.default_rng(1).integers(0, 256, (80, 100, 3), dtype=np.uint8)
    if x + width <= 0 or y + height <= 0:
        with pytest.raises(ValueError, match="no pixel"):
            crop_of((x, y, x + width, y + height), image.shape)
        return
    x0, y0, side = crop_of((x, y, x + width, y + height), image.shape)
    padded = np.pad(image, ((600, 600), (600, 600), (0, 0)), mode="edge")
    np.testing.assert_array_equal(square(image, x0, y0, side), padded[600 + y0:600 + y0 + side, 600 + x0:600 + x0 + side])
    assert cut(image, (x, y, x + width, y + height), 48)[0].shape == (48, 48, 3)


@pytest.mark.parametrize("box", [(10, 10, 10, 20), (200, 10, 220, 30), (30, 30, 20, 40), (float("nan"), 0, 5, 5)])
def test_an_empty_box_is_refused_in_words(box):
    with pytest.raises(ValueError, match="no pixel"):
        crop_of(box, (80, 100, 3))
