"""The bundled games: a digit that is asked for is drawn, faces are in colour and not alike."""

import pytest
import torch

from mien import weights
from mien.models import classifier
from mien.models.generator import draw, load
from mien.nn.batches import seeded
from mien.train.gan_watch import spread


def test_digits_are_those_asked_for() -> None:
    """As the card says of 10,000, of 200."""
    net, plan = load(weights.locate("digits-cgan"))
    labels = torch.arange(200) % 10
    drawn = draw(net, plan.side, 200, seeded(1), labels=labels)
    judge, _ = classifier.load("lenet5-digits")
    told = classifier.probabilities(judge.eval(), (drawn * 255).round().byte()).argmax(1)
    assert float((told == labels).float().mean()) > 0.9
    assert plan.labels == tuple("0123456789")


def test_faces_are_of_many_colours() -> None:
    net, plan = load(weights.locate("anime-dcgan"))
    drawn = draw(net, plan.side, 32, seeded(1))
    assert drawn.shape == (32, 3, 64, 64)
    assert spread(drawn * 2 - 1) > 0.3
    assert float((drawn[:, 0] - drawn[:, 2]).abs().mean()) > 0.05


@pytest.mark.parametrize("name", ["digits-cgan", "anime-dcgan"])
def test_the_card_counts_right(name: str) -> None:
    net, _ = load(weights.locate(name))
    assert sum(p.numel() for p in net.parameters()) == weights.card(name).parameters
