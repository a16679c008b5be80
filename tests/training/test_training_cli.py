"""`mien recipes`, `mien train`, `mien tune` from the command line on pictures made here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mien.cli import main

SMALL = [
    "--set",
    "options.widths=64",
    "--set",
    "size=8",
    "--set",
    "epochs=20",
    "--set",
    "dev=0.1",
    "--device",
    "cpu",
    "--precision",
    "fp32",
]


def test_every_recipe_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "--json"]) == 0
    found = {row["name"]: row["what"] for row in json.loads(capsys.readouterr().out)["recipes"]}
    assert {"classify/lenet5", "classify/digits-256", "classify/mlp-cifar", "classify/resnet20", "classify/speed"} <= set(found)
    assert all(len(what) > 20 for what in found.values())


def test_train_then_resume_then_other_settings(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["train", "classify/digits-256", "--data", str(data), "--out", str(tmp_path / "run"), *SMALL, "--json"]
    assert main(line) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["test_accuracy"] == 1.0
    assert first["reason"] == "steps"
    assert main(line) == 2
    assert "--resume goes on with it" in capsys.readouterr().err
    assert main([*line, "--resume"]) == 0
    assert json.loads(capsys.readouterr().out)["test_accuracy"] == 1.0
    assert "pictures a second" not in (tmp_path / "run" / "card.toml").read_text(encoding="utf-8"), "no step, no speed"
    assert main([*line, "--resume", "--set", "batch=8"]) == 2
    assert "batch 0 -> 8" in capsys.readouterr().err


def test_a_resumed_run_may_go_on_longer_and_at_another_rate(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["train", "classify/digits-256", "--data", str(data), "--out", str(tmp_path / "run"), *SMALL, "--json"]
    assert main(line) == 0
    changed = ["--set", "epochs=25", "--set", "lr=0.125"]
    assert main([*line, *changed]) == 2
    assert "--resume goes on with it and changes epochs 20.0 -> 25.0, lr 0.5 -> 0.125" in capsys.readouterr().err
    assert main([*line, *changed, "--resume"]) == 0
    assert json.loads(capsys.readouterr().out)["epochs"] == 25
    stored = json.loads((tmp_path / "run" / "recipe.json").read_text(encoding="utf-8"))
    assert (stored["epochs"], stored["lr"]) == (25, 0.125)
    assert stored["changes"] == [{"step": 20, "epochs": [20, 25], "lr": [0.5, 0.125]}]
    assert "epochs 20.0 -> 25.0, lr 0.5 -> 0.125 from step 20" in (tmp_path / "run" / "card.toml").read_text(encoding="utf-8")


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_step(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["train", "classify/digits-256", "--data", str(data), "--out", str(tmp_path / "run"), *SMALL, "--json", "--set", "lr=1e39"]
    assert main(line) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "lower the learning rate (--resume --set lr=1e+38 goes on from the last good step)" in said
    assert "keeps the last good step" in said
    assert list((tmp_path / "run" / "checkpoints").glob("step-*.safetensors"))
    assert main([*line, "--set", "lr=0.5", "--resume"]) == 0, "the advice works"
    assert json.loads(capsys.readouterr().out)["test_accuracy"] == 1.0


EVERYTHING = ("size=8", "options.widths=64,16", "epochs=5", "dev=0.1", "batch=16", "lr=0.1", "momentum=0.9", "shift=1", "flip=true",
              "mixup=0.3", "cutout=3", "average=0.9", "schedule=cosine", "warmup=0.2", "l1=1e-4", "l2=1e-3", "clip=2",
              "label_smoothing=0.1")  # fmt: skip


def test_two_processes_train_as_one(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Same global batch: the same weights within rounding, and one report. Two processes on this machine, over gloo."""
    line = ["train", "classify/digits-256", "--data", str(data), "--device", "cpu", "--precision", "fp32", "--json"]
    line += [word for setting in EVERYTHING for word in ("--set", setting)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "mien"]
    done = subprocess.run([*torchrun, *line, "--out", str(tmp_path / "two")], env=os.environ | {"OMP_NUM_THREADS": "1"},
                          capture_output=True, text=True, timeout=240)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    (said,) = done.stdout.strip().splitlines()
    assert main([*line, "--out", str(tmp_path / "one")]) == 0
    alone, together = json.loads(capsys.readouterr().out), json.loads(said)
    for name in ("pictures", "epochs", "train_accuracy", "dev_accuracy", "test_accuracy", "files"):
        assert together[name] == alone[name], name
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert len(one) > 4
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-5, rtol=1e-4)


def test_tune_finds_a_rate_that_learns(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["tune", "classify/digits-256", "--range", "lr=1e-7..1:log", "--data", str(data), "--out", str(tmp_path / "tune"), *SMALL,
            "--set", "epochs=5", "--trials", "6", "--json"]  # fmt: skip
    assert main(line) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trials"] == 6
    assert found["score"] >= 0.9
    assert found["settings"]["lr"] > 1e-3
    assert {"trials.csv"} <= {path.name for path in (tmp_path / "tune").iterdir()}


@pytest.mark.parametrize(("arguments", "said"), [
    (["tune", "classify/digits-256", "--range", "rate=0..1", "--data", "{data}"], "no setting 'rate'"),
    (["tune", "classify/digits-256", "--range", "lr=1..0", "--data", "{data}"], "lr"),
    (["train", "classify/digits-256", "--data", "{data}/none"], "does not exist"),
    (["train", "classify/digits-256", "--data", "{data}", "--set", "network=lenet6"], "no network is called 'lenet6'"),
])  # fmt: skip
def test_bad_input_is_one_line(
    arguments: list[str], said: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*(argument.format(data=data) for argument in arguments), "--out", str(tmp_path / "run")]) == 2
    assert said in capsys.readouterr().err.strip().splitlines()[-1]
