"""Activations by hand, and Maxout."""

import math

import numpy as np
import pytest
import torch

from mien.nn.activations import ACTIVATIONS, Maxout, activation


@pytest.mark.parametrize(("name", "below", "above"), [
    ("sigmoid", 1 / (1 + math.e), math.e / (1 + math.e)),
    ("tanh", -(math.e**2 - 1) / (math.e**2 + 1), (math.e**2 - 1) / (math.e**2 + 1)),
    ("relu", 0.0, 1.0), ("leaky_relu", -0.01, 1.0), ("elu", 1 / math.e - 1, 1.0),
])  # fmt: skip
def test_at_minus_one_and_one(name: str, below: float, above: float) -> None:
    assert activation(name, 2)(torch.tensor([-1.0, 1.0])).tolist() == pytest.approx([below, above], abs=1e-6)


def test_all_of_them_keep_the_width() -> None:
    assert set(ACTIVATIONS) == {"sigmoid", "tanh", "relu", "leaky_relu", "elu", "maxout"}
    for name in ACTIVATIONS:
        assert activation(name, 6)(torch.randn(3, 6)).shape == (3, 6)


def test_maxout_against_numpy() -> None:
    torch.manual_seed(0)
    net, x = Maxout(4, 3, pieces=5), torch.randn(7, 4)
    weight, bias = (p.detach().numpy() for p in net.linear.parameters())
    expected = np.stack([(x.numpy() @ weight[5 * i : 5 * i + 5].T + bias[5 * i : 5 * i + 5]).max(1) for i in range(3)], 1)
    np.testing.assert_allclose(net(x).detach().numpy(), expected, atol=1e-6)


def test_two_pieces_can_be_the_absolute_value() -> None:
    net = Maxout(1, 1)
    with torch.no_grad():
        net.linear.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        net.linear.bias.zero_()
    x = torch.linspace(-2, 2, 9)[:, None]
    assert torch.equal(net(x), x.abs())


def test_only_the_winning_piece_learns() -> None:
    net = Maxout(2, 1, pieces=3)
    with torch.no_grad():
        net.linear.bias.copy_(torch.tensor([0.0, 9.0, 0.0]))
    net(torch.randn(1, 2)).sum().backward()
    assert net.linear.bias.grad is not None
    assert net.linear.bias.grad.tolist() == [0, 1, 0]


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(ValueError, match="no activation 'softplus'; known: sigmoid, tanh"):
        activation("softplus", 3)
    with pytest.raises(ValueError, match="one linear piece at least, not 0"):
        Maxout(2, 2, 0)
