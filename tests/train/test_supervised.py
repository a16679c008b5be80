"""Supervised training: penalties and schedules by hand, the same batches after a resume, with one process or two."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from supervised_probe import RECIPE, run, task
from torch import nn

from mien.train.optim import groups, penalised, rate
from mien.train.recipe import Recipe, settings
from mien.train.types import Event

SCHEDULE = Recipe("mlp", "")


@pytest.mark.parametrize(("changes", "share", "factor"), [
    ({}, 0.7, 1.0),
    ({"schedule": "step"}, 0.49, 1.0),
    ({"schedule": "step"}, 0.5, 0.1),
    ({"schedule": "step"}, 0.8, 0.01),
    ({"schedule": "cosine"}, 0.5, 0.5),
    ({"schedule": "cosine", "final": 0.1}, 1.0, 0.1),
    ({"schedule": "linear", "warmup": 0.2, "final": 0.1}, 0.1, 0.5),
    ({"schedule": "linear", "warmup": 0.2, "final": 0.1}, 0.6, 0.55),
    ({"schedule": "onecycle"}, 0.15, 0.5),
    ({"schedule": "onecycle"}, 0.65, 0.5),
])  # fmt: skip
def test_rates_by_hand(changes: dict, share: float, factor: float) -> None:
    assert rate(replace(SCHEDULE, **changes), share) == pytest.approx(factor)


def test_cosine_falls_all_the_way() -> None:
    rates = [rate(replace(SCHEDULE, schedule="cosine"), share) for share in np.linspace(0, 1, 50)]
    assert all(a > b for a, b in pairwise(rates))
    assert rates[25] == pytest.approx((1 + math.cos(math.pi * 25 / 49)) / 2)


def test_who_is_penalised() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2))
    assert penalised(net, "weights") == {"0.weight", "3.weight"}
    assert len(penalised(net, "all")) == 6
    assert penalised(net, r"^3") == {"3.weight", "3.bias"}
    with pytest.raises(ValueError, match="name of no parameter"):
        penalised(net, "encoder")
    with pytest.raises(ValueError, match="no regular expression"):
        penalised(net, "(")
    decayed = [g for g in groups(net, replace(SCHEDULE, l2=0.5, bias_lr=2.0)) if g["weight_decay"]]
    assert [len(g["params"]) for g in decayed] == [2]
    assert {g["lr"] for g in groups(net, replace(SCHEDULE, lr=0.1, bias_lr=2.0))} == {0.1, 0.2}


def test_l1_pulls_every_weight_by_the_same_amount(tmp_path: Path) -> None:
    plain, pulled = (task(l1=l1, l2=0.0, momentum=0.0, clip=0.0, average=0.0, warmup=0.0, schedule="constant") for l1 in (0.0, 0.01))
    before = plain.l1, {n: p.detach().clone() for n, p in pulled.net.named_parameters()}
    for number, one in enumerate((plain, pulled)):
        run(one, tmp_path / str(number), 1)
    for name, p in pulled.net.named_parameters():
        gap = dict(plain.net.named_parameters())[name] - p
        expected = 0.1 * 0.01 * before[1][name].sign() if p.ndim > 1 else torch.zeros_like(p)
        torch.testing.assert_close(gap, expected, atol=1e-6, rtol=0)


def test_learns_and_counts(tmp_path: Path) -> None:
    one = task(mixup=0.0, epochs=6)
    fitted = run(one, tmp_path, one.steps)
    assert one.steps == 24
    assert fitted.history[-1]["score"] == 1.0
    assert fitted.history[-1]["train/accuracy"] > 0.9
    assert one.predict(one.train.images).argmax(1).eq(one.train.labels).float().mean() > 0.95


class Killed(Exception):  # noqa: N818
    """What a test raises in the middle of a run."""


@pytest.mark.parametrize("at", [3, 7])
def test_killed_and_resumed_equals_undisturbed(tmp_path: Path, at: int) -> None:
    """Killed before the first save (step 5) and after it; batches, mixing, penalties, average go on as if nothing had happened."""

    def kill(event: Event) -> None:
        if event.kind == "step" and event.step == at:
            raise Killed

    alone, first, second = task(), task(), task()
    run(alone, tmp_path / "alone", 10)
    with pytest.raises(Killed):
        run(first, tmp_path / "parted", 10, kill)
    assert run(second, tmp_path / "parted", 10).steps == 10
    for a, b in zip(alone.result.state_dict().values(), second.result.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_an_epoch_shows_every_picture_once() -> None:
    one = task()
    seen = torch.cat([one._shuffled(0)[k * 16 : (k + 1) * 16] for k in range(4)])
    assert sorted(seen.tolist()) == list(range(64))
    assert not torch.equal(one._shuffled(0).clone(), one._shuffled(1))


@pytest.mark.parametrize(("changes", "said"), [
    ({"network": "vgg16", "options": {}}, "vgg16 cannot take pictures of 3 channels and 12 x 12 pixels"),
    ({"network": "signal", "options": {}}, "signal cannot take pictures"),
    ({"network": "dlib-face", "options": {}}, "cannot be built"),
    ({"shift": 12}, "leaves nothing of pictures of 12 x 12"),
])  # fmt: skip
def test_pictures_that_the_network_cannot_take(changes: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        task(**changes)


def test_settings_from_text() -> None:
    changed = settings(["lr=0.01", "nesterov=true", "size=16", "milestones=0.3,0.6", "options.widths=64,32", "optimiser=adam"], RECIPE)
    assert (changed.lr, changed.nesterov, changed.size, changed.milestones, changed.optimiser) == (0.01, True, 16, (0.3, 0.6), "adam")
    assert changed.options == {"widths": [64, 32]}
    assert settings(["size=none"], changed).size is None
    assert RECIPE.lr == 0.1


@pytest.mark.parametrize(("pair", "said"), [
    ("learning_rate=1", "nearest is"),
    ("epoch=3", "nearest is 'epochs'"),
    ("lr=fast", "lr is a number, not 'fast'"),
    ("batch=1.5", "batch is a whole number"),
    ("optimiser=adan", "one of sgd, adam"),
    ("nesterov=maybe", "true or false"),
    ("lr", "name=value"),
    ("lr=-1", "lr cannot be -1"),
    ("dev=1", "dev cannot be 1"),
    ("epochs=inf", "epochs cannot be inf"),
    ("lr=1e400", "lr cannot be inf"),
    ("size=0", "size cannot be 0"),
    ("betas=0.9", "betas cannot be"),
    ("seed=-1", "seed cannot be -1"),
    ("patience=-1", "patience cannot be -1"),
    ("options=3", "one by one: options.NAME=value"),
    ("lr.a=3", "lr has no parts"),
])  # fmt: skip
def test_bad_settings(pair: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings([pair], RECIPE)
