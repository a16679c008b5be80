"""Enlargers: published sizes, what they start as, what a file keeps, how far a result sees."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mien.data.resize import enlarge
from mien.models.enlarger import Afterwards, Enlarger, OneScale, Plan, between, build, load, reach, save
from mien.models.enlargers import opened
from mien.models.mien_upscale import MienUpscale, Summed
from mien.models.srcnn import srcnn
from mien.models.srresnet import SRResNet, discriminator
from mien.models.vdsr import vdsr
from mien.nn.colour import ycbcr


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def shaken(net: nn.Module, by: float = 0.05) -> nn.Module:
    """So that nothing is zero."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn(p.shape, generator=random), alpha=by)
    return net.eval()


def small(kind: str) -> nn.Module:
    torch.manual_seed(0)
    nets = {"srcnn": lambda: Afterwards(srcnn("9-1-5")), "vdsr": lambda: Afterwards(vdsr(4, 8)), "mien": lambda: MienUpscale(8, 2)}
    return shaken(nets[kind]())


def test_published_sizes() -> None:
    with torch.device("meta"):
        assert [parameters(srcnn(name)) for name in ("9-1-5", "9-5-5")] == [8_129, 57_281]
        assert parameters(vdsr()) == 665_921


def test_a_new_vdsr_and_a_new_own_network_differ_from_bicubic_by_what_they_add() -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 1, 9, 8)
    torch.testing.assert_close(MienUpscale(8, 2)(x, 3), enlarge(x, 3))
    net = vdsr(4, 8)
    torch.testing.assert_close(net(x), x + net.body(x))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_folded_network_is_the_same_network(scale: int) -> None:
    net = small("mien")
    assert isinstance(net, MienUpscale)
    x = torch.rand(2, 1, 7, 9)
    folded = net.fold()
    assert parameters(folded) < parameters(net)
    assert not any(isinstance(part, Summed) for part in folded.modules())
    torch.testing.assert_close(folded(x, scale), net(x, scale))


def test_every_branch_of_a_sum_learns() -> None:
    net = small("mien").train()
    net(torch.rand(1, 1, 8, 8), 2).sum().backward()
    silent = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert set(silent) == {f"tails.{s}.{part}" for s in (3, 4) for part in ("weight", "bias")}  # of scales that were not asked


@pytest.mark.parametrize("kind", ["srcnn", "vdsr", "mien"])
@pytest.mark.parametrize("scale", [2, 3])
def test_a_result_sees_as_far_as_its_reach_and_no_farther(kind: str, scale: int) -> None:
    net = small(kind)
    far = reach(net, scale)
    x = torch.rand(1, 1, 2 * far + 7, 2 * far + 7, requires_grad=True)
    middle = far + 3
    y = net(x, scale)[0, 0, middle * scale:(middle + 1) * scale, middle * scale:(middle + 1) * scale]
    seen = torch.autograd.grad(y.abs().sum(), x)[0][0, 0] != 0
    rows = seen.any(1).nonzero().flatten()
    distance = max(middle - int(rows.min()), int(rows.max()) - middle)
    assert distance <= far
    assert distance >= far - 2  # rounding to whole small pixels


@pytest.mark.parametrize("kind", ["bicubic", "srcnn", "mien"])
def test_colours_are_enlarged_by_bicubic_and_brightness_by_the_network(kind: str) -> None:
    x = torch.rand(2, 3, 9, 10)
    net = None if kind == "bicubic" else small(kind)
    enlarger = Enlarger(kind, net, 2)
    found, plain = ycbcr(enlarger(x)), ycbcr(enlarge(x, 2))
    torch.testing.assert_close(found[:, 1:], plain[:, 1:], atol=1e-5, rtol=0)
    wanted: Tensor = plain[:, :1] if net is None else net(ycbcr(x)[:, :1], 2)
    torch.testing.assert_close(found[:, :1], wanted, atol=1e-5, rtol=0)


