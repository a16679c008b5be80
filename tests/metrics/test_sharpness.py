"""Sharpness on pictures whose spectrum is known."""

import math

import pytest
import torch
from torch import Tensor

from mien.metrics.sharpness import fine_detail, radial_spectrum
from mien.metrics.similarity import blur


def wave(cycles: int, side: int = 64) -> Tensor:
    """(1, 3, S, S) grey, so many cycles across."""
    line = 0.5 + 0.4 * torch.cos(2 * math.pi * cycles * torch.arange(side) / side)
    return line.expand(1, 3, side, side)


def noise(count: int = 4, side: int = 64) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("cycles", [4, 12, 25])
def test_a_wave_is_at_its_frequency(cycles: int) -> None:
    for picture in (wave(cycles), wave(cycles).mT):
        assert int(radial_spectrum(picture)[0].argmax()) + 1 == cycles


def test_noise_is_white() -> None:
    """Alike at all frequencies, and as strong as its brightness varies: (0.299^2 + 0.587^2 + 0.114^2) / 12."""
    found = radial_spectrum(noise(32)).mean(0)
    assert found.tolist()[2:] == pytest.approx([(0.299**2 + 0.587**2 + 0.114**2) / 12] * 30, rel=0.25)


def test_a_blurred_picture_lacks_what_the_blur_takes() -> None:
    """A Gaussian of sigma pixels leaves exp(-(2 pi f sigma)^2) of the power at f cycles a pixel."""
    sharp = noise(16)
    soft = blur(sharp, 11, 1.0)
    ratio = radial_spectrum(soft).mean(0) / radial_spectrum(sharp).mean(0)
    for k in (4, 8, 12):
        assert float(ratio[k - 1]) == pytest.approx(math.exp(-((2 * math.pi * k / 64) ** 2)), rel=0.15)
    share, apart = fine_detail(soft, sharp)
    assert share < 0.05
    assert apart > 5
    assert fine_detail(blur(sharp, 11, 0.5), sharp)[0] > share
    assert fine_detail(sharp, sharp) == pytest.approx((1, 0))


def test_what_is_masked_does_not_count() -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1
    changed = noise(1)
    changed[..., :16, :] = 1
    torch.testing.assert_close(radial_spectrum(changed, mask), radial_spectrum(noise(1), mask))
    flat = torch.full((1, 3, 64, 64), 0.7)
    assert float(radial_spectrum(flat, mask).max()) < 1e-8


def test_only_square_pictures() -> None:
    with pytest.raises(ValueError, match="expected square"):
        radial_spectrum(torch.zeros(1, 3, 8, 9))
