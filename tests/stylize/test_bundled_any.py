"""The bundled network for any style: its size, and that VGG16 sees of each picture what it should in what it makes."""

from pathlib import Path

import pytest
import torch

from mien import weights
from mien.data.pictures import read_picture
from mien.models import vgg_features
from mien.models.stylizer import read_plan
from mien.models.stylizers import known, opened
from mien.nn.style import mean_gram, style_cost
from mien.tasks.stylize.forward import shrunk

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
STYLES = ("mondrian.jpg", "woman_with_hat_matisse.jpg", "brushstrokes.jpg")
"""The last one was not learnt from."""


def test_any_style_in_little_more_than_a_megabyte():
    path = weights.locate("mien-adain")
    assert (read_plan(path).network, read_plan(path).styles) == ("adain", ())
    assert path.stat().st_size < 1.2e6
    assert weights.card("mien-adain").parameters == 483_875
    assert "any" in known()


@torch.inference_mode()
def test_every_style_is_nearer_to_its_own_picture_than_the_photograph_and_the_others(data_dir: Path):
    if not vgg_features.at_hand():
        pytest.skip("the weights of VGG16 are not on this machine")
    vgg, folder = vgg_features.load(), data_dir / "style"
    looks = [shrunk(read_picture(folder / "style" / name), 192) for name in STYLES]
    wanted = [{layer: mean_gram(maps) for layer, maps in vgg(look, LAYERS).items()} for look in looks]
    photo = shrunk(read_picture(folder / "content" / "chicago.jpg"), 160)
    made = [opened("any").pictured([look], ["one"])(photo).clamp(0, 1) for look in looks]
    costs = torch.tensor([[sum(float(style_cost(mean_gram(maps), grams[layer]) / style_cost(torch.zeros(()), grams[layer]))
                               for layer, maps in vgg(picture, LAYERS).items()) for grams in wanted]
                          for picture in (*made, photo)])  # fmt: skip
    assert costs[:3].argmin(1).tolist() == [0, 1, 2]
    assert (costs[:3].diagonal() < costs[3] / 2).all()
