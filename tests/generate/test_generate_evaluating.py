"""Generators measured: what is compared with what, under which name, and the sheet of neighbours."""

import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.cli import main
from mien.data.pictures import read_picture
from mien.models.classifier import load
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
    look, (net, _) = extractor("", 1, CPU), load("lenet5-digits")
    seen = look.see(torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8), "noise")
    assert seen.features.shape == (3, 84)
    last = [part for part in net.modules() if isinstance(part, torch.nn.Linear)][-1]
    assert torch.allclose(last(seen.features).softmax(1), seen.chances, atol=1e-5)
    assert look.fits(28) == ""
    assert extractor("", 3, CPU).see(torch.zeros(2, 3, 64, 64, dtype=torch.uint8), "black").features.shape == (2, 256)


def exported(path: Path, net: torch.nn.Module, x: torch.Tensor) -> str:
    """As ONNX, any number of pictures at once."""
    pytest.importorskip("onnxscript")
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(net.eval(), (x,), dynamo=True, dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False)
        assert program is not None
        program.save(path)
    return str(path)


class Both(torch.nn.Module):
    """Means of blocks, and three logits."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        means = torch.nn.functional.avg_pool2d(x, 8).flatten(1)
        return means, means[:, :3] * 10


@pytest.mark.parametrize("logits", [False, True])
def test_an_onnx_file_looks(tmp_path: Path, capsys: pytest.CaptureFixture[str], logits: bool) -> None:
    """Twelve means of a picture's blocks are its features; logits, where there are some, are named."""
    pytest.importorskip("onnxruntime")
    net = Both() if logits else torch.nn.Sequential(torch.nn.AvgPool2d(8), torch.nn.Flatten())
    file, pictures = exported(tmp_path / "blocks.onnx", net, torch.zeros(2, 3, 16, 16)), torch.randint(0, 256, (5, 3, 16, 16)).byte()
    look = extractor(file, 3, CPU)
    seen = look.see(pictures, "noise")
    assert torch.allclose(seen.features, torch.nn.functional.avg_pool2d(pictures / 255, 8).flatten(1), atol=1e-6)
    assert seen.chances.shape == (5, 3 if logits else 0)
    data = written(tmp_path / "noise.npz")
    line = ["generate", "evaluate", model(tmp_path / "m.safetensors"), str(data), "--samples", "2", "--extractor", file]
    assert main([*line, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    code = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:8]
    assert [one["name"].split()[0] for one in scores] == ["FID", "KID", *(["IS"] if logits else []), "precision", "recall"]
    assert all(f"blocks@{code}" in one["name"] for one in scores)
    assert "8 pixels brought to 16" in scores[0]["protocol"]


def test_an_onnx_file_that_will_not_do(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "text.onnx").write_text("no network")
    for name, word in (("text.onnx", "cannot be read as ONNX"), ("none.onnx", "there is no file")):
        with pytest.raises(ValueError, match=word):
            extractor(str(tmp_path / name), 3, CPU)
    flat = exported(tmp_path / "flat.onnx", torch.nn.Linear(4, 2), torch.zeros(2, 4))
    with pytest.raises(ValueError, match="expected one batch of square pictures"):
        extractor(flat, 3, CPU)


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
