"""Classify, evaluate and train on pictures made here: real files in, real files out."""

import json
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mien.cli import main
from mien.models.classifier import Plan, build, load, save
from mien.tasks.classify.predict import fitted
from mien.tasks.classify.run import classify, evaluate, train

COLOURS = {"blue": (40, 60, 200), "green": (30, 180, 60), "red": (200, 40, 50)}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 20 noisy pictures of one colour, of different sizes."""
    random = np.random.default_rng(0)
    top = tmp_path_factory.mktemp("colours")
    for name, colour in COLOURS.items():
        (top / name).mkdir()
        for number in range(20):
            size = random.integers(36, 60, 2)
            picture = np.clip(np.array(colour) + random.normal(0, 40, (*size, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(picture).save(top / name / f"{number}.png")
    return top


@pytest.fixture(scope="session")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network of its own, learned from random weights."""
    out = tmp_path_factory.mktemp("run") / "colours"
    small = ("network=mlp", "options.widths=768,16", "size=16", "epochs=12", "lr=0.05", "batch=16", "bias_lr=1", "shift=1")
    learned = train(folder, out=out, start="nothing", set_=small, device="cpu", precision="fp32")
    assert learned.pictures == {"train": 48, "dev": 6, "test": 6}
    assert learned.test_accuracy == 1.0
    return out


def test_run_folder_is_complete(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert {
        "model.safetensors",
        "card.toml",
        "recipe.json",
        "partition.json",
        "curves.png",
        "confusion.png",
        "mistakes.png",
        "checkpoints",
    } <= names
    split = json.loads((trained / "partition.json").read_text())
    assert sorted(chain(*split.values())) == list(range(60))
    assert 'kind = "classifier"' in (trained / "card.toml").read_text()


def test_classify_from_the_run_folder(trained: Path, folder: Path) -> None:
    found = classify((folder / "red" / "3.png", folder / "green"), model=str(trained), device="cpu", precision="fp32")
    assert [seen.guesses[0].label for seen in found.images] == ["red"] + ["green"] * 20
    assert sum(guess.probability for guess in found.images[0].guesses) == pytest.approx(1, abs=0.001)


def test_evaluate_writes_pictures(trained: Path, folder: Path, tmp_path: Path) -> None:
    found = evaluate(folder, model=str(trained), part="all", out=tmp_path, device="cpu", precision="fp32")
    assert (found.accuracy, found.pictures, [row.pictures for row in found.per_class]) == (1.0, 60, [20, 20, 20])
    assert {"confusion.png", "mistakes.png"} == {path.name for path in tmp_path.iterdir()}


def test_what_was_refused_leaves_the_folder_free(folder: Path, tmp_path: Path) -> None:
    small = ("network=mlp", "options.widths=192,8", "size=8", "epochs=1", "batch=16", "bias_lr=1")
    with pytest.raises(ValueError, match="leaves nothing of pictures of 8 x 8"):
        train(folder, out=tmp_path / "run", start="nothing", set_=(*small, "shift=9"), device="cpu", precision="fp32")
    assert not (tmp_path / "run").exists()
    assert train(folder, out=tmp_path / "run", start="nothing", set_=small, device="cpu", precision="fp32").reason == "steps"


@pytest.mark.parametrize("other", ["network=mlp", "inputs=zca"])
def test_another_network_than_the_start_is_refused(folder: Path, tmp_path: Path, other: str) -> None:
    with pytest.raises(ValueError, match="speednet-cifar10 is a speednet with inputs standard"):
        train(folder, out=tmp_path / "run", set_=(other,))


def test_a_share_for_dev_that_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"dev=0.9 leaves nothing to train on"):
        train(folder, out=tmp_path / "run", set_=("dev=0.9",))


def test_a_used_run_folder_is_not_overwritten(trained: Path, folder: Path) -> None:
    before = (trained / "model.safetensors").read_bytes()
    with pytest.raises(ValueError, match="holds a run already"):
        train(folder, out=trained, start="nothing", set_=("network=mlp", "size=16"))
    assert (trained / "model.safetensors").read_bytes() == before


