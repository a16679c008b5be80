"""Every network of the catalog: published sizes, shapes, gradients; the small ones learn, and are themselves after saving."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mien.models.alexnet import alexnet, local_norm
from mien.models.catalog import DETECTORS, NETWORKS
from mien.models.densenet import densenet, densenet_cifar
from mien.models.detector import layers_of
from mien.models.drn import body, drn_c_26, drn_c_26_field
from mien.models.googlenet import googlenet
from mien.models.lenet import lenet5, lenet5_1998
from mien.models.mlp import mlp, mlp_classifier
from mien.models.recurrent import recurrent
from mien.models.resnet import resnet
from mien.models.resnet_cifar import Subsample, resnet_cifar
from mien.models.signal import signal_net
from mien.models.vgg import vgg, vgg_cifar
from mien.models.volume import volume_net
from mien.nn.activations import ACTIVATIONS
from mien.nn.trace import trace

PUBLISHED = {
    "mlp": 646_260, "lenet5": 61_706, "lenet5-1998": 60_000, "alexnet": 60_965_224, "alexnet-one": 62_378_344, "zfnet": 62_357_608,
    "vgg11": 132_863_336, "vgg13": 133_047_848, "vgg16": 138_357_544, "vgg19": 143_667_240, "vgg16-bn": 138_365_992,
    "vgg16-cifar": 14_728_266, "googlenet": 6_998_552,
    "resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet101": 44_549_160, "resnet152": 60_192_808,
    "densenet121": 7_978_856, "densenet169": 14_149_480, "densenet201": 20_013_928, "densenet-bc-100-12": 769_162,
    "resnet20": 269_722, "resnet20-b": 272_474, "resnet56": 853_018, "resnet110": 1_727_962,
    "drn-c-26": 21_126_584, "srcnn": 57_281, "srcnn-915": 8_129, "vdsr": 665_921,
}  # fmt: skip
DEEPER = {"resnet101", "resnet152", "resnet56", "resnet110", "densenet169", "densenet201"}
"""More of the same blocks as a sister that is tested."""
CLASSIFIERS = [name for name, network in NETWORKS.items() if network.classifies and name not in DEEPER]

SMALL: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (partial(mlp, 48, 20, 4), (3, 4, 4)),
    "lenet5": (partial(lenet5, 4), (1, 28, 28)),
    "lenet5-1998": (partial(lenet5_1998, 4), (1, 28, 28)),
    "lenet5-1998-linear": (partial(lenet5_1998, 4, output="linear"), (1, 28, 28)),
    "resnet": (partial(resnet, "tiny", 4, 8), (3, 32, 32)),
    "resnet-cifar-a": (partial(resnet_cifar, "resnet8", 4), (3, 16, 16)),
    "resnet-cifar-b": (partial(resnet_cifar, "resnet8", 4, "B"), (3, 16, 16)),
    "densenet": (partial(densenet, "tiny", 4, 8), (3, 32, 32)),
    "drn": (partial(drn_c_26, 4, 2), (3, 16, 16)),
    "densenet-cifar": (partial(densenet_cifar, 4, 10, 8), (3, 16, 16)),
    "plain": (partial(recurrent, "plain", 4, 8, 16), (1, 10, 8)),
    "gru": (partial(recurrent, "gru", 4, 8, 16), (1, 10, 8)),
    "lstm": (partial(recurrent, "lstm", 4, 8, 16), (1, 10, 8)),
    "signal": (partial(signal_net, 4, 2, (8, 8)), (2, 32)),
    "volume": (partial(volume_net, 4, 1, (5, 20)), (1, 14, 14, 14)),
}
"""Small enough to train in a second."""


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return build()


def small(name: str) -> tuple[nn.Module, Tensor]:
    """The network and a batch of eight."""
    torch.manual_seed(0)
    build, shape = SMALL[name]
    return build(), torch.randn(8, *shape)


@pytest.mark.parametrize(("name", "count"), PUBLISHED.items())
def test_published_parameter_counts(name: str, count: int) -> None:
    assert parameters(on_meta(NETWORKS[name].build)) == count
    assert NETWORKS[name].parameters == count


@pytest.mark.parametrize(("name", "count"), [
    ("vgg11", 132_868_840), ("vgg13", 133_053_736), ("vgg16", 138_365_992), ("vgg19", 143_678_248),
])  # fmt: skip
def test_published_parameter_counts_with_batch_norm(name: str, count: int) -> None:
    """As torchvision's documentation gives them."""
    assert parameters(on_meta(partial(vgg, name, norm=True))) == count


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_shapes_and_gradients(name: str) -> None:
    """On the meta device: any number of classes, any batch, and no parameter that learns is left out."""
    network = NETWORKS[name]
    net = on_meta(partial(network.build, classes=7)).eval()
    out = net(torch.empty(2, *network.shape, device="meta"))
    assert out.shape == (2, 7)
    out.sum().backward()
    assert not [key for key, p in net.named_parameters() if p.grad is None and p.requires_grad]


