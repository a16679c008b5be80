"""Attributions against closed forms: linear scores, a score of one corner, maps weighted by hand."""

import sys

import pytest
import torch
from torch import Tensor, nn

pytest.importorskip("captum")

from mien.nn.explain.attribution import grad_cam, integrated_gradients, occlusion, saliency

WEIGHTS = torch.linspace(-1, 1, 3 * 6 * 6).reshape(1, 3, 6, 6)


def linear(x: Tensor) -> Tensor:
    return (WEIGHTS * x).flatten(1).sum(1) + 5


def picture(seed: int = 0, side: int = 6) -> Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed))


def test_saliency_of_a_linear_score_is_its_weights() -> None:
    torch.testing.assert_close(saliency(linear, picture()), WEIGHTS.abs().amax(1, keepdim=True))


def test_integrated_gradients_of_a_linear_score_are_weight_times_change() -> None:
    x, baseline = picture(0), picture(1)
    found, gap = integrated_gradients(linear, x, baseline)
    torch.testing.assert_close(found, WEIGHTS * (x - baseline), rtol=1e-4, atol=1e-5)
    assert gap < 1e-4


def test_integrated_gradients_of_a_product_share_it_equally() -> None:
    """f = x1 x2 from 0: each variable gets x1 x2 / 2 (both are integrals of t x1 x2)."""
    x = torch.tensor([[[[0.6, 0.5]]]])
    found, gap = integrated_gradients(lambda p: p[:, 0, 0, 0] * p[:, 0, 0, 1], x, x * 0)
    torch.testing.assert_close(found.flatten(), torch.tensor([0.15, 0.15]), rtol=1e-4, atol=1e-6)
    assert gap < 1e-4


def test_integrated_gradients_say_by_how_much_they_miss() -> None:
    """A step has no gradient, so nothing is explained: the whole change is missing."""
    _, gap = integrated_gradients(lambda p: (p.sum((1, 2, 3)) > 3).float() + 0 * p.sum((1, 2, 3)), picture(), picture() * 0)
    assert gap == 1


def test_occlusion_marks_the_only_corner_that_counts() -> None:
    x, cover = picture(side=8), torch.full((1, 3, 1, 1), 0.25)
    found = occlusion(lambda p: p[:, :, :2, :2].sum((1, 2, 3)), x, 2, 2, cover)
    expected = torch.zeros(1, 1, 8, 8)
    expected[..., :2, :2] = (x[:, :, :2, :2] - 0.25).sum()
    torch.testing.assert_close(found, expected)


def test_occlusion_of_overlapping_windows_is_their_mean() -> None:
    """One pixel counts 1; windows of 2 at stride 1: a place's value is the share of its windows that hide the pixel (3, 3)."""
    x = torch.zeros(1, 1, 6, 6)
    x[..., 3, 3] = 1
    found = occlusion(lambda p: p[:, 0, 3, 3], x, 2, 1, torch.zeros(1, 1, 1, 1))[0, 0]
    assert found[3, 3] == 1
    assert found[3, 2] == pytest.approx(0.5)  # two of its four windows reach column 3, in rows 2-3 and 3-4
    assert found[2, 2] == pytest.approx(0.25)
    assert found[0, 0] == found[5, 0] == 0


@pytest.mark.parametrize("shape", [(2, 9), (1, 5, 6, 7)])
def test_signals_and_volumes_have_the_same_closed_forms(shape: tuple[int, ...]) -> None:
    rng = torch.Generator().manual_seed(0)
    weights, x = torch.randn(1, *shape, generator=rng), torch.randn(1, *shape, generator=rng)
    score = lambda p: (weights * p).flatten(1).sum(1)
    torch.testing.assert_close(saliency(score, x), weights.abs().amax(1, keepdim=True))
    torch.testing.assert_close(integrated_gradients(score, x, 0 * x)[0], weights * x, rtol=1e-4, atol=1e-5)
    hidden = occlusion(score, x, 1, 1, torch.zeros(1, *[1] * len(shape)))
    torch.testing.assert_close(hidden, (weights * x).sum(1, keepdim=True), rtol=1e-4, atol=1e-5)


class TwoMaps(nn.Module):
    """Map 0 is the picture, map 1 its negative; the score is 3 mean(map 0) - 2 mean(map 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(1, 2, 1, bias=False)
        self.maps.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        means = self.maps(x).mean((2, 3))
        return 3 * means[:, 0] - 2 * means[:, 1]


def test_grad_cam_is_the_maps_weighted_by_their_mean_gradient() -> None:
    """alpha = (3, -2) / 64 (equation 1), so the heat is relu((3 x + 2 x) / 64) (equation 2): bright where the picture is."""
    net, x = TwoMaps(), torch.zeros(1, 1, 8, 8)
    x[..., 1:3, 5:7] = 1
    x[..., 6, 6] = -1
    torch.testing.assert_close(grad_cam(net, x, net.maps), (5 * x / 64).clamp(min=0))


def test_without_captum_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum", None)
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(RuntimeError, match=r"pip install 'mien\[explain\]'"):
        saliency(linear, picture())
