"""MATLAB's bicubic: rows computed by hand, borders, tiles, and what `imresize` keeps."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mien.data.resize import REACH, cropped, enlarge, keys, resize, resize_pixels


def test_halving_weighs_eight_pixels_as_the_stretched_kernel_does() -> None:
    # Keys at 1/4, 3/4, 5/4, 7/4, halved: 111/256, 29/256, -9/256, -3/256
    row = torch.zeros(1, 16, dtype=torch.float64)
    row[0, 8] = 256
    found = resize(row.expand(16, 16), 0.5)[4]
    assert found.tolist() == pytest.approx([0, 0, -3, 29, 111, -9, 0, 0])


def test_doubling_weighs_four_pixels() -> None:
    # at a quarter of a pixel: Keys at 7/4, 3/4, 1/4, 5/4 = -3/128, 29/128, 111/128, -9/128
    row = torch.zeros(6, 6, dtype=torch.float64)
    row[:, 3] = 128
    assert resize(row, 2.0)[5].tolist() == pytest.approx([0, 0, 0, -3, -9, 29, 111, 111, 29, -9, -3, 0])


def test_borders_are_mirrored() -> None:
    row = torch.tensor([[1.0, 0, 0, 0]], dtype=torch.float64)
    # the first new pixel lies a quarter of a pixel outside: Keys at 1/4 for itself and at 3/4 for its mirror image
    assert resize(row.expand(4, 4), 2.0)[0, 0].item() == pytest.approx((111 + 29) / 128)


def test_the_kernel_is_one_at_zero_and_none_at_whole_numbers() -> None:
    assert keys(np.array([0.0, 1.0, 2.0, 3.0, -1.0, 0.5])).tolist() == pytest.approx([1, 0, 0, 0, 0, 0.5625])


@given(st.integers(3, 40), st.sampled_from([0.25, 1 / 3, 0.5, 0.7, 1.3, 2.0, 3.0]))
def test_a_flat_picture_stays_flat_and_sizes_are_rounded_up(length: int, scale: float) -> None:
    found = resize(torch.full((length, 5), 0.3, dtype=torch.float64), scale)
    assert found.shape == (int(np.ceil(length * scale)), int(np.ceil(5 * scale)))
    torch.testing.assert_close(found, torch.full_like(found, 0.3))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("shape", [(2, 3, 7, 9), (1, 1, 2, 2), (1, 2, 1, 5), (1, 1, 1, 1)])
def test_enlarging_is_resizing(shape: tuple[int, ...], scale: int) -> None:
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(enlarge(x, scale), resize(x, scale))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_tile_with_its_reach_around_it_gives_what_the_whole_gives(scale: int) -> None:
    x = torch.rand(1, 2, 20, 22, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole, part = enlarge(x, scale), enlarge(x[..., 5:15, 6:18], scale)
    inside = slice(REACH * scale, -REACH * scale)
    wanted = whole[..., 5 * scale:15 * scale, 6 * scale:18 * scale]
    torch.testing.assert_close(part[..., inside, inside], wanted[..., inside, inside])


def test_pixels_are_rounded_after_each_direction() -> None:
    image = np.zeros((4, 4), np.uint8)
    image[1, 1] = 3
    # rows: 3 * 111/128 = 2.6 -> 3; then columns: 3 * 111/128 -> 3; in one go 3 * (111/128)^2 = 2.26 would be 2
    assert resize_pixels(image, 2.0)[2, 2] == 3
    assert resize_pixels(np.full((3, 3, 3), 255, np.uint8), 2.0).max() == 255


def test_what_the_scale_does_not_divide_is_cut_off() -> None:
    assert cropped(np.zeros((11, 7, 3)), 4).shape == (8, 4, 3)


@pytest.mark.parametrize(("shape", "scale"), [((0, 4), 2.0), ((4, 4), 0.0), ((4, 4), -1.0)])
def test_nothing_and_no_scale_are_refused(shape: tuple[int, int], scale: float) -> None:
    with pytest.raises(ValueError, match="cannot resize"):
        resize(torch.zeros(shape), scale)


def test_half_precision_around_it_does_not_round_the_picture() -> None:
    x = torch.rand(1, 1, 6, 7)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(enlarge(x, 2), resize(x, 2), atol=1e-5, rtol=0)