def test_what_does_not_classify() -> None:
    shapes = {name: on_meta(network.build).eval()(torch.empty(2, *network.shape, device="meta")).shape
              for name, network in NETWORKS.items() if not network.classifies and name != "mien-inspect"}  # fmt: skip
    assert shapes == {"swap-original": (2, 3, 64, 64), "swap-compact": (2, 3, 128, 128), "dlib-face": (2, 128),
                      "mien-face": (2, 128), "drn-c-26-field": (2, 2, 400, 400), "srcnn": (2, 1, 128, 128),
                      "srcnn-915": (2, 1, 128, 128), "vdsr": (2, 1, 128, 128), "srresnet": (2, 3, 96, 96),
                      "srgan-discriminator": (2, 1), "mien-upscale": (2, 1, 128, 128), "mien-style": (2, 3, 256, 256)}  # fmt: skip


def test_the_proposals_of_vgg16_see_228_pixels() -> None:
    """Faster R-CNN, section 3.1."""
    net = on_meta(DETECTORS["faster-rcnn-vgg16"].build)
    assert trace(net, (3, 600, 1000), partial(layers_of, net)).field == (228, 228)


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_are_followed_layer_by_layer(name: str) -> None:
    network = DETECTORS[name]
    net = on_meta(network.build)
    assert network.run is not None
    result = trace(net, network.shape, partial(network.run, net))
    assert result.parameters == parameters(net) == (network.parameters or parameters(net))
    assert sum(layer.parameters for layer in result.layers) == result.parameters  # none is left out


