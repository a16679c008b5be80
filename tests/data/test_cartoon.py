"""Two drawn people: who they are, what each number moves, and that it is read back from a picture."""

import pytest
import torch

from mien.data.cartoon import MOVEMENTS, PEOPLE, SIDE, draw, read


def movements(count: int) -> torch.Tensor:
    return torch.rand(count, len(MOVEMENTS), generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("who", PEOPLE)
def test_movements_are_read_back(who: str) -> None:
    wanted = movements(8)
    found, left = read(draw(who, wanted), who)
    assert torch.allclose(found, wanted, atol=1e-4)
    assert left.max() < 1e-9


def test_nobody_is_taken_for_the_other() -> None:
    pictures = draw("a", movements(8))
    assert (read(pictures, "b")[1] > 0.01).all()


def test_one_picture_is_the_same_among_others() -> None:
    wanted = movements(3)
    together = draw("b", wanted)
    assert together.shape == (3, 3, SIDE, SIDE)
    assert together.min() >= 0
    assert together.max() <= 1
    assert torch.allclose(draw("b", wanted[1:2])[0], together[1], atol=1e-6)


def test_each_number_moves_its_own_part() -> None:
    """At rest a face is its own mirror image; brows change the upper rows alone, the mouth the lower ones; looks are mirrored."""
    rest = draw("a", torch.zeros(1, 4))
    assert torch.allclose(rest, rest.flip(3), atol=1e-5)
    tilt, look, brows, mouth = (draw("a", 0.9 * one[None]) for one in torch.eye(4))
    changed = lambda picture: (picture - rest).abs().amax((0, 1, 3)) > 0.05
    assert not changed(brows)[SIDE // 2:].any()
    assert changed(brows).any()
    assert not changed(mouth)[:SIDE // 2].any()
    assert changed(mouth).any()
    for picture, k in ((look, 1), (tilt, 0)):
        assert torch.allclose(picture.flip(3), draw("a", -0.9 * torch.eye(4)[k][None]), atol=1e-5)
