"""L-BFGS and Adam: to the lowest place inside the box, never out of it, and on from what they remember."""

import pytest
import torch
from torch import Tensor

from mien.tasks.stylize.descent import OPTIMISERS, Descent, Lbfgs

SHAPE = (1, 3, 6, 5)


def bowl() -> tuple[Tensor, Tensor]:
    """Stiffness (1 to 100) and bottom of a bowl; for some pixels the bottom is out of range."""
    made = torch.Generator().manual_seed(1)
    return 10 ** (2 * torch.rand(SHAPE, generator=made)), 2 * torch.rand(SHAPE, generator=made) - 0.5


def descend(descent: Descent, x: Tensor, steps: int) -> tuple[Tensor, list[float]]:
    stiff, bottom = bowl()
    costs = []
    for _ in range(steps):
        assert float(x.min()) >= 0
        assert float(x.max()) <= 1
        costs.append(float((stiff * (x - bottom).square()).sum() / 2))
        x = descent.step(x, costs[-1], stiff * (x - bottom))
    return x, costs


@pytest.mark.parametrize(("name", "steps", "near"), [("lbfgs", 60, 2e-3), ("adam", 300, 1e-2)])
def test_the_lowest_place_in_the_box(name: str, steps: int, near: float) -> None:
    """Known in advance: the pixels do not depend on each other, so it is the bottom, clipped."""
    start = torch.full(SHAPE, 0.5)
    descent = OPTIMISERS[name](start, steps)
    descend(descent, start, steps)
    torch.testing.assert_close(descent.best(), bowl()[1].clamp(0, 1), rtol=0, atol=near)


@pytest.mark.parametrize("name", list(OPTIMISERS))
def test_it_goes_on_from_what_it_remembers(name: str) -> None:
    start = torch.full(SHAPE, 0.5)
    one = OPTIMISERS[name](start, 30)
    straight, _ = descend(one, start, 30)
    first, second = OPTIMISERS[name](start, 30), OPTIMISERS[name](start, 30)
    middle, _ = descend(first, start, 11)
    state = {key: value.clone() for key, value in first.state().items()}
    descend(first, middle, 5)  # does not change what was remembered
    second.load(state)
    resumed, _ = descend(second, middle, 19)
    assert torch.equal(straight, resumed)
    assert torch.equal(one.best(), second.best())


def test_a_step_uphill_is_taken_back() -> None:
    """The cost rises after the first step: the next picture lies between."""
    x, grad = torch.full(SHAPE, 0.5), torch.ones(SHAPE)
    descent = Lbfgs(x, 10)
    far = descent.step(x, 1.0, grad)
    near = descent.step(far, 2.0, grad)
    assert torch.equal(descent.best(), x)
    torch.testing.assert_close(near - x, (far - x) / 4)


def test_large_pictures_are_remembered_less() -> None:
    with torch.device("meta"):
        assert Lbfgs(torch.empty(1, 3, 512, 512), 1).most == 20
        assert Lbfgs(torch.empty(1, 3, 4096, 4096), 1).most == 1
