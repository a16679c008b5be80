"""What is learnt from a judge's features, on numbers one can check by hand."""

import pytest
import torch

from mien.nn.adversary import feature_matching, moment_matching, only, ramp, unlikeness


def test_feature_matching_by_hand() -> None:
    """Maps count alike, however large: (|1| + |3|) / 2 = 2 and 4 of them, 0.5 away each, are 1.25 on average."""
    made = torch.tensor([1.0, -3.0]).reshape(1, 2, 1, 1), torch.full((1, 1, 2, 2), 0.5)
    real = torch.zeros(1, 2, 1, 1), torch.zeros(1, 1, 2, 2)
    assert feature_matching(made, real).item() == pytest.approx((2 + 0.5) / 2)


def test_only_what_is_made_learns() -> None:
    made, real = (torch.rand(2, 3, 4, 4, requires_grad=True) for _ in range(2))
    for loss in (feature_matching, moment_matching):
        loss([made], [real]).backward()
        assert made.grad is not None
        assert real.grad is None
        made.grad = None


def test_moments_by_hand_are_of_the_batch() -> None:
    """Channel means 2 and 1 against 0 and 0: (4 + 1) / 2; which picture or place has what does not matter, nor how many there are."""
    made = torch.tensor([[1.0, 1.0], [3.0, 1.0]]).reshape(2, 2, 1, 1)
    assert moment_matching([made], [torch.zeros(5, 2, 3, 3)]).item() == pytest.approx(2.5)
    assert moment_matching([made], [made.flip(0)]).item() == 0


def test_maps_must_be_as_many() -> None:
    for loss in (feature_matching, moment_matching):
        with pytest.raises(ValueError, match="1 maps made and 2 real"):
            loss([torch.zeros(1, 1, 1, 1)], [torch.zeros(1, 1, 1, 1)] * 2)
        with pytest.raises(ValueError, match="one at least"):
            loss([], [])


def test_what_is_masked_is_grey_and_has_no_gradient() -> None:
    x = torch.tensor([0.9, 0.9, 0.9]).reshape(1, 1, 1, 3).requires_grad_()
    seen = only(x, torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3))
    assert seen.flatten().tolist() == pytest.approx([0.5, 0.7, 0.9])
    seen.sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [0, 0.5, 1]


def test_unlikeness_by_hand() -> None:
    """The same direction 0, a right angle 1, the opposite 2; length does not count."""
    wanted = torch.tensor([3.0, 0.0])
    for vector, value in (([1.0, 0.0], 0), ([0.0, 5.0], 1), ([-2.0, 0.0], 2)):
        assert unlikeness(torch.tensor([vector]), wanted).item() == pytest.approx(value)
    assert unlikeness(torch.eye(2), torch.eye(2).flip(0)).item() == pytest.approx(1)


def test_a_new_loss_comes_slowly() -> None:
    assert [ramp(steps, 4) for steps in (0, 1, 4, 9)] == [0, 0.25, 1, 1]
    assert ramp(0, 0) == 1
