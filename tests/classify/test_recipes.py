"""The recipes of the papers' networks: settings as in the papers, pictures their networks take, and a step of training."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from mien.cli import main
from mien.models.catalog import NETWORKS
from mien.models.classifier import Plan, check
from mien.models.googlenet import GoogLeNetWithHeads
from mien.runtime import choose
from mien.tasks.classify import recipes
from mien.tasks.training.known import known
from mien.train.loop import _fabric
from mien.train.optim import rate
from mien.train.recipe import Recipe
from mien.train.supervised import Part, SupervisedTask

IMAGENET = ("alexnet", "zfnet", "vgg11", "vgg13", "vgg16", "vgg19", "googlenet", "resnet18", "resnet34", "resnet50", "resnet101",
            "resnet152", "densenet121", "densenet169", "densenet201")  # fmt: skip
STEPS = {"alexnet": 227, "googlenet": 224, "resnet18": 64, "resnet50": 64, "densenet121": 64, "resnet32": 32, "resnet110": 32}
"""Pixels a side: what the network needs, or less where it takes less."""


def of(name: str) -> Recipe:
    return getattr(recipes, name)()


def task(recipe: Recipe, size: int) -> SupervisedTask:
    """Four pictures of noise, two of each class, in batches of two."""
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, size, size, 3), dtype=np.uint8))
    small = replace(recipe, batch=2, average=0.0, names=())
    return SupervisedTask(small, ("a", "b"), Part(images, torch.tensor([0, 1, 0, 1])))


@pytest.mark.parametrize("name", IMAGENET)
def test_takes_its_pictures_and_any_folder(name: str) -> None:
    recipe = of(name)
    assert recipe.size is not None
    assert (3, recipe.size, recipe.size) == NETWORKS[recipe.network].shape
    assert recipe.data == ""
    check(Plan(recipe.network, (3, recipe.size, recipe.size), ("a", "b", "c"), recipe.inputs, recipe.mirror, dict(recipe.options)))
    assert f"classify/{name}" in known()


@pytest.mark.parametrize(("name", "epoch", "expected"), [
    ("alexnet", 0, 0.01), ("alexnet", 89, 1e-5),
    ("vgg16", 0, 0.01), ("vgg16", 73, 1e-5),
    ("googlenet", 7, 0.01), ("googlenet", 9, 0.0096), ("googlenet", 81, 0.01 * 0.96**10), ("googlenet", 249, 0.01 * 0.96**31),
    ("resnet18", 29, 0.1), ("resnet50", 119, 1e-4),
    ("densenet121", 29, 0.1), ("densenet121", 31, 0.01), ("densenet121", 61, 0.001),
    ("resnet110", 0.1, 0.01), ("resnet110", 2, 0.1), ("resnet110", 83, 0.01), ("resnet110", 124, 0.001),
])  # fmt: skip
def test_rates_as_in_the_papers(name: str, epoch: float, expected: float) -> None:
    recipe = of(name)
    assert recipe.lr * rate(recipe, epoch / recipe.epochs) == pytest.approx(expected, rel=0.05 if epoch == 0.1 else 1e-9)


@pytest.mark.parametrize(("name", "steps"), [("vgg16", 370_000), ("resnet50", 600_000)])
def test_as_many_steps_as_in_the_papers(name: str, steps: int) -> None:
    recipe = of(name)
    assert recipe.epochs * 1_281_167 / recipe.batch == pytest.approx(steps, rel=0.005)


@pytest.mark.parametrize(("name", "size"), STEPS.items())
def test_one_step_moves_every_weight(name: str, size: int) -> None:
    one, runtime = task(of(name), size), choose("cpu", "fp32")
    fabric = _fabric(runtime)
    one.setup(fabric, runtime)
    one.share = 0.5
    before = [(p, p.detach().clone()) for p in one.net.parameters() if p.ndim > 1]
    assert torch.isfinite(torch.as_tensor(one.step(fabric, 0)["loss"]))
    assert [p.shape for p, old in before if torch.equal(p, old)] == []


def test_side_heads_count_three_tenths() -> None:
    """Section 5: "the losses of the auxiliary classifiers were weighted by 0.3"."""
    recipe = replace(of("googlenet"), flip=False, shift=0, label_smoothing=0.0)
    one, runtime = task(recipe, 224), choose("cpu", "fp32")
    for module in one.net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    assert isinstance(one.net[1], GoogLeNetWithHeads)
    fabric = _fabric(runtime)
    one.setup(fabric, runtime)
    which = one._shuffled(0)[:2]
    with torch.no_grad():
        losses = [F.cross_entropy(out, one.train.labels[which]) for out in one.net(one.train.images[which].permute(0, 3, 1, 2))]
    assert len(losses) == 3
    assert float(one.step(fabric, 0)["loss"]) == pytest.approx(float(losses[0] + 0.3 * losses[1] + 0.3 * losses[2]), rel=1e-5)
    assert one.predict(one.train.images).shape == (4, 2)


def test_a_folder_of_folders_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(0)
    for label in ("cats", "dogs"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(10):
            picture = random.integers(0, 256, (36, 40, 3), dtype=np.uint8)
            Image.fromarray(picture).save(tmp_path / "data" / label / f"{number}.png")
    line = ["train", "classify/resnet18", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "run"), "--device", "cpu",
            "--precision", "fp32", "--set", "size=32", "--set", "epochs=1", "--set", "options.width=8", "--json"]  # fmt: skip
    assert main(line) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["classes"], said["pictures"], said["epochs"]) == (2, {"train": 18, "dev": 0, "test": 2}, 1.0)
