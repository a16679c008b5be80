"""PSNR and SSIM as the papers on super-resolution compute them."""

import math

import numpy as np
import pytest

from mien.metrics.restoration import Protocol, psnr_y, ssim_y


def test_psnr_of_a_known_error_inside_the_border() -> None:
    truth = np.full((12, 12), 100.0)
    told = truth + 5
    told[:2] = 0  # does not count
    told[:, -2:] = 255
    told[-2:] = told[:, :2] = 0
    assert psnr_y(told, truth, 2) == pytest.approx(20 * math.log10(255 / 5))
    assert psnr_y(truth, truth, 0) == math.inf


def test_ssim_is_that_of_scikit_image_over_whole_windows() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    random = np.random.default_rng(0)
    truth = random.uniform(16, 235, (40, 33)).round()
    told = (truth + random.normal(0, 12, truth.shape)).clip(0, 255).round()
    # scikit-image cuts its truncated Gaussian off at 3.5 deviations: 11 pixels, as the paper has
    wanted, per_pixel = metrics.structural_similarity(told, truth, data_range=255, gaussian_weights=True, sigma=1.5,
                                                      use_sample_covariance=False, full=True)  # fmt: skip
    assert ssim_y(told, truth, 0) == pytest.approx(per_pixel[5:-5, 5:-5].mean(), abs=1e-6)
    assert wanted == pytest.approx(per_pixel[5:-5, 5:-5].mean(), abs=1e-6)


def test_pictures_without_a_window_have_no_ssim_and_those_without_pixels_no_psnr() -> None:
    assert math.isnan(ssim_y(np.zeros((10, 30)), np.ones((10, 30)), 0))
    with pytest.raises(ValueError, match="too few"):
        psnr_y(np.zeros((4, 30)), np.ones((4, 30)), 2)


def test_a_protocol_says_itself() -> None:
    assert "3 pixels of each border" in str(Protocol(3))
