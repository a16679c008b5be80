"""Muon: the iteration makes matrices orthogonal, the steps are Adam's where they should be, and it goes on after a checkpoint."""

from copy import deepcopy as copy_of

import torch
from torch import nn
from torch.optim import Adam

from mien.train.optim import Muon, orthogonal


def test_the_iteration_keeps_directions_and_evens_out_their_sizes() -> None:
    rng = torch.Generator().manual_seed(0)
    for shape in ((6, 20), (20, 6)):
        u, _, v = torch.linalg.svd(torch.randn(shape, generator=rng), full_matrices=False)
        skewed = u @ torch.diag(torch.tensor([9.0, 5, 3, 1, 0.5, 0.2])) @ v
        found = orthogonal(skewed)
        inner = u.T @ found @ v.T
        assert (inner - torch.diag(inner.diag())).abs().max() < 1e-4
        assert inner.diag().min() > 0.6
        assert inner.diag().max() < 1.3


def test_vectors_and_last_layers_take_adams_steps() -> None:
    torch.manual_seed(0)
    one, other = nn.Linear(4, 3), nn.Linear(4, 3)
    other.load_state_dict(one.state_dict())
    mine, theirs = Muon(one, plain=(one,), plain_lr=0.01), Adam(other.parameters(), 0.01, (0.9, 0.99))
    x = torch.randn(5, 4)
    for _ in range(3):
        for net, optimizer in ((one, mine), (other, theirs)):
            optimizer.zero_grad()
            net(x).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(one.weight, other.weight)
    torch.testing.assert_close(one.bias, other.bias)


def test_a_convolution_learns_and_goes_on_after_a_checkpoint() -> None:
    torch.manual_seed(0)
    x, target = torch.randn(4, 3, 8, 8), torch.randn(4, 2, 8, 8)

    def steps(net: nn.Module, optimizer: Muon, count: int) -> float:
        for _ in range(count):
            optimizer.zero_grad()
            loss = (net(x) - target).square().mean()
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    net = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 2, 3, padding=1))
    optimizer = Muon(net, 0.05)
    first = steps(net, optimizer, 1)
    assert steps(net, optimizer, 30) < 0.8 * first
    copy = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 2, 3, padding=1))
    copy.load_state_dict(net.state_dict())
    resumed = Muon(copy, 0.05)
    resumed.load_state_dict(copy_of(optimizer.state_dict()))
    steps(net, optimizer, 3), steps(copy, resumed, 3)
    for mine, theirs in zip(net.parameters(), copy.parameters(), strict=True):
        assert torch.equal(mine, theirs)
