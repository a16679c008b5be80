"""A network that does not answer as its card says is refused: wrong weights, wrong order, wrong colours."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from mien import weights
from mien.models import checking, classifier, vgg_features
from mien.models.vgg_features import CARD, VGGFeatures
from mien.weights import Preprocessing


def answering(net: VGGFeatures) -> dict[str, tuple[float, ...]]:
    with torch.no_grad():
        return checking.told(net.checked(checking.known_picture(), ("relu1_2", "relu3_3")))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> VGGFeatures:
    """A small network, with a card that says what it answers."""
    torch.manual_seed(0)
    net = VGGFeatures(widths=(8, 8, 8, 8, 8)).eval()
    card = replace(weights.card(CARD), check=answering(net))
    monkeypatch.setattr(weights, "card", lambda _: card)
    return net


def test_the_known_picture_is_the_same_everywhere() -> None:
    picture = checking.known_picture()
    assert picture.shape == (1, 3, 64, 64)
    assert picture[0, :, 5, 20].tolist() == pytest.approx([1.0, 0.1, 0.1])
    assert picture[0, :, 60, 3].tolist() == pytest.approx([3 / 63, 60 / 63, (2 - 63 / 63) / 2])
    assert not picture[0, :, 1].any()
    grey = checking.known_picture(1, 28)
    assert grey.shape == (1, 1, 28, 28)
    assert 0 <= float(grey.min()) < float(grey.max()) <= 1


def test_what_is_told_are_means_of_four_groups() -> None:
    maps = torch.arange(8.0).reshape(1, 8, 1, 1).expand(1, 8, 2, 3)
    assert checking.told({"a": maps}) == {"a": (0.5, 2.5, 4.5, 6.5)}


def test_the_network_of_the_card_passes_also_with_other_pools(tiny: VGGFeatures) -> None:
    checking.check(CARD, tiny.checked)
    tiny.average = True
    checking.check(CARD, tiny.checked)
    assert tiny.average


@pytest.mark.parametrize("preprocessing", [
    Preprocessing("RGB", 255.0, (123.68, 116.779, 103.939)), Preprocessing("BGR", 1.0, (0.4, 0.4, 0.4)), Preprocessing("BGR", 255.0),
])  # fmt: skip
def test_a_picture_prepared_otherwise_is_noticed(tiny: VGGFeatures, preprocessing: Preprocessing) -> None:
    other = VGGFeatures(widths=(8, 8, 8, 8, 8), preprocessing=preprocessing)
    other.load_state_dict(tiny.state_dict())
    with pytest.raises(RuntimeError, match=r"vgg16-features is not the network of its card: layer relu1_2 answers .* otherwise"):
        checking.check(CARD, other.checked)


def test_two_layers_exchanged_are_noticed(tiny: VGGFeatures) -> None:
    state = tiny.state_dict()
    one, other = "convs.conv2_2.weight", "convs.conv3_1.weight"
    tiny.load_state_dict(state | {one: state[other].clone(), other: state[one].clone()})
    with pytest.raises(RuntimeError, match="layer relu3_3"):
        checking.check(CARD, tiny.checked)


def test_numbers_that_are_none_are_noticed(tiny: VGGFeatures) -> None:
    nn.init.constant_(tiny.convs["conv1_1"].weight, float("nan"))  # pyright: ignore[reportArgumentType]
    with pytest.raises(RuntimeError, match="relu1_2 answers a known picture nan"):
        checking.check(CARD, tiny.checked)


def test_a_card_that_says_nothing_asks_nothing() -> None:
    def never(x: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        raise AssertionError(layers)

    checking.check("vgg19-features", never)


def test_vgg16_itself_passes_and_red_is_not_blue() -> None:
    if not vgg_features.at_hand():
        pytest.skip("its weights are not here")
    net = vgg_features.load()
    net.flipped = False
    with pytest.raises(RuntimeError, match="is not the network of its card"):
        checking.check(CARD, net.checked)


def test_every_bundled_classifier_answers_as_its_card_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in classifier.bundled():
        assert "logits" in weights.card(name).check
        classifier.load(name)
    opened = classifier.opened

    def turned(path: object) -> tuple[nn.Sequential, classifier.Plan]:
        net, plan = opened(path)  # pyright: ignore[reportArgumentType]
        return net.append(Reversed()), plan

    monkeypatch.setattr(classifier, "opened", turned)
    with pytest.raises(RuntimeError, match="lenet5-digits is not the network of its card: layer logits"):
        classifier.load("lenet5-digits")


class Reversed(nn.Module):
    """Classes in the opposite order."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flip(1)
