"""The speed network: what its first layer does to patches, what it hands on, what stays fixed."""

import pytest
import torch
from torch.nn import functional as F

from mien.models.speed import FitsInputs, Whitening, conv, speednet


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    """Noise that is smooth from pixel to pixel: patches are correlated."""
    torch.manual_seed(0)
    return F.avg_pool2d(torch.randn(64, 3, 20, 20), 3, 1) * torch.tensor([1.0, 2.0, 0.5]).view(1, 3, 1, 1)


def test_patches_come_out_uncorrelated(images: torch.Tensor) -> None:
    layer = Whitening()
    layer.fit(images, eps=0.0)
    with torch.no_grad():
        out = layer(images).permute(0, 2, 3, 1).reshape(-1, 24)
    half, mirrored = out[:, :12], out[:, 12:]
    torch.testing.assert_close(half.T @ half / len(half), torch.eye(12), atol=1e-3, rtol=0)
    torch.testing.assert_close(mirrored, -half)


def test_convolution_starts_by_handing_on() -> None:
    layer, x = conv(4, 6), torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(layer(x)[:, :4], x)


def test_fixed_and_learned_parameters(images: torch.Tensor) -> None:
    net = speednet(classes=7, widths=(8, 8, 8))
    assert isinstance(net, FitsInputs)
    net.fit_inputs(images)
    before = net.whiten.weight.clone()
    net(images).square().sum().backward()
    silent = [name for name, p in net.named_parameters() if p.requires_grad and p.grad is None]
    assert not silent
    assert net.whiten.weight.grad is None
    assert torch.equal(net.whiten.weight, before)
    fixed = sum(p.numel() for p in speednet().parameters() if not p.requires_grad)
    assert (sum(p.numel() for p in speednet().parameters()), fixed) == (1_972_792, 1_440)


def test_alone_as_in_a_batch_and_any_size(images: torch.Tensor) -> None:
    torch.manual_seed(1)
    net = speednet(widths=(8, 8, 8)).eval()
    torch.testing.assert_close(net(images)[:1], net(images[:1]), rtol=1e-4, atol=1e-5)
    assert net(torch.randn(2, 3, 47, 33)).shape == (2, 10)