def test_half_precision_does_not_round_a_picture_that_the_layers_hand_on() -> None:
    x, net = torch.rand(1, 3, 9, 10), small("srcnn")
    wanted = Enlarger("srcnn", net, 2)(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(Enlarger("srcnn", net, 2, exact=True)(x), wanted)
        assert not torch.equal(Enlarger("srcnn", net, 2)(x), wanted)


def test_a_file_builds_the_network_again(tmp_path: Path) -> None:
    net = small("mien")
    x = torch.rand(1, 1, 8, 8)
    save(tmp_path / "own.safetensors", net, Plan("mien-upscale", (2, 3, 4), {"width": 8, "depth": 2}))
    found, plan = load(tmp_path / "own.safetensors")
    assert plan.scales == (2, 3, 4)
    torch.testing.assert_close(found(x, 4), net(x, 4))
    save(tmp_path / "again.safetensors", found, plan)  # folded already
    torch.testing.assert_close(load(tmp_path / "again.safetensors")[0](x, 2), net(x, 2))


def test_other_files_and_names_are_refused(tmp_path: Path) -> None:
    (tmp_path / "no.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a whole"):
        load(tmp_path / "no.safetensors")
    with pytest.raises(ValueError, match="no enlarger is called 'edsr'"):
        build(Plan("edsr", (2,)))
    with pytest.raises(ValueError, match="cannot be built"):
        build(Plan("vdsr", (2,), {"deep": 3}))


@pytest.mark.parametrize("scale", [2, 4])
def test_srresnet_sees_as_far_as_its_reach(scale: int) -> None:
    torch.manual_seed(0)
    net = shaken(OneScale(SRResNet(scale, 8, 1)))
    far = reach(net, scale)
    middle = far + 3
    x = torch.rand(1, 3, 2 * far + 7, 2 * far + 7, requires_grad=True)
    y = net(x, scale)[0, :, middle * scale:(middle + 1) * scale, middle * scale:(middle + 1) * scale]
    rows = (torch.autograd.grad(y.sum(), x)[0][0] != 0).any(0).any(1).nonzero().flatten()
    distance = max(middle - int(rows.min()), int(rows.max()) - middle)
    assert far - 1 <= distance <= far


def test_srgans_networks() -> None:
    with torch.device("meta"):
        assert parameters(SRResNet()) == 1_547_350
        assert discriminator()(torch.rand(2, 3, 96, 96)).shape == (2, 1)
    with pytest.raises(ValueError, match="by 2 or 4"):
        SRResNet(3)


def test_an_srcnn_may_start_as_bicubic() -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 1, 12, 12)
    found = Afterwards(srcnn(start="through"))(x, 2)
    torch.testing.assert_close(found, enlarge(x, 2).clamp(min=0), atol=0.1, rtol=0)  # what the other channels add is small
    with pytest.raises(ValueError, match="there is no 'he'"):
        srcnn(start="he")


def test_between_two_networks_is_another() -> None:
    one, other = small("mien"), small("mien")
    with torch.no_grad():
        for values in other.parameters():
            values += 1
    x = torch.rand(1, 1, 8, 8)
    for share, wanted in ((0.0, one), (1.0, other)):
        torch.testing.assert_close(between(one, other, share)(x, 2), wanted(x, 2))
    pairs = zip(between(one, other, 0.25).parameters(), one.parameters(), strict=True)
    assert all(torch.allclose(made, values + 0.25, atol=1e-6) for made, values in pairs)
    with pytest.raises(ValueError, match="expected two of one architecture"):
        between(one, small("srcnn"), 0.5)


def test_the_bundled_one_after_srgan_is_near_the_one_it_learnt_on_from() -> None:
    """Three tenths of the way, so pictures differ by little, and only at x4."""
    torch.manual_seed(0)
    x = enlarge(torch.rand(1, 3, 6, 7), 2)
    change = (opened("srgan", 4)(x) - opened("fast", 4)(x)).abs()
    assert 1e-3 < float(change.mean()) < 0.05
    with pytest.raises(ValueError, match="srgan does not enlarge by 2: choose 4"):
        opened("srgan", 2)
