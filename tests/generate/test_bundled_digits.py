"""The bundled generators of digits: by name, without a network, as good as their cards say."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.cli import main
from mien.data.examples import read_examples
from mien.data.pictures import read_picture, write_picture
from mien.models.generator import draw
from mien.nn.batches import seeded
from mien.tasks.generate.asked import opened
from mien.train.generate import coloured, costs
from mien.weights import card


@pytest.mark.parametrize(("name", "score"), [("digits-vae", "nats, upper bound"), ("digits-pixelcnn", "nats")])
def test_nats_of_a_hundred_digits_are_those_of_the_card(name: str, score: str, data_dir: Path) -> None:
    """Within four standard errors: a hundred digits say no more."""
    net, _ = opened(name)
    some = torch.from_numpy(read_examples(data_dir / "digits", "test", 28, 1).images[::100].copy())
    with torch.no_grad():
        found = costs(net, coloured(some, seeded(0)), seeded(1))["cost"]
    told = {one.name: one.value for one in card(name).scores}[score]
    assert float(found.mean()) == pytest.approx(told, abs=4 * float(found.std()) / math.sqrt(len(found)))


def test_a_digit_is_completed_by_name(tmp_path: Path) -> None:
    """The upper half stays; what is below is ink and paper, some of each."""
    picture = np.zeros((28, 28, 3), np.uint8)
    picture[5:8, 7:20] = picture[8:22, 16:19] = 255
    write_picture(tmp_path / "seven.png", picture)
    line = ["generate", "digits-pixelcnn", "--complete", str(tmp_path / "seven.png"), "--count", "4", "--zoom", "1"]
    assert main([*line, "--out", str(tmp_path / "out.png"), "--no-sign"]) == 0
    sheet = read_picture(tmp_path / "out.png")
    assert (sheet[2:16, 2:30] == picture[:14]).all()
    assert 0 < sheet[16:30, 2:30].mean() < 128


def test_the_same_seed_draws_the_same_digits() -> None:
    net, plan = opened("digits-vae")
    first, again, other = (draw(net, plan.side, 2, seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