@pytest.mark.parametrize("name", SMALL)
def test_overfits_one_batch(name: str) -> None:
    net, x = small(name)
    y = torch.arange(8) % 4
    optimizer = torch.optim.AdamW(net.parameters(), 1e-2)
    for _ in range(50):
        loss = nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.05


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    net, x = small(name)
    nn.functional.cross_entropy(net(x), torch.arange(8) % 4).backward()
    assert not [key for key, p in net.named_parameters() if p.grad is None or not p.grad.any()]


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_one_alone_equals_the_same_in_a_batch(name: str) -> None:
    net, x = small(name)
    net.eval()
    torch.testing.assert_close(net(x[2:3]), net(x)[2:3], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_saved_and_loaded_is_the_same(name: str, tmp_path: Path) -> None:
    net, x = small(name)
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    torch.manual_seed(1)
    other = SMALL[name][0]()
    assert not torch.equal(other.eval()(x), net.eval()(x))
    other.load_state_dict(load_file(tmp_path / "net.safetensors"))
    assert torch.equal(other(x), net(x))


def test_mlp_of_any_widths() -> None:
    assert parameters(mlp(256, 10)) == 2570
    assert [type(layer).__name__ for layer in mlp(3072, 200, 150, 10)] == ["Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert mlp_classifier(3, [16, 5])(torch.rand(2, 1, 4, 4)).shape == (2, 3)
    for act in ACTIVATIONS:
        assert mlp(12, 6, 2, act=act)(torch.rand(5, 3, 4)).shape == (5, 2)
    assert parameters(mlp(12, 6, 2, act="maxout")) == 12 * 6 + 6 + 6 * 12 + 12 + 6 * 2 + 2


def test_alexnet_is_as_large_as_the_paper_says() -> None:
    """650,000 neurons; 60 million parameters; 4096 numbers before the last layer; maps of 55, 27, 13, 13, 13 pixels a side."""
    result = trace(on_meta(alexnet), NETWORKS["alexnet"].shape)
    weighted = [layer for layer in result.layers if layer.kind in ("Conv2d", "Linear")]
    assert sum(math.prod(layer.shape) for layer in weighted) == pytest.approx(650_000, rel=0.02)
    assert [layer.shape[-1] for layer in weighted] == [55, 27, 13, 13, 13, 4096, 4096, 1000]
    assert result.layers[-2].shape == (4096,)


def test_alexnets_groups_do_not_see_each_other() -> None:
    torch.manual_seed(0)
    layer = alexnet()[4]
    x = torch.rand(1, 96, 5, 5)
    first_half = layer(x)[:, :128]
    x[:, 48:] = 0
    assert torch.equal(layer(x)[:, :128], first_half)


def test_local_response_norm_is_the_papers_formula() -> None:
    x = torch.randn(2, 7, 3, 3, generator=torch.Generator().manual_seed(0)) * 30
    expected = torch.empty_like(x)
    for i in range(7):
        around = x[:, max(0, i - 2) : i + 3].square().sum(1)
        expected[:, i] = x[:, i] / (2 + 1e-4 * around) ** 0.75
    torch.testing.assert_close(local_norm()(x), expected)


def test_alexnet_starts_as_in_the_paper() -> None:
    layers = [layer for layer in alexnet(10) if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert [float(layer.bias.detach()[0]) for layer in layers] == [0, 1, 0, 1, 1, 1, 1, 0]
    assert [float(layer.weight.detach().std()) for layer in layers] == pytest.approx([0.01] * 8, rel=0.05)


def test_zfnet_has_the_maps_of_the_figure() -> None:
    result = trace(on_meta(NETWORKS["zfnet"].build), (3, 224, 224))
    sizes = [layer.shape[1] for layer in result.layers if layer.kind in ("Conv2d", "MaxPool2d")]
    assert sizes == [110, 55, 26, 13, 13, 13, 13, 6]


def test_the_side_heads_of_googlenet() -> None:
    """13,378,280 parameters with them; three outputs in training, one in use, the same as without them."""
    assert parameters(on_meta(partial(googlenet, heads=True))) == 13_378_280
    torch.manual_seed(0)
    net, plain = googlenet(5, heads=True), googlenet(5)
    trunk = [value for name, value in net.state_dict().items() if name.startswith("parts")]
    plain.load_state_dict(dict(zip(plain.state_dict(), trunk, strict=True)))
    x = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(net.eval()(x), plain.eval()(x))
    outs = net.train()(x)
    assert [out.shape for out in outs] == [(1, 5)] * 3
    sum(out.square().sum() for out in outs).backward()
    assert not [name for name, p in net.named_parameters() if p.grad is None]


def test_both_bottlenecks_have_the_same_weights_but_stride_elsewhere() -> None:
    paper, today = on_meta(partial(resnet, "resnet50", v1=True)), on_meta(resnet)
    assert {name: p.shape for name, p in paper.named_parameters()} == {name: p.shape for name, p in today.named_parameters()}
    strides = [[m.stride[0] for m in net[2][0].body.modules() if isinstance(m, nn.Conv2d)] for net in (paper, today)]
    assert strides == [[2, 1, 1], [1, 2, 1]]


def test_drn_c_26_is_the_one_of_the_paper_and_of_tamper_detection() -> None:
    """26 weighted layers without the shortcuts; an eighth of the size; with one logit 20.6 million parameters (Wang et al. 2019)."""
    trunk = on_meta(body)
    kernels = [m for m in trunk.modules() if isinstance(m, nn.Conv2d) and m.kernel_size != (1, 1)]
    assert len(kernels) + 1 == 26
    assert [m.dilation[0] for m in kernels[-12:]] == [2] * 4 + [4] * 4 + [2, 2, 1, 1]
    assert trunk(torch.empty(1, 3, 224, 224, device="meta")).shape == (1, 512, 28, 28)
    assert [parameters(on_meta(partial(drn_c_26, classes))) for classes in (1, 3)] == [20_614_097, 20_615_123]
    field = drn_c_26_field(2)
    assert not field(torch.rand(1, 3, 32, 48)).any()
    assert parameters(on_meta(drn_c_26_field)) == 20_614_610


def test_shortcut_a_by_hand() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert Subsample(2)(x).tolist() == [[[[0, 2], [8, 10]], [[0, 0], [0, 0]], [[0, 0], [0, 0]]]]


@pytest.mark.parametrize("name", ["resnet20", "resnet56", "resnet110"])
def test_the_cifar_resnets_have_as_many_layers_as_their_names_say(name: str) -> None:
    weighted = [m for m in on_meta(NETWORKS[name].build).modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(weighted) == int(name.removeprefix("resnet"))


@pytest.mark.parametrize("name", ["vgg16-cifar", "resnet18", "resnet20", "densenet-bc-100-12", "googlenet"])
def test_convolutions_start_with_hes_variance(name: str) -> None:
    """2 / (c_in k k); of some thousand weights within a few percent."""
    torch.manual_seed(0)
    checked = 0
    for layer in NETWORKS[name].build(classes=2).modules():
        if isinstance(layer, nn.Conv2d) and layer.weight.numel() > 4000:
            fan_in = layer.in_channels * layer.kernel_size[0] ** 2
            assert float(layer.weight.detach().var()) == pytest.approx(2 / fan_in, rel=0.08)
            assert layer.bias is None or not layer.bias.any()
            checked += 1
    assert checked >= 6


@torch.no_grad()
def test_googlenet_starts_with_answers_of_the_size_of_its_input() -> None:
    torch.manual_seed(0)
    out = googlenet(10).eval()(torch.randn(2, 3, 224, 224))
    assert 0.2 < float(out.std()) < 5


def test_the_signal_and_the_volume_of_the_lecture() -> None:
    """14 samples and a kernel of 5 leave 10; 14^3 voxels and five kernels of 5^3 leave five maps of 10^3."""
    assert signal_net(2, widths=(6,))[0](torch.rand(1, 1, 14)).shape == (1, 6, 10)
    assert volume_net()[0](torch.rand(1, 1, 14, 14, 14)).shape == (1, 5, 10, 10, 10)
    assert signal_net(3)(torch.rand(2, 1, 32)).shape == (2, 3)


@pytest.mark.parametrize(("build", "said"), [
    (lambda: mlp(10), "input and its output at least"),
    (lambda: mlp(10, 0, 3), "all positive"),
    (lambda: lenet5(size=30), "28 or 32 pixels a side, not 30"),
    (lambda: vgg("vgg12"), "there is no 'vgg12'; known: vgg11, vgg13, vgg16, vgg19"),
    (lambda: vgg_cifar("vgg"), "there is no 'vgg'"),
    (lambda: resnet("resnet20"), "there is no 'resnet20'; known: tiny, resnet18"),
    (lambda: resnet_cifar("resnet50"), "there is no 'resnet50'; known: resnet8, resnet20"),
    (lambda: resnet_cifar(shortcut="C"), "the shortcut is A or B, not 'C'"),
    (lambda: densenet("densenet100"), "there is no 'densenet100'"),
    (lambda: densenet_cifar(depth=101), r"6 n \+ 4 layers \(10, 16... 100\), not 101"),
])  # fmt: skip
def test_what_cannot_be_built_is_said(build: Callable[[], nn.Module], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build()


def test_the_siamese_network_layer_by_layer() -> None:
    """Koch et al. 2015, figure 4: 96 x 96 x 64, 42 x 42 x 128, 18 x 18 x 128, 6 x 6 x 256, 4096; parameters by hand."""
    net = on_meta(NETWORKS["siamese"].build)
    assert isinstance(net, nn.Sequential)
    x, shapes = torch.empty(1, 1, 105, 105, device="meta"), []
    for layer in net:
        x = layer(x)
        if isinstance(layer, nn.Conv2d | nn.Linear):
            shapes.append(tuple(x.shape[1:]))
    assert shapes == [(64, 96, 96), (128, 42, 42), (128, 18, 18), (256, 6, 6), (4096,)]
    by_hand = 64 * 101 + 128 * (49 * 64 + 1) + 128 * (16 * 128 + 1) + 256 * (16 * 128 + 1) + 4096 * (9216 + 1)
    assert parameters(net) == by_hand == 38_947_648
    with pytest.raises(ValueError, match="65 pixels a side or more, not 64"):
        NETWORKS["siamese"].build(size=64)
    assert NETWORKS["siamese"].build(classes=3, size=65, widths=(4, 4, 4, 4))(torch.zeros(2, 1, 65, 65)).shape == (2, 3)
