"""Strided convolutions: torch's answers and gradients, of first and second order."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.nn.strided import Doubling, Halving, patches, weights_gradient

LAYERS = {"halving": (Halving, (2, 3, 8, 8)), "doubling": (Doubling, (2, 3, 4, 4)), "large": (Halving, (1, 3, 16, 16))}


def layer(name: str, bias: bool = True) -> tuple[nn.Conv2d | nn.ConvTranspose2d, Tensor]:
    torch.manual_seed(0)
    kind, shape = LAYERS[name]
    return kind(3, 5, bias=bias).double(), torch.randn(shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_answers_and_gradients_are_torchs(name: str, bias: bool) -> None:
    net, x = layer(name, bias)
    plain = F.conv_transpose2d if isinstance(net, nn.ConvTranspose2d) else F.conv2d
    wanted = plain(x, net.weight, net.bias, 2, 1)
    made = net(x)
    torch.testing.assert_close(made, wanted)
    pull = torch.randn_like(made)
    inputs = [x, *net.parameters()]
    for mine, theirs in zip(torch.autograd.grad(made, inputs, pull), torch.autograd.grad(wanted, inputs, pull), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("name", ["halving", "doubling"])
def test_gradients_of_gradients(name: str) -> None:
    net, x = layer(name)
    x = x[:1, :2, :4, :4].detach().requires_grad_()
    weight = torch.randn(2, 2, 4, 4, dtype=torch.float64, requires_grad=True)

    def run(x: Tensor, weight: Tensor) -> Tensor:
        return torch.func.functional_call(net, {"weight": weight, "bias": torch.zeros(2, dtype=torch.float64)}, (x,))

    assert torch.autograd.gradcheck(run, (x, weight))
    assert torch.autograd.gradgradcheck(run, (x, weight))


def test_patches_by_hand() -> None:
    """The first place of a 4 x 4 map sees a border above and to the left."""
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert patches(x)[0].tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 0, 4, 5, 6, 0, 8, 9, 10]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_both_layouts(layout: torch.memory_format) -> None:
    small, large = (torch.randn(2, c, s, s).contiguous(memory_format=layout) for c, s in ((5, 4), (3, 8)))
    zero = torch.zeros(5, 3, 4, 4)
    place = [2, 2], [1, 1], [1, 1], False, [0, 0], 1
    wanted = torch.ops.aten.convolution_backward(small, large, zero, None, *place, [False, True, False])
    torch.testing.assert_close(weights_gradient(small, large), wanted[1], rtol=1e-4, atol=1e-4)


def test_as_autocast_has_it() -> None:
    net, x = Halving(3, 5), torch.randn(2, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        made = net(x)
    assert made.dtype == torch.bfloat16
    torch.testing.assert_close(made.float(), F.conv2d(x, net.weight, net.bias, 2, 1), rtol=0.05, atol=0.05)
