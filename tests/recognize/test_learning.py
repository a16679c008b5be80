"""From a folder by person to a run folder: who is held back, what is written, what is refused."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.cli import main
from mien.data.locked import locked
from mien.data.pictures import write_picture
from mien.models.embedder import load, vectors
from mien.tasks.recognize import recipes
from mien.tasks.recognize.learning import train_embedder
from mien.train.metric_session import prepare_people, unseen
from mien.train.recipe import MetricRecipe
from mien.types import LearnedEmbedder

TINY = MetricRecipe("mlp", "", {"widths": [8 * 8 * 3, 16]}, size=8, epochs=2, optimiser="adam", lr=1e-3, vector=6, people=4, photos=2,
                    average=0.5, turn=5.0, zoom=0.1, light=0.1, flip=True, shift=1, dev=0.2)  # fmt: skip


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten people with three to five pictures."""
    folder, random = tmp_path_factory.mktemp("album"), np.random.default_rng(0)
    for person in range(10):
        own = random.integers(40, 215, (2, 2, 3)).repeat(4, 0).repeat(4, 1)
        for photo in range(3 + person % 3):
            image = (own + random.integers(-30, 30, (8, 8, 3))).astype(np.uint8)
            write_picture(folder / f"person {person}" / f"{photo}.png", image)
    return folder


@pytest.fixture(scope="module")
def trained(album: Path, tmp_path_factory: pytest.TempPathFactory) -> LearnedEmbedder:
    return train_embedder(album, tmp_path_factory.mktemp("run"), TINY, None, ["loss=pairwise", "epochs=3"], False, "cpu", "fp32")


def test_people_are_divided_exactly_and_nobody_twice(album: Path) -> None:
    ready = prepare_people(replace(TINY, test=0.3), album)
    assert {name: len(some) for name, some in ready.names.items()} == {"train": 5, "dev": 2, "test": 3}
    assert sorted(sum(ready.names.values(), ())) == [f"person {number}" for number in range(10)]
    assert sum(map(len, ready.parts.values())) == sum(3 + person % 3 for person in range(10))
    for name, part in ready.parts.items():
        counts = torch.bincount(part.labels).tolist()
        assert counts == [3 + int(person.split()[1]) % 3 for person in ready.names[name]]
    assert prepare_people(replace(TINY, test=0.3), album).names == ready.names
    assert prepare_people(replace(TINY, test=0.3, seed=1), album).names != ready.names


def test_a_run_that_is_being_trained_is_left_alone(trained: LearnedEmbedder, album: Path) -> None:
    before = (trained.out / "recipe.json").read_bytes()
    with locked(trained.out, ""), pytest.raises(RuntimeError, match="is being trained by process"):
        train_embedder(album, trained.out, TINY, None, ["loss=pairwise", "epochs=4"], True, "cpu", "fp32")
    assert (trained.out / "recipe.json").read_bytes() == before


def test_the_run_folder_is_complete(trained: LearnedEmbedder) -> None:
    assert sorted(trained.files) == sorted(
        ["model.safetensors", "head.safetensors", "recipe.json", "partition.json", "curves.png", "distances.png", "card.toml"]
    )
    assert all((trained.out / name).is_file() for name in trained.files)
    card = tomllib.loads((trained.out / "card.toml").read_text())
    assert (card["kind"], card["parameters"]) == ("embedder", trained.parameters)
    assert [score["name"] for score in card["scores"]][:2] == ["AUC", "EER"]
    split = json.loads((trained.out / "partition.json").read_text())
    assert {name: len(people) for name, people in split.items()} == trained.people
    assert trained.reason == "steps"
    assert trained.auc is not None


def test_the_model_gives_the_measured_figures(trained: LearnedEmbedder, album: Path) -> None:
    net, plan = load(trained.out)
    test = prepare_people(replace(TINY, loss="pairwise"), album).parts["test"]
    found = unseen(vectors(net, test.images, plan.mirror).numpy(), test.labels.numpy())
    assert found.auc == pytest.approx(trained.auc, abs=0.02)
    assert found.threshold == pytest.approx(trained.threshold, abs=1e-3)


def test_a_used_folder_is_refused_and_resumed(trained: LearnedEmbedder, album: Path) -> None:
    again = ["loss=pairwise", "epochs=3"]
    with pytest.raises(ValueError, match="holds a run already"):
        train_embedder(album, trained.out, TINY, None, again, False, "cpu", "fp32")
    with pytest.raises(ValueError, match="loss pairwise -> arcface"):
        train_embedder(album, trained.out, TINY, None, ["loss=arcface", "epochs=3"], True, "cpu", "fp32")
    assert train_embedder(album, trained.out, TINY, None, again, True, "cpu", "fp32").auc == trained.auc


def test_unseen_by_hand() -> None:
    """On a line: same pairs 1 and 2 apart, different ones 4, 6, 5, 7... all farther: nothing is ever taken for another."""
    found = unseen(np.array([[0.0], [1.0], [5.0], [7.0]]), np.array([0, 0, 1, 1]))
    assert (found.auc, found.eer, found.threshold, found.one_shot) == (1.0, 0.0, 2.0, None)


def test_too_few_people(album: Path) -> None:
    with pytest.raises(ValueError, match="10 people, which makes train 8, dev 1, test 1: expected two or more"):
        prepare_people(replace(TINY, dev=0.1, test=0.1), album)


def test_recipes_differ_in_their_loss() -> None:
    every = [recipes.orl_triplet, recipes.orl_semi_hard, recipes.orl_batch_hard, recipes.orl_pairwise, recipes.orl_contrastive,
             recipes.orl_arcface, recipes.orl_cosface]  # fmt: skip
    assert [make().loss for make in every] == ["triplet", "semi-hard", "batch-hard", "pairwise", "contrastive", "arcface", "cosface"]
    assert all(replace(make(), loss="triplet", lr=recipes.ORL.lr) == recipes.orl_triplet() for make in every)


def test_recipes_are_found_and_run_by_mien_train(tmp_path: Path, album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = (f"data={album.name}", "size=20", "epochs=0.1", "people=3", "options.widths=4,4,4")
    words = ["recognize/orl-arcface", "--data", str(album.parent)]
    assert main(["train", *words, "--out", str(tmp_path / "run"), *(f"--set={one}" for one in changes), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["loss"], said["people"]) == ("arcface", {"train": 8, "dev": 0, "test": 2})
    assert main(["tune", *words, "--range", "lr=1e-3..1:log", "--out", str(tmp_path)]) == 2
    assert "trains no classifier" in capsys.readouterr().err
