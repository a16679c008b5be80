"""Generators measured: what is compared with what, under which name, and the sheet of neighbours."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.cli import main
from mien.data.pictures import read_picture
from mien.models.generator import Plan, build, save
from mien.provenance.report import verify
from mien.tasks.generate.evaluating import Material, as_tensor, material, obeyed
from mien.tasks.generate.extracting import Seen, extractor
from mien.weights import card

CPU = torch.device("cpu")
VAE8 = Plan("vae", 8, {"latent": 2, "width": 16})


def written(path: Path, channels: int = 1, test: int = 12) -> Path:
    """A data set of noise, 40 training pictures of 8 pixels of ten classes."""
    random, arrays = np.random.default_rng(0), {}
    for part, count in (("train", 40), ("test", test)):
        if count:
            arrays[f"x_{part}"] = random.integers(0, 256, (count, 8, 8, channels), np.uint8)
            arrays[f"y_{part}"] = np.arange(count) % 10
    np.savez(path, **arrays)
    return path


def model(path: Path, plan: Plan = VAE8) -> str:
    torch.manual_seed(0)
    save(path, build(plan), plan)
    return str(path)


def test_scores_say_who_looked_and_at_how_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, sheet = written(tmp_path / "noise.npz"), tmp_path / "near.png"
    line = ["generate", "evaluate", model(tmp_path / "m.safetensors"), str(data), "--samples", "2", "--neighbours", str(sheet)]
    assert main([*line, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    names = [one["name"] for one in told["scores"]]
    assert [name.split()[0] for name in names] == ["FID", "KID", "IS", "precision", "recall", "nearest"]
    assert names[0] == f"FID lenet5-digits@{card('lenet5-digits').sha256[:8]}"
    assert "12 drawn (12 training) against 12 test pictures of noise.npz" in told["scores"][0]["protocol"]
    assert "8 pixels brought to 28" in told["scores"][0]["protocol"]
    assert told["likely"]["bound"] > told["likely"]["nats"] - 5
    assert read_picture(sheet).shape[1] == 12 * (16 + 4) + 4
    assert "compositeWithTrainedAlgorithmicMedia" in str(verify(sheet))
    assert main([*line, "--no-distances"]) == 0
    assert "nats a picture" in capsys.readouterr().out


def test_colours_without_test_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of the training pictures are compared with, the other half is the best that can be hoped for; the pictures do not meet."""
    data, plan = written(tmp_path / "noise.npz", 3, 0), Plan("gan", 8, {"latent": 4, "width": 4}, 3)
    real = material(data, plan, 100)
    assert (len(real.test), len(real.train)) == (20, 20)
    assert not (real.test.flatten(1)[:, None] == real.train.flatten(1)[None]).all(2).any()
    assert main(["generate", "evaluate", model(tmp_path / "m.safetensors", plan), str(data), "--images", "6", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["likely"] is None
    assert told["scores"][0]["name"].startswith(f"FID speednet-cifar10@{card('speednet-cifar10').sha256[:8]}")
    assert "training pictures (there are none for testing)" in told["scores"][0]["protocol"]


def test_features_are_those_before_the_last_layer() -> None:
    """84 of LeNet-5, 256 of the quick network; its last layer makes the chances of them."""
    look = extractor("", 1, CPU)
    seen = look.see(torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8), "noise")
    assert seen.features.shape == (3, 84)
    last = [part for part in look.net.modules() if isinstance(part, torch.nn.Linear)][-1]
    assert torch.allclose(last(seen.features).softmax(1), seen.chances, atol=1e-5)
    assert look.fits(28) == ""
    assert extractor("", 3, CPU).see(torch.zeros(2, 3, 64, 64, dtype=torch.uint8), "black").features.shape == (2, 256)


def test_obedience_by_hand() -> None:
    """Labels 0, 1, 2, 0 in turn, named 0, 1, 1, 0: three of four; training pictures: one of two."""
    look = extractor("", 1, CPU)
    plan, chances = Plan("cgan", 8, {}, 1, ("a", "b", "c")), torch.eye(3)
    real = Material(torch.empty(0), torch.empty(0), torch.tensor([0, 1, 2]), "test")
    ours, best = Seen(torch.empty(0), chances[[0, 1, 1, 0]]), Seen(torch.empty(0), chances[[0, 2]])
    found = obeyed(look, ours, best, real, plan)
    assert (found.value, found.training) == (0.75, 0.5)


def test_a_network_with_labels_is_asked_for_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Untrained it obeys by chance; training pictures of noise are not what they are called either."""
    data, plan = written(tmp_path / "noise.npz"), Plan("cgan", 8, {}, 1, tuple("0123456789"))
    assert main(["generate", "evaluate", model(tmp_path / "m.safetensors", plan), str(data), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["scores"][-1]
    assert found["name"].startswith("conditional accuracy lenet5-digits@")
    assert 0 <= found["value"] <= 0.5
    assert found["training"] is not None


def test_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, file = written(tmp_path / "noise.npz"), model(tmp_path / "m.safetensors")
    for more, word in ((["--images", "3"], "found 3 images"), (["--samples", "0"], "0 samples"), (["--extractor", "nobody"], "nobody"),
                       (["--neighbours", str(tmp_path / "near.txt")], "cannot write")):  # fmt: skip
        assert main(["generate", "evaluate", file, str(data), *more]) == 2
        assert word in capsys.readouterr().err
    assert as_tensor(np.zeros((2, 4, 5, 3), np.uint8)).shape == (2, 3, 4, 5)