def test_transfer_keeps_all_but_the_last_layer(trained: Path, folder: Path, tmp_path: Path) -> None:
    """A rate of next to nothing: the body is the old one, and the head has the new number of classes."""
    two = tmp_path / "two"
    for name in ("red", "blue"):
        (two / name).mkdir(parents=True)
        for path in (folder / name).iterdir():
            (two / name / path.name).write_bytes(path.read_bytes())
    train(
        two,
        out=tmp_path / "out",
        start=str(trained),
        set_=("lr=1e-12", "epochs=1", "bias_lr=1", "l2=0"),
        device="cpu",
        precision="fp32",
    )
    (old, _), (new, plan) = load(trained), load(tmp_path / "out")
    assert plan.classes == ("blue", "red")
    old_state, new_state = old.state_dict(), new.state_dict()
    shapes = {name: value.shape for name, value in new_state.items() if value.shape != old_state[name].shape}
    assert set(shapes.values()) == {(2, 16), (2,)}
    for name, value in new_state.items():
        if name not in shapes:
            torch.testing.assert_close(value, old_state[name], atol=1e-6, rtol=0)


def test_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    plan = Plan("mlp", (1, 4, 4), ("a", "b"), "standard", options={"widths": [16]})
    net = build(plan).eval()
    images = torch.randint(0, 256, (3, 1, 4, 4), dtype=torch.uint8)
    net[0].fit(images)  # pyright: ignore[reportCallIssue]
    save(tmp_path / "m.safetensors", net, plan)
    again, read = load(tmp_path / "m.safetensors")
    assert read == plan
    assert torch.equal(again(images), net(images))
    save(tmp_path / "half.safetensors", net, plan, torch.bfloat16)
    half, _ = load(tmp_path / "half.safetensors")
    torch.testing.assert_close(half(images), net(images), atol=0.05, rtol=0.02)
    assert torch.equal(half.state_dict()["0.mean"], net.state_dict()["0.mean"])


def test_pictures_are_made_to_fit_by_hand() -> None:
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:, 4:] = (255, 0, 0)
    assert fitted(picture, (3, 4, 4))[0, :, 0].tolist() == [0, 0, 255, 255]
    assert fitted(picture, (1, 4, 4))[0, :, 0].tolist() == [0, 0, 76, 76]
    assert fitted(picture[:2, :2], (3, 6, 6)).shape == (6, 6, 3)


@pytest.mark.parametrize(("arguments", "said"), [
    (["classify", "{folder}/red/3.png", "--model", "nobody"], "neither a bundled classifier"),
    (["classify", "{folder}/none.png", "--model", "{trained}"], "none.png does not exist"),
    (["classify", "--model", "{trained}"], "requires an argument"),
    (["classify", "{text}", "--model", "{trained}"], "is not a picture"),
    (["classify", "{folder}/red/3.png", "--model", "{text}"], "not a whole .safetensors file"),
    (["classify", "{folder}/red/3.png", "--model", "{trained}", "--top", "0"], "top is at least 1"),
    (["classify", "train", "{folder}", "--out", "{new}", "--start", "nothing", "--set", "epoch=3"], "nearest is 'epochs'"),
    (["classify", "train", "{folder}/red", "--out", "{new}"], "red"),
    (["classify", "train", "{empty}", "--out", "{new}"], "is no data set"),
    (["train", "classify/lenet", "--data", "{folder}"], "nearest is classify/lenet5"),
])  # fmt: skip
def test_bad_input_is_one_line(
    arguments: list[str], said: str, folder: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.jpg").write_text("not a picture")
    places = {
        "folder": folder,
        "trained": trained,
        "new": tmp_path / "new",
        "empty": tmp_path / "empty",
        "text": tmp_path / "text.jpg",
    }
    assert main([argument.format(**places) for argument in arguments]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("mien: ")
    assert said in last
    assert not (tmp_path / "new" / "model.safetensors").exists()


def test_groups_default_command_and_others(folder: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", str(folder / "blue" / "0.png"), "--model", str(trained), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"][0]["guesses"][0]["label"] == "blue"
    assert main(["classify", "evaluate", str(folder), "--part", "all", "--model", str(trained), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1.0
