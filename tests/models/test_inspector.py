"""mien's own inspector: sizes, cost, meaning of its outputs; it is the same alone, in a batch, fused and reloaded."""

import math
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from mien.models.drn import drn_c_26, drn_c_26_field
from mien.models.inspector import Inspector, Residuals, high_pass
from mien.nn.fuse import fused
from mien.nn.trace import trace


def small() -> Inspector:
    torch.manual_seed(0)
    return Inspector((16, 8, 16, 16))


def worn(net: nn.Module) -> nn.Module:
    """As if trained: batch norms and the zero layer hold something."""
    rng = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in ((module.weight.data, 0.5, 1.5), (module.running_mean, -0.5, 0.5), (module.running_var, 0.5, 2)):
                tensor.uniform_(low, high, generator=rng)
    net.told.weight.data.normal_(0, 0.1, generator=rng)
    return net.eval()


def test_sizes_and_cost() -> None:
    """Under 8 MB; a fiftieth of the multiplications of the two networks it stands for."""
    with torch.device("meta"):
        net = Inspector().eval()
        assert sum(p.numel() for p in net.parameters()) == 798_023
        for side in (400, 208, 64):
            told = net(torch.empty(2, 3, side, side))
            assert [part.shape for part in told] == [(2, 3), (2, 2, side, side), (2, 1, side, side), (2, 1, side, side)]
        shape = (3, 400, 400)
        reference = sum(trace(build().eval(), shape).macs for build in (partial(drn_c_26, 3), drn_c_26_field))
        mine = trace(net, shape, net.coarse).macs
    assert mine < 0.8e9
    assert reference > 50 * mine


def test_every_parameter_gets_a_gradient() -> None:
    net = worn(small()).train()  # else the residual blocks are closed and the field is zero
    told = net(torch.rand(2, 3, 64, 64))
    (told.logits.square().sum() + told.field.square().sum() + told.reliability.square().sum() + told.moved.square().sum()).backward()
    assert not [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]


@torch.no_grad()
def test_alone_in_a_batch_fused_and_reloaded_it_says_the_same(tmp_path: Path) -> None:
    net = worn(small())
    x = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    expected = net(x)
    assert expected.field.std() > 0.01
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    other = Inspector((16, 8, 16, 16)).eval()
    other.load_state_dict(load_file(tmp_path / "net.safetensors"))
    for told in (other(x), fused(other)(x)):
        for mine, theirs in zip(told, expected, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4)
    for mine, theirs in zip(net(x[1:2]), expected, strict=True):
        torch.testing.assert_close(mine, theirs[1:2], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("expected", [0.1, 1.0, 5.0])
@torch.no_grad()
def test_reliability_is_the_chance_of_an_error_below_a_pixel(expected: float) -> None:
    """Errors of mean e that fall off exponentially lie below 1 in 1 - exp(-1 / e) of the cases."""
    net = small().eval()
    net.told.bias.data[2] = math.log(expected)
    told = net(torch.rand(1, 3, 64, 64)).reliability.sigmoid()
    torch.testing.assert_close(told, torch.full_like(told, 1 - math.exp(-1 / expected)))


def test_residuals_are_blind_to_slopes_and_see_detail_fade() -> None:
    """Second differences of a ramp are 0, first ones its slope; averaging neighbours, as interpolation does, weakens noise."""
    kernels = high_pass()[:, 0]
    assert kernels.sum((1, 2)).abs().max() < 1e-6
    ramp = torch.arange(16.0).expand(1, 3, 16, 16) * 0.002
    left = Residuals()(ramp)[0, :, 4:12, 4:12]
    torch.testing.assert_close(left[0], torch.full((8, 8), 0.02), atol=1e-5, rtol=0)
    assert left[1:].abs().max() < 1e-4
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.1
    soft = (noise + noise.roll((1, 1), (2, 3))) / 2
    assert (Residuals()(soft).abs().mean((0, 2, 3)) < 0.95 * Residuals()(noise).abs().mean((0, 2, 3))).all()


def test_residuals_are_not_rounded_to_bf16() -> None:
    x, residuals = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)), Residuals()
    with torch.autocast("cpu", torch.bfloat16):
        found = residuals(x)
    assert torch.equal(found, residuals(x))
