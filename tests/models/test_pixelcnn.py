"""PixelCNN: no output sees the future, drawing pixel by pixel is the same as whole passes, and probabilities are probabilities."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mien.models.pixelcnn import GatedPixelCNN, PixelCNN, courses, order, sampled

NETS = {"plain": lambda: PixelCNN(half=3, blocks=2, last=5), "gated": lambda: GatedPixelCNN(width=4, layers=3, last=5, sizes=(5, 3)),
        "squares": lambda: GatedPixelCNN(width=4, layers=3, last=5, sizes=(3, 3), patch=2)}  # fmt: skip
both = pytest.mark.parametrize("kind", NETS)


def build(kind: str) -> PixelCNN | GatedPixelCNN:
    torch.manual_seed(1)
    return NETS[kind]().double()


def uniform(count: int = 2, side: int = 6) -> Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@both
def test_no_output_sees_itself_or_the_future(kind: str) -> None:
    """The gradient of every output reaches pixels before it alone."""
    net, side = build(kind), 6
    x = uniform(1, side).requires_grad_()
    told = net(x)[0, 0]
    places = order(side, side, net.patch)
    for i, place in enumerate(places):
        (grad,) = torch.autograd.grad(told[place], x, retain_graph=True)
        assert not any(grad[0, 0][other] for other in places[i:]), place
    (grad,) = torch.autograd.grad(told[places[-1]], x)
    assert grad.any()


@both
def test_changing_the_future_changes_nothing(kind: str) -> None:
    """Also where a square's own pixels choose among logits, which no gradient sees."""
    net, x = build(kind), (uniform(1) < 0.5).double()
    told, places = net(x)[0, 0], order(6, 6, net.patch)
    for i, place in enumerate(places):
        other = x.clone()
        for later in places[i:]:
            other[0, 0][later] = 1 - other[0, 0][later]
        assert net(other)[0, 0][place] == told[place]


def test_the_course_of_a_square() -> None:
    """Of 15 logits: the first pixel's, its second's after 0 or 1, its third's after 00, 01, 10, 11, its fourth's after 000 ... 111."""
    assert courses(torch.tensor([[0, 0, 0, 0], [1, 0, 1, 1], [1, 1, 1, 0]])).tolist() == [[0, 1, 3, 7], [0, 2, 5, 12], [0, 2, 6, 14]]
    assert order(2, 4, 2) == [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (0, 3), (1, 2), (1, 3)]


def test_the_blind_spot() -> None:
    """Above and far to the right: the gated form's stack of rows sees what masked squares cannot (arXiv 1606.05328, figure 1)."""
    for kind, seen in (("plain", False), ("gated", True)):
        x = uniform(1, 15).requires_grad_()
        (grad,) = torch.autograd.grad(build(kind)(x)[0, 0, 10, 3], x)
        assert bool(grad[0, 0, 9, 7] != 0) is seen
        assert grad[0, 0, 9, 4] != 0
        assert grad[0, 0, 10, 2] != 0


@both
def test_drawing_pixel_by_pixel_is_the_same(kind: str) -> None:
    net, chances = build(kind), uniform()
    assert torch.equal(sampled(net, chances), sampled(net, chances, cached=False))


@both
def test_probabilities_of_all_pictures_add_up(kind: str) -> None:
    """To 1, over the 2^8 pictures of 2 x 4 pixels."""
    every = torch.tensor(list(itertools.product((0.0, 1.0), repeat=8)), dtype=torch.float64).view(-1, 1, 2, 4)
    cost = F.binary_cross_entropy_with_logits(build(kind)(every), every, reduction="none").flatten(1).sum(1)
    assert torch.exp(-cost).sum().item() == pytest.approx(1.0, abs=1e-9)


@both
def test_what_is_known_stays(kind: str) -> None:
    """And what is drawn below goes on from it."""
    net, chances = build(kind), uniform()
    known = torch.full((2, 6, 6), float("nan"), dtype=torch.float64)
    known[:, :3] = (uniform()[:, 0, :3] < 0.5).double()
    drawn = sampled(net, chances, known)
    assert torch.equal(drawn[:, 0, :3], known[:, :3])
    assert torch.equal(drawn, sampled(net, chances, known, cached=False))


@both
def test_it_overfits_a_picture(kind: str) -> None:
    """Drawn again from its own probabilities, whatever the numbers; every parameter learns."""
    net = build(kind)
    picture = (uniform(1, 6) < 0.5).double()
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    for step in range(150):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(net(picture), picture).backward()
        if step == 0:
            assert all(p.grad is not None and p.grad.any() for name, p in net.named_parameters() if "mask" not in name)
        optimizer.step()
    assert torch.equal(sampled(net, torch.full_like(picture, 0.5)), picture)


def test_sizes() -> None:
    """By hand: 7 x 7 to 32 maps; seven blocks 32, 16, 16, 32; two 1 x 1. One picture alone is the same as in a batch."""
    with torch.device("meta"):
        block = (32 + 1) * 16 + (9 * 16 + 1) * 16 + (16 + 1) * 32
        assert sum(p.numel() for p in PixelCNN().parameters()) == 50 * 32 + 7 * block + 33 * 32 + 33
        assert GatedPixelCNN()(torch.rand(2, 1, 28, 28)).shape == (2, 1, 28, 28)
    net, x = build("gated"), uniform(3)
    assert torch.allclose(net(x)[1:2], net(x[1:2]), atol=1e-12)
