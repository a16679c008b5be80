"""The judge of patches: size, what a score sees, learning, independence of a picture from its batch."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mien.models.patch_judge import PatchJudge
from mien.nn.gan import LOSSES, gradient_penalty, r1

SMALL = (4, 8, 8)


def judge(norm: str = "none", widths: tuple[int, ...] = SMALL) -> PatchJudge:
    torch.manual_seed(0)
    return PatchJudge(widths=widths, norm="none" if norm == "none" else "spectral")


def pictures(count: int = 4, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))


def test_parameters_and_shapes() -> None:
    """By hand: 4 x 4 kernels from 3 to 32, 64, 128 channels, 3 x 3 to 128 and to 1, and biases."""
    with torch.device("meta"):
        net = PatchJudge(norm="none")
        found = net(torch.empty(2, 3, 128, 192))
    wanted = 16 * (3 * 32 + 32 * 64 + 64 * 128) + 9 * (128 * 128 + 128) + 32 + 64 + 128 + 128 + 1
    assert sum(p.numel() for p in net.parameters()) == wanted == 314_337
    assert found.scores.shape == (2, 1, 16, 24)
    assert [tuple(one.shape[1:]) for one in found.features] == [(32, 64, 96), (64, 32, 48), (128, 16, 24), (128, 16, 24)]


@pytest.mark.parametrize("side", [32, 37, 50])
def test_any_side_from_32(side: int) -> None:
    assert judge()(pictures(1, side)).scores.shape == (1, 1, side // 8, side // 8)
    with pytest.raises(ValueError, match=r"31 x 40 pixels, expected 32"):
        judge()(torch.zeros(1, 3, 40, 31))


def test_a_score_sees_54_pixels() -> None:
    net = judge()
    x = pictures(1, 128).requires_grad_()
    net(x).scores[0, 0, 8, 8].backward()
    assert x.grad is not None
    rows = x.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    assert int(rows.max() - rows.min()) + 1 == 54


@pytest.mark.parametrize("norm", ["none", "spectral"])
def test_every_parameter_gets_a_gradient(norm: str) -> None:
    net, real, made = judge(norm), pictures(), F.avg_pool2d(pictures(), 3, 1, 1)
    found = net(real)
    (LOSSES["minimax"].judge(found.scores, 2 * net(made).scores) + sum(one.mean() for one in found.features)).backward()
    assert all(p.grad is not None and bool(p.grad.any()) for p in net.parameters())


@pytest.mark.parametrize("norm", ["none", "spectral"])
def test_it_learns_to_tell_pictures_from_blurred_ones(norm: str) -> None:
    net, real, made = judge(norm), pictures(), F.avg_pool2d(pictures(), 3, 1, 1)
    adam, losses = torch.optim.Adam(net.parameters(), 5e-3), []
    for _ in range(60):
        loss = LOSSES["hinge"].judge(net(real).scores, net(made).scores)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("norm", ["none", "spectral"])
def test_penalties_reach_its_weights(norm: str) -> None:
    net, real = judge(norm), pictures()
    for penalty in (r1(net.score, real), gradient_penalty(net.score, real, real.flip(0), torch.rand(4))):
        net.zero_grad()
        penalty.backward()
        grads = [p.grad for p in net.parameters() if p.ndim > 1]
        assert all(g is not None and bool(g.any()) and bool(g.isfinite().all()) for g in grads)


def test_a_spectral_judge_is_no_steeper_than_one() -> None:
    """Each layer's largest singular value, as a matrix of its weights, is 1."""
    net = judge("spectral")
    for _ in range(30):
        net(pictures())
    for layer in [one for one in net.modules() if isinstance(one, nn.Conv2d)]:
        assert float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)) == pytest.approx(1, abs=0.05)


@torch.no_grad()
def test_one_alone_is_one_of_many_and_saved_is_the_same(tmp_path: Path) -> None:
    net, x = judge("spectral").eval(), pictures()
    found = net(x)
    torch.testing.assert_close(net(x[1:2]).scores, found.scores[1:2], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(net.score(x), found.scores.mean((1, 2, 3)))
    save_file({key: value.contiguous() for key, value in net.state_dict().items()}, tmp_path / "judge.safetensors")
    torch.manual_seed(1)
    other = PatchJudge(widths=SMALL).eval()
    assert not torch.equal(other(x).scores, found.scores)
    other.load_state_dict(load_file(tmp_path / "judge.safetensors"))
    assert torch.equal(other(x).scores, found.scores)
