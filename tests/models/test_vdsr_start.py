"""VDSR's linear start."""

import pytest
import torch

from mien.models.vdsr import vdsr


def test_the_linear_start_is_linear_and_keeps_the_size_of_signals() -> None:
    torch.manual_seed(0)
    net, shown = vdsr(start="linear"), torch.rand(2, 1, 20, 20)
    assert sum(p.numel() for p in net.parameters()) == 665_921
    with torch.no_grad():
        residual = net(shown) - shown
        assert torch.allclose(net(-2 * shown) + 2 * shown, -2 * residual, atol=1e-5)  # signs included: no ReLU is felt
        assert residual.abs().mean() < 0.1 * shown.mean()  # the last layer starts small
        layers = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
        first = torch.relu(layers[0](shown))
        x = first
        for layer in layers[1:-1]:
            x = torch.relu(layer(x))
    assert float(x.norm() / first.norm()) == pytest.approx(1.0, abs=0.25)


def test_other_starts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"there is no 'cold'"):
        vdsr(start="cold")
