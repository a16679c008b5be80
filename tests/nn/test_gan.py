"""Losses of the adversarial game on numbers one can check by hand."""

import math

import pytest
import torch
from torch import nn

from mien.nn.gan import LOSSES, clip_weights, deceiving, gradient_penalty, minimax_generator, minimax_judge, r1, relative, steepness

REAL, MADE = torch.tensor([math.log(3.0), 0.0]), torch.tensor([-math.log(3.0), 0.0])
"""The judge takes them for real with 3/4 and 1/2, and with 1/4 and 1/2."""


@pytest.mark.parametrize(
    ("name", "judge", "generator"),
    [
        ("minimax", -math.log(0.75 * 0.5) / 2 - math.log(0.75 * 0.5) / 2, math.log(0.75 * 0.5) / 2),
        ("non-saturating", -math.log(0.75 * 0.5), -math.log(0.25 * 0.5) / 2),
        ("wasserstein", -math.log(3.0), math.log(3.0) / 2),
        ("least-squares", (((math.log(3) - 1) ** 2 + 1) / 2 + math.log(3) ** 2 / 2) / 2, ((math.log(3) + 1) ** 2 + 1) / 4),
        ("hinge", 0.5 + 0.5, math.log(3.0) / 2),
    ],
)
def test_losses_by_hand(name: str, judge: float, generator: float) -> None:
    game = LOSSES[name]
    assert game.judge(REAL, MADE).item() == pytest.approx(judge, rel=1e-6)
    assert game.generator(MADE).item() == pytest.approx(generator, rel=1e-6)


def test_who_is_undecided_loses_log_4() -> None:
    """D = 1/2 everywhere is the game's end (Goodfellow et al. 2014, theorem 1)."""
    assert LOSSES["minimax"].judge(torch.zeros(5, 1), torch.zeros(3, 1)).item() == pytest.approx(math.log(4))


def test_where_the_judge_is_sure_only_one_of_them_has_a_gradient() -> None:
    """D(G(z)) = 1 / (1 + e^8): gradients D and D - 1."""
    for loss, wanted in ((minimax_generator, -1 / (1 + math.exp(8))), (deceiving, 1 / (1 + math.exp(8)) - 1)):
        made = torch.tensor([-8.0], requires_grad=True)
        loss(made).backward()
        assert made.grad is not None
        assert made.grad.item() == pytest.approx(wanted, rel=1e-5)


def linear(*weights: float) -> nn.Linear:
    net = nn.Linear(len(weights), 1)
    net.weight.data = torch.tensor([weights])
    return net


def test_a_relativistic_judge_compares() -> None:
    """What both are above or below does not count; who is one more of a photograph than the other loses log(1 + 1/e) on each side."""
    real, made = torch.tensor([4.0, 6.0]), torch.tensor([3.0, 5.0])
    assert [part.tolist() for part in relative(real, made)] == [[0, 2], [-2, 0]]
    assert float(minimax_judge(*relative(real + 9, made + 9))) == pytest.approx(float(minimax_judge(*relative(real, made))))
    assert float(minimax_judge(*relative(torch.tensor([1.0]), torch.tensor([0.0])))) == pytest.approx(2 * math.log(1 + math.exp(-1)))


def test_penalties_of_a_linear_judge() -> None:
    """Its gradient is its weights, of length 5, everywhere."""
    net = linear(3.0, 4.0)
    x, y = torch.rand(6, 2), torch.rand(6, 2)
    assert gradient_penalty(net, x, y, torch.rand(6)).item() == pytest.approx(16, rel=1e-5)
    assert r1(net, x).item() == pytest.approx(25, rel=1e-5)


def test_the_penalty_is_taken_between_the_two() -> None:
    """Of |x|^2 / 2 the gradient is x: at a quarter of the way from 4 to 8 it is 5."""
    found = gradient_penalty(lambda x: x.square().sum(1) / 2, torch.full((1, 1), 8.0), torch.full((1, 1), 4.0), torch.tensor([0.25]))
    assert found.item() == pytest.approx(16, rel=1e-5)


def test_a_penalty_teaches_the_judge() -> None:
    """And nobody else; against differences in float64."""
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    x = torch.rand(3, 2, dtype=torch.float64)
    r1(net, x).backward()
    weight = net[0].weight
    assert isinstance(weight, nn.Parameter)
    assert weight.grad is not None
    before, step = weight.grad[1, 0].item(), 1e-6
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[1, 0] += sign * step
        values.append(r1(net, x).item())
        with torch.no_grad():
            weight[1, 0] -= sign * step
    assert before == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-4)
    assert steepness(net(x.requires_grad_()), x).shape == (3,)


def test_weights_are_clipped() -> None:
    net = linear(0.5, -0.002)
    clip_weights(net.parameters(), 0.01)
    assert net.weight.tolist()[0] == pytest.approx([0.01, -0.002])
