"""The quick convolutions against torch's own."""

import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from mien.models.swap import SwapNet
from mien.nn.winograd import Quick, quicken, served, winograd

KINDS = [(3, 1), (5, 2)]  # kernel, stride


def operands(kernel: int, size: tuple[int, int], dtype: torch.dtype = torch.float64) -> list[Tensor]:
    rng = Generator().manual_seed(0)
    shapes = ((2, 3, *size), (4, 3, kernel, kernel), (4,))
    return [torch.randn(shape, generator=rng, dtype=dtype).requires_grad_() for shape in shapes]


@pytest.mark.parametrize(("kernel", "stride"), KINDS)
@pytest.mark.parametrize("size", [(4, 4), (4, 8), (16, 12)])
def test_equals_torch_forward_and_in_all_gradients(kernel: int, stride: int, size: tuple[int, int]) -> None:
    inputs = operands(kernel, size)
    exact = F.conv2d(*inputs, stride=stride, padding=kernel // 2)
    ours = winograd(*inputs)
    torch.testing.assert_close(ours, exact)
    pull = torch.randn(exact.shape, dtype=exact.dtype, generator=Generator().manual_seed(1))
    for a, b in zip(torch.autograd.grad(ours, inputs, pull), torch.autograd.grad(exact, inputs, pull), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("kernel", [3, 5])
def test_gradients(kernel: int) -> None:
    assert torch.autograd.gradcheck(winograd, operands(kernel, (4, 4)))


@pytest.mark.parametrize(("kernel", "stride"), KINDS)
def test_error_in_bf16_is_small(kernel: int, stride: int) -> None:
    rng = Generator().manual_seed(0)
    x = torch.randn(2, 64, 16, 16, generator=rng)
    weight, bias = torch.randn(64, 64, kernel, kernel, generator=rng) / (8 * kernel), torch.zeros(64)
    exact = F.conv2d(x, weight, bias, stride, kernel // 2)
    ours = winograd(x.bfloat16(), weight, bias).float()
    assert ((ours - exact).norm() / exact.norm()).item() < 0.01


def pair(**options: int) -> tuple[nn.Sequential, nn.Sequential]:
    """The same network twice; the second made quick."""
    torch.manual_seed(0)
    plain, quick = (
        nn.Sequential(nn.Conv2d(4, 8, 5, 2, 2), nn.ReLU(), nn.Sequential(nn.Conv2d(8, 8, 3, padding=1))) for _ in "ab"
    )
    quick.load_state_dict(plain.state_dict())
    quicken(quick, **options)
    return plain, quick


def test_quicken_keeps_parameters_and_their_names() -> None:
    torch.manual_seed(0)
    net = SwapNet("a", "original")
    before = dict(net.named_parameters())
    assert quicken(net) is net
    after = dict(net.named_parameters())
    assert list(before) == list(after)
    assert all(before[name] is after[name] for name in before)
    assert sum(isinstance(m, Quick) for m in net.modules()) == 7  # not the first from RGB, not the last to RGB


def test_quick_way_is_taken_under_bf16_autocast_only() -> None:
    plain, quick = pair(channels=4)
    x = torch.rand(2, 4, 8, 8)
    assert torch.equal(plain(x), quick(x))
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = quick(x), plain(x)
    assert "Winograd" in type(ours.grad_fn).__name__
    torch.testing.assert_close(ours.float(), theirs.float(), rtol=0, atol=0.02)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert torch.equal(plain(x), quick(x))


def test_odd_sizes_go_the_plain_way() -> None:
    plain, quick = pair(channels=4)
    x = torch.rand(2, 4, 10, 14)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(plain(x), quick(x))


def test_gradients_reach_the_weights_in_their_own_type() -> None:
    plain, quick = pair(channels=4)
    x = torch.rand(2, 4, 8, 8)
    for net in (plain, quick):
        with torch.autocast("cpu", torch.bfloat16):
            y = net(x)
        y.float().square().mean().backward()
    for ours, theirs in zip(quick.parameters(), plain.parameters(), strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert ours.grad.dtype == torch.float32
        assert ((ours.grad - theirs.grad).norm() / theirs.grad.norm()).item() < 0.03


@pytest.mark.parametrize("conv", [
    nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 5, padding=2), nn.Conv2d(8, 8, 3, padding=1, groups=2),
    nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"), nn.Conv2d(8, 8, 1),
], ids=str)  # fmt: skip
def test_other_convolutions_are_left_alone(conv: nn.Conv2d) -> None:
    assert not served(conv)
    net = quicken(nn.Sequential(conv), channels=1)
    assert net[0] is conv


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_freed_memory_is_used_again() -> None:
    code = ("import resource, sys, torch; from mien.nn.memory import keep_freed_memory\n"
            "kept = keep_freed_memory()\n"
            "def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
            "torch.ones(64 << 20); before = faults(); torch.ones(16 << 20); print(int(kept), faults() - before)")
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=alone)
    kept, faults = map(int, done.stdout.split())
    if not kept:
        pytest.skip("another C library")
    assert faults < 1000  # 64 MB of fresh pages would be 16,384
