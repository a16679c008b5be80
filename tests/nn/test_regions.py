"""RoIPool and RoIAlign against naive loops."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mien.nn.regions import roi_align, roi_pool


def naive_align(feature: Tensor, box: list[float], stride: float, out: int, samples: int) -> Tensor:
    """(C, H, W): every point by itself."""
    channels, height, width = feature.shape
    result = torch.zeros(channels, out, out, dtype=feature.dtype)
    x1, y1, x2, y2 = (value / stride for value in box)
    for i in range(out):
        for j in range(out):
            for a in range(samples):
                for b in range(samples):
                    y = min(max(y1 + (y2 - y1) * (i + (a + 0.5) / samples) / out - 0.5, 0), height - 1)
                    x = min(max(x1 + (x2 - x1) * (j + (b + 0.5) / samples) / out - 0.5, 0), width - 1)
                    top, left = math.floor(y), math.floor(x)
                    for row, tall in ((top, 1 - (y - top)), (min(top + 1, height - 1), y - top)):
                        for column, wide in ((left, 1 - (x - left)), (min(left + 1, width - 1), x - left)):
                            result[:, i, j] += feature[:, row, column] * tall * wide / samples**2
    return result


BOXES = torch.tensor([[4.0, 4, 18, 18], [-3, 2, 9, 40], [20, 25, 21, 26], [0, 0, 32, 32]], dtype=torch.float64)


@pytest.mark.parametrize("samples", [1, 2])
def test_align_is_the_naive_loop(samples: int) -> None:
    maps = [torch.randn(2, 3, 8, 8, dtype=torch.float64), torch.randn(2, 3, 4, 4, dtype=torch.float64)]
    batch, level = torch.tensor([0, 1, 1, 0]), torch.tensor([0, 0, 1, 1])
    found = roi_align(maps, (4, 8), BOXES, batch, level, 3, samples)
    for one, box, picture, where in zip(found, BOXES.tolist(), batch.tolist(), level.tolist(), strict=True):
        torch.testing.assert_close(one, naive_align(maps[where][picture], box, (4, 8)[where], 3, samples))


def test_align_of_a_ramp_is_the_middle_of_every_part() -> None:
    ramp = torch.arange(32.0).expand(1, 1, 32, 32) + 0.5
    zero = torch.zeros(1, dtype=torch.long)
    out = roi_align([ramp], (1,), torch.tensor([[4.0, 4, 18, 18]]), zero, zero, 7)
    torch.testing.assert_close(out[0, 0, 0], 4 + 2 * torch.arange(7.0) + 1)


def test_align_is_differentiable() -> None:
    maps = torch.rand(2, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    boxes, zeros = torch.tensor([[1.0, 1, 5, 6], [0, 2, 9, 3]], dtype=torch.float64), torch.zeros(2, dtype=torch.long)
    assert torch.autograd.gradcheck(lambda x: roi_align([x], (1,), boxes, torch.tensor([0, 1]), zeros, 2), (maps,))


def test_no_regions() -> None:
    none = torch.empty(0, dtype=torch.long)
    assert roi_align([torch.rand(1, 3, 4, 4)], (8,), torch.empty(0, 4), none, none).shape == (0, 3, 7, 7)
    assert roi_pool(torch.rand(1, 3, 4, 4), torch.empty(0, 4), none, 8).shape == (0, 3, 7, 7)


def test_pool_by_hand() -> None:
    maps = torch.arange(16.0).view(1, 1, 4, 4)
    batch = torch.zeros(2, dtype=torch.long)
    found = roi_pool(maps, torch.tensor([[0.0, 0, 64, 64], [17, 17, 47, 47]]), batch, 16, 2)
    assert found[:, 0].tolist() == [[[5, 7], [13, 15]], [[5, 6], [9, 10]]]


def test_a_region_outside_of_the_map_has_one_place() -> None:
    maps = torch.arange(16.0).view(1, 1, 4, 4)
    found = roi_pool(maps, torch.tensor([[500.0, 500, 600, 600]]), torch.zeros(1, dtype=torch.long), 16, 2)
    assert found.unique().tolist() == [15]


def test_pool_passes_gradients_to_the_largest_alone() -> None:
    maps = torch.rand(1, 1, 6, 6, dtype=torch.float64, requires_grad=True)
    roi_pool(maps, torch.tensor([[0.0, 0, 6, 6]]), torch.zeros(1, dtype=torch.long), 1, 3).sum().backward()
    assert maps.grad is not None
    _, places = F.max_pool2d(maps, 2, return_indices=True)
    assert torch.equal(maps.grad.flatten().nonzero()[:, 0].sort().values, places.flatten().sort().values)
    box, first = torch.tensor([[0.0, 0, 5, 6]]), torch.zeros(1, dtype=torch.long)
    assert torch.autograd.gradcheck(lambda x: roi_pool(x, box, first, 1, 2), (maps,))
