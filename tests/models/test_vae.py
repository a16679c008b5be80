"""Variational autoencoders: closed forms, a bound that is one, and the house's rules for networks."""

import itertools
import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from mien.models.vae import VAE
from mien.nn.latent import binary, divergence, gaussian, moved

kinds = pytest.mark.parametrize("kind", ["dense", "convolutional", "residual"])


def build(kind: str, side: int = 8) -> VAE:
    torch.manual_seed(0)
    return VAE(latent=3, kind=kind, side=side, width=16)  # pyright: ignore[reportArgumentType]


def pictures(count: int = 4, side: int = 8) -> Tensor:
    return (torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(2)) < 0.4).float()


def test_the_divergence_by_hand_and_by_torch() -> None:
    """Of N(1, 4) from N(0, 1): (1 + 4 - 1 - log 4) / 2."""
    assert divergence(torch.ones(1, 1), torch.full((1, 1), math.log(4))).item() == pytest.approx((4 - math.log(4)) / 2)
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    wanted = kl_divergence(Normal(mean, torch.exp(log_variance / 2)), Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(divergence(mean, log_variance), wanted, atol=1e-5)
    z = moved(mean, log_variance, torch.randn(5, 3))
    assert torch.allclose(gaussian(z, mean, log_variance), Normal(mean, torch.exp(log_variance / 2)).log_prob(z).sum(1), atol=1e-4)


def test_binary_costs_by_hand() -> None:
    """Chances 3/4 and 1/2 of ones, of which the first is one and the second is not."""
    assert binary(torch.tensor([[math.log(3), 0.0]]), torch.tensor([[1.0, 0.0]])).item() == pytest.approx(-math.log(0.75 * 0.5))


@kinds
def test_every_parameter_learns_and_one_alone_is_one_in_a_batch(kind: str) -> None:
    net, x = build(kind), pictures()
    noise = torch.randn(4, 3)
    sum(part.sum() for part in net.bound(x, noise)).backward()  # pyright: ignore[reportAttributeAccessIssue]
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())
    alone, together = net.bound(x[1:2], noise[1:2]), net.bound(x, noise)
    assert torch.allclose(sum(alone), sum(together)[1:2], atol=1e-4)  # pyright: ignore[reportArgumentType, reportIndexIssue]


@kinds
def test_it_overfits_a_batch(kind: str) -> None:
    net, x = build(kind), pictures()
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    costs = []
    for step in range(300):
        cost = sum(part.mean() for part in net.bound(x, torch.randn(4, 3, generator=torch.Generator().manual_seed(step))))
        optimizer.zero_grad()
        cost.backward()  # pyright: ignore[reportAttributeAccessIssue]
        optimizer.step()
        costs.append(float(cost.detach()))  # pyright: ignore[reportAttributeAccessIssue]
    assert costs[-1] < 12 < 40 < costs[0]  # four pictures: log 4 would be the least
    assert torch.equal((net.decode(net.encode(x)[0]) > 0).float(), x)


def test_many_samples_come_near_the_truth() -> None:
    """Of all 2^4 pictures the true probabilities add up to 1; one sample's bound is above it."""
    net = VAE(latent=1, side=2, width=8).double()
    every = torch.tensor(list(itertools.product((0.0, 1.0), repeat=4)), dtype=torch.float64).view(-1, 1, 2, 2)
    draw = torch.Generator().manual_seed(1)
    nats = net.nats(every, torch.randn(4000, 16, 1, generator=draw, dtype=torch.float64))
    assert torch.exp(-nats).sum().item() == pytest.approx(1, abs=0.02)
    with torch.no_grad():
        bounds = [sum(net.bound(every, torch.randn(16, 1, generator=draw, dtype=torch.float64))) for _ in range(400)]
    assert bool((torch.stack(bounds).mean(0) > nats - 0.01).all())  # pyright: ignore[reportArgumentType]


def test_sizes() -> None:
    with torch.device("meta"):
        net = VAE(latent=20, width=400)
        assert sum(p.numel() for p in net.parameters()) == (785 + 401) * 400 + 401 * 40 + (21 + 401) * 400 + 401 * 784
        assert VAE(kind="convolutional", width=64).decode(torch.rand(2, 32)).shape == (2, 1, 28, 28)
    with pytest.raises(ValueError, match="multiple of 4"):
        VAE(kind="convolutional", side=30)
    with pytest.raises(ValueError, match="no VAE is 'deep': dense"):
        VAE(kind="deep")  # pyright: ignore[reportArgumentType]
