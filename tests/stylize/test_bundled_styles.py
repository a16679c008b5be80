"""The bundled style network: its styles, and that VGG16 sees each of them in what it makes."""

from pathlib import Path

import pytest
import torch

from mien import weights
from mien.data.drawn import DRAWN
from mien.data.pictures import read_picture
from mien.models import vgg_features
from mien.models.stylizer import load
from mien.nn.style import content_cost, mean_gram, style_cost
from mien.train.style import sized, tensor

PAINTINGS = {"mondrian": "mondrian.jpg", "matisse": "woman_with_hat_matisse.jpg"}
LAYERS = ("relu1_2", "relu2_2", "relu3_3")


def test_four_styles_in_less_than_a_megabyte() -> None:
    path = weights.locate("mien-style")
    net, plan = load(path)
    assert (plan.network, plan.styles) == ("style-net", ("mondrian", "matisse", "waves", "glass"))
    assert path.stat().st_size < 1e6
    assert sum(p.numel() for p in net.parameters()) == weights.card("mien-style").parameters == 414_123


@torch.inference_mode()
def test_every_style_is_nearest_to_its_own_picture_and_the_photograph_is_still_seen(data_dir: Path) -> None:
    if not vgg_features.at_hand():
        pytest.skip("the weights of VGG16 are not on this machine")
    (net, plan), vgg, folder = load(weights.locate("mien-style")), vgg_features.load(), data_dir / "style"
    looks = [DRAWN[name]() if name in DRAWN else read_picture(folder / "style" / PAINTINGS[name]) for name in plan.styles]
    wanted = [{layer: mean_gram(maps) for layer, maps in vgg(sized(tensor(look), 256), LAYERS).items()} for look in looks]
    photo = sized(tensor(read_picture(folder / "content" / "chicago.jpg")), 160)
    made = net(photo.expand(4, -1, -1, -1), torch.eye(4)).clamp(0, 1)
    seen, truth = vgg(made, LAYERS), vgg(photo, LAYERS)
    costs = torch.stack([sum((style_cost(mean_gram(seen[layer]), grams[layer]) / style_cost(torch.zeros(()), grams[layer])
                              for layer in LAYERS), torch.zeros(())) for grams in wanted])  # fmt: skip
    assert costs.argmin(0).tolist() == [0, 1, 2, 3]  # of (styles, pictures)
    other = vgg(photo.flip(3), ["relu3_3"])["relu3_3"]
    assert bool((content_cost(seen["relu3_3"], truth["relu3_3"]) < content_cost(seen["relu3_3"], other)).all())  # not its mirror image
