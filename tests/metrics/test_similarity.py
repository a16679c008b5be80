"""SSIM against scikit-image, PSNR by hand, masks, gradients."""

import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Generator, Tensor

from mien.metrics.similarity import gaussian, masked_mean, psnr, ssim, ssim_map

BORDER = 5  # half the window


def pictures(batch: int = 2, height: int = 40, width: int = 33) -> tuple[Tensor, Tensor]:
    """A picture and a noisy copy (B, 3, H, W), float64."""
    rng = Generator().manual_seed(0)
    clean = torch.rand(batch, 3, height, width, generator=rng, dtype=torch.float64)
    return clean, (clean + 0.2 * torch.randn(clean.shape, generator=rng, dtype=torch.float64)).clamp(0, 1)


def test_ssim_equals_scikit_image_away_from_the_borders() -> None:
    clean, noisy = pictures()
    ours = ssim_map(clean, noisy)
    for b in range(len(clean)):
        _, theirs = structural_similarity(clean[b].numpy(), noisy[b].numpy(), gaussian_weights=True, sigma=1.5,
                                          use_sample_covariance=False, data_range=1, channel_axis=0, full=True)
        inner = (slice(None), slice(BORDER, -BORDER), slice(BORDER, -BORDER))
        torch.testing.assert_close(ours[b][inner], torch.from_numpy(theirs)[inner], rtol=0, atol=1e-6)


def test_ssim_of_flat_pictures_by_hand() -> None:
    # no variance: what stays is (2 mx my + C1) / (mx^2 + my^2 + C1)
    dark, light = torch.full((1, 3, 20, 20), 0.2), torch.full((1, 3, 20, 20), 0.6)
    assert ssim(dark, light).item() == pytest.approx((2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4), abs=1e-4)


def test_ssim_of_a_picture_with_itself_is_one_and_symmetric() -> None:
    clean, noisy = pictures()
    torch.testing.assert_close(ssim(clean, clean), torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(ssim(clean, noisy), ssim(noisy, clean))
    assert (ssim(clean, noisy) < 0.95).all()


def test_ssim_does_not_mix_the_pictures_of_a_batch() -> None:
    clean, noisy = pictures()
    torch.testing.assert_close(ssim(clean, noisy)[1:], ssim(clean[1:], noisy[1:]))


def test_gaussian_window() -> None:
    window = gaussian()
    assert window.shape == (11,)
    assert window.sum().item() == pytest.approx(1, abs=1e-6)
    assert (window[5] / window[2]).item() == pytest.approx(2.718281828**2, rel=1e-5)  # 3 pixels = 2 sigma: exp(2)


def test_psnr_by_hand() -> None:
    x, y = torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 8, 8)
    y[0] += 0.1  # mean square error 0.01
    y[1, :, :, :4] += 0.1  # on one half: 0.005
    torch.testing.assert_close(psnr(x, y), torch.tensor([20.0, 23.0103]), rtol=0, atol=1e-3)


def test_psnr_of_equal_pictures_is_finite() -> None:
    x = torch.rand(1, 3, 8, 8)
    assert psnr(x, x).item() == pytest.approx(100)


def test_psnr_looks_only_inside_the_mask() -> None:
    x, y, mask = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.1), torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    y[..., 4:] = 1.0
    assert psnr(x, y, mask).item() == pytest.approx(20, abs=1e-3)
    assert psnr(x, y).item() < 5


def test_ssim_looks_only_inside_the_mask() -> None:
    clean, noisy = pictures(1)
    mask = torch.zeros(1, 1, 40, 33, dtype=torch.float64)
    mask[..., :20, :] = 1
    spoiled = noisy.clone()
    spoiled[..., 20 + BORDER :, :] = 0  # further than half a window from the mask
    torch.testing.assert_close(ssim(clean, spoiled, mask), ssim(clean, noisy, mask))
    assert abs((ssim(clean, spoiled) - ssim(clean, noisy)).item()) > 0.1


def test_masked_mean_by_hand() -> None:
    values = torch.tensor([[[[1.0, 2.0]], [[3.0, 6.0]]]])  # (1, 2, 1, 2)
    assert masked_mean(values, torch.tensor([[[[1.0, 0.0]]]])).item() == pytest.approx(2.0)
    assert masked_mean(values, torch.tensor([[[[1.0, 3.0]]]])).item() == pytest.approx((1 + 3 + 3 * (2 + 6)) / 8)
    assert masked_mean(values, torch.zeros(1, 1, 1, 2)).item() == 0  # an empty mask is not a division by zero


def test_gradients() -> None:
    rng = Generator().manual_seed(0)
    x = torch.rand(1, 1, 7, 6, generator=rng, dtype=torch.float64, requires_grad=True)
    y = torch.rand(1, 1, 7, 6, generator=rng, dtype=torch.float64)
    mask = torch.rand(1, 1, 7, 6, generator=rng, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda t: ssim(t, y, mask), x)
    assert torch.autograd.gradcheck(lambda t: psnr(t, y, mask), x)
