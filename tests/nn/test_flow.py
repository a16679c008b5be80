"""Fields of displacement: by hand, against NumPy, and inverses that undo."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mien.nn.flow import compose, end_point_error, inverse, jacobian, laplace, relative, robust, sample


def smooth(height: int, width: int, size: float, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """(1, 2, H, W): sines of a few waves a picture, at most `size` pixels; zero at the edges, so that nothing leaves the picture."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    window = np.sin(np.pi * x) ** 2 * np.sin(np.pi * y) ** 2
    waves = [sum(a * np.sin(2 * np.pi * (i * x + j * y) + p) for a, i, j, p in
             zip(random.uniform(-1, 1, 3), *random.integers(0, 3, (2, 3)), random.uniform(0, 6, 3), strict=True)) for _ in range(2)]
    field = np.stack(waves) * window
    return torch.tensor(field / np.abs(field).max() * size, dtype=dtype)[None]


def test_sample_by_hand() -> None:
    x = torch.arange(6.0).view(1, 1, 2, 3)
    nothing = torch.zeros(1, 2, 2, 3)
    torch.testing.assert_close(sample(x, nothing), x)
    right = nothing.clone()
    right[:, 0] = 1
    assert sample(x, right).tolist() == [[[[1, 2, 2], [4, 5, 5]]]], "content from one pixel to the right, the border repeated"
    up = nothing.clone()
    up[:, 1] = -0.5
    torch.testing.assert_close(sample(x, up), torch.tensor([[[[0.0, 1, 2], [1.5, 2.5, 3.5]]]]))


def test_sample_is_numpys_interpolation() -> None:
    random = np.random.default_rng(1)
    x, field = random.random((7, 9)), random.uniform(-3, 3, (2, 7, 9))
    rows, columns = np.mgrid[0:7, 0:9]
    across, down = np.clip(columns + field[0], 0, 8), np.clip(rows + field[1], 0, 6)
    left, top = np.minimum(across.astype(int), 7), np.minimum(down.astype(int), 5)
    a, b = across - left, down - top
    expected = (1 - b) * ((1 - a) * x[top, left] + a * x[top, left + 1]) + b * ((1 - a) * x[top + 1, left] + a * x[top + 1, left + 1])
    ours = sample(torch.tensor(x)[None, None], torch.tensor(field)[None])[0, 0]
    np.testing.assert_allclose(ours, expected, atol=1e-12)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), size=st.floats(0.1, 3), height=st.integers(40, 60))
def test_an_inverse_undoes_on_both_sides(seed: int, size: float, height: int) -> None:
    """Exact up to the bilinear reading of the field, a few hundredths of a pixel."""
    field = smooth(height, 50, size, seed)
    if jacobian(field).min() < 0.4:
        return
    back = inverse(field, 40)
    for there in (compose(field, back), compose(back, field)):
        assert end_point_error(there, torch.zeros_like(there)).max() < 0.05 * size


def test_an_inverse_restores_a_picture() -> None:
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    picture = (torch.sin(x / 6) + torch.cos(y / 7))[None, None]
    field = smooth(64, 64, 3, dtype=torch.float32)
    fake = sample(picture, field, "bicubic")
    restored = sample(fake, inverse(field), "bicubic")
    assert (fake - picture).abs().max() > 0.3
    assert (restored - picture).abs().max() < 0.01


def test_two_shifts_compose_to_their_sum_and_in_order() -> None:
    one, other = torch.zeros(1, 2, 8, 8), torch.zeros(1, 2, 8, 8)
    one[:, 0], other[:, 1] = 1.5, -2
    assert torch.equal(compose(one, other), one + other)
    x, bent = torch.rand(1, 1, 40, 40, dtype=torch.float64), [smooth(40, 40, 2, seed) for seed in (1, 2)]
    x = torch.nn.functional.avg_pool2d(x, 9, 1, 4)
    twice, once = sample(sample(x, bent[0]), bent[1]), sample(x, compose(*bent))
    assert (twice - once).abs().max() < 0.03
    assert (twice - sample(x, compose(*bent[::-1]))).abs().max() > 2 * (twice - once).abs().max()


def test_the_jacobian_of_an_affine_map_is_its_determinant() -> None:
    y, x = torch.meshgrid(torch.arange(5.0), torch.arange(6.0), indexing="ij")
    matrix = torch.tensor([[0.2, -0.1], [0.3, 0.4]])
    field = torch.einsum("ij,jhw->ihw", matrix, torch.stack([x, y]))[None]
    expected = torch.linalg.det(torch.eye(2) + matrix)
    assert jacobian(field).shape == (1, 4, 5)
    torch.testing.assert_close(jacobian(field), expected.expand(1, 4, 5))


def test_a_fold_at_one_corner_is_seen() -> None:
    """The pixel at (1, 1) alone is taken from 1.5 pixels to its right, past its neighbour."""
    field = torch.zeros(1, 2, 4, 4)
    field[0, 0, 1, 1] = 1.5
    folded = jacobian(field)[0] <= 0
    assert folded.tolist() == [[False, True, False], [False, True, False], [False, False, False]]


def test_errors_by_hand() -> None:
    field, truth = torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)
    field[0, :, 1, 1] = torch.tensor([3.0, 4.0])
    assert end_point_error(field, truth)[0, 1, 1] == 5
    assert end_point_error(field, truth).sum() == 5
    assert float(robust(field, truth)[0, 1, 1]) == pytest.approx((25 + 0.01) ** 0.5 - 0.1)
    assert float(robust(truth, truth).sum()) == pytest.approx(0, abs=1e-6)
    assert float(relative(field, field + 7, (1,))) == pytest.approx(0, abs=1e-5), "an offset of all is no difference"
    apart = ((25 + 0.01) ** 0.5 - 0.1) * 2 / 6  # two of the six neighbours across differ, and two of six down
    assert float(relative(field, truth, (1, 5))) == pytest.approx(apart, rel=1e-4)
    assert float(laplace(torch.tensor(2.0), torch.tensor(0.0))) == 2


@given(st.floats(0.01, 50))
def test_the_likelihood_is_best_where_the_scale_is_the_error(error: float) -> None:
    best = torch.tensor(error).log()
    here = laplace(torch.tensor(error), best)
    assert all(laplace(torch.tensor(error), best + off) > here for off in (-0.5, 0.5))
