"""MATLAB's YCbCr: its documented corners, and there and back."""

import pytest
import torch

from mien.nn.colour import luma, rgb, ycbcr


@pytest.mark.parametrize(
    ("colour", "wanted"),
    [((0, 0, 0), (16, 128, 128)), ((1, 1, 1), (235, 128, 128)), ((1, 0, 0), (81.481, 90.203, 240)),
     ((0, 0, 1), (40.966, 240, 109.786))],
)
def test_corners_of_the_cube(colour: tuple[int, ...], wanted: tuple[float, ...]) -> None:
    found = ycbcr(torch.tensor(colour, dtype=torch.float64).view(1, 3, 1, 1))
    assert (found * 255).flatten().tolist() == pytest.approx(wanted)


def test_there_and_back() -> None:
    x = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(rgb(ycbcr(x)), x)
    torch.testing.assert_close(ycbcr(x)[:, :1], luma(x))


def test_half_precision_around_it_does_not_round_the_colours() -> None:
    x = torch.rand(1, 3, 4, 5)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(rgb(ycbcr(x)), x, atol=1e-5, rtol=0)
