"""Changes of pictures that gradients go through."""

import torch

from mien.nn.batches import seeded
from mien.nn.diff_augment import CHANGES, changed, colour, cutout, translation


def test_each_is_a_function_of_the_seed_and_keeps_the_shape() -> None:
    x = torch.randn(5, 3, 16, 16)
    for kind, change in CHANGES.items():
        made = change(x, seeded(1))
        assert made.shape == x.shape, kind
        assert torch.equal(made, change(x, seeded(1)))
        assert not torch.equal(made, change(x, seeded(2)))


def test_gradients_go_through() -> None:
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: changed(x, tuple(CHANGES), seeded(3)), (x,))


def test_moved_pictures_are_the_same_ones() -> None:
    """By at most an eighth; what comes in is 0, what is left is unchanged."""
    x = torch.arange(1.0, 257).view(1, 1, 16, 16).expand(40, 1, 16, 16)
    made, moves = translation(x, seeded(0)), set()
    for one in made:
        inside = one[0].nonzero()
        (top, left), (bottom, right) = inside.min(0).values.tolist(), inside.max(0).values.tolist()
        part = one[0, top:bottom + 1, left:right + 1]
        moves.add(int(part[0, 0]) - 1 - 16 * top - left)
        assert bool((part == torch.arange(256).view(16, 16)[:part.shape[0], :part.shape[1]] + part[0, 0]).all())
        assert min(part.shape) >= 14
    assert len(moves) > 10


def test_a_hole_is_a_quarter_at_most() -> None:
    made = cutout(torch.ones(60, 1, 16, 16), seeded(0))
    holes = (made == 0).flatten(1).sum(1)
    assert int(holes.max()) == 64
    assert int(holes.min()) >= 16


def test_grey_pictures_have_no_saturation() -> None:
    """The mean moves by the brightness alone, which is at most 0.5 either way."""
    x = torch.rand(50, 1, 8, 8) * 2 - 1
    moved = colour(x, seeded(0)).mean((1, 2, 3)) - x.mean((1, 2, 3))
    assert float(moved.abs().max()) <= 0.5
    assert float(moved.std()) > 0.2
