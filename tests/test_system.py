"""`mien doctor` and `mien models` on a machine and a catalogue made up for the test."""

import json
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

from mien import runtime, weights
from mien.cli import main
from mien.tasks.models.run import models
from mien.tasks.system import run


@dataclass(frozen=True)
class Card:
    """What `models` reads of a card."""

    name: str
    title: str = "a network"
    parameters: int = 1_234_567
    licence: str = "CC0-1.0"
    size: int = 2_500_000
    large: bool = False
    obtain: str = ""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Path | None]:
    """A CPU with bf16, every encoder, room on the disk, and two networks whose files the test may take away."""
    files: dict[str, Path | None] = {"finder": Path("finder.tflite"), "describer": Path("describer.safetensors")}
    monkeypatch.setattr(runtime, "describe_machine", lambda: {
        "cpu": "a chip", "memory_total": 7_500_000_000, "gpus": [], "versions": {"torch": "2.13.0", "psycopg": None},
        "hints": [], "runtime": {"device": "cpu", "precision": "bf16", "channels_last": True, "threads": 2,
                                 "reason": "bf16 is 3.1 times as fast"}})  # fmt: skip
    monkeypatch.setattr(run, "_encoders", lambda: dict.fromkeys(run.ENCODERS, True))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9e10, 1e10, 8e10))
    monkeypatch.setattr(weights, "cards", lambda: [Card(name) for name in files])
    monkeypatch.setattr(weights, "here", files.get)
    monkeypatch.setattr(weights, "fetch", lambda: files.update(describer=Path("fetched")))
    return files


def test_a_machine_that_lacks_nothing(machine: dict, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert found["missing"] == []
    assert (found["device"], found["precision"], found["threads"]) == ("cpu", "bf16", 2)
    assert (found["weights_here"], found["weights_known"], found["free_gb"]) == (2, 2, 80)
    assert found["versions"]["torch"] == "2.13.0"
    assert found["versions"]["cyclopts"] == metadata.version("cyclopts")
    assert "psycopg" not in found["versions"]
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "cpu, bf16, channels last, 2 threads: bf16 is 3.1 times as fast" in text
    assert "cpu: a chip\n          memory total: 7.5 GB\n" in text
    assert text.endswith("Nothing is missing.\n")


def test_what_is_missing_comes_with_what_to_do(machine: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    machine["describer"] = None
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9e10, 8.95e10, 5e8))
    requires = ["torch>=2", "av>=14", "no-such-package>=3", 'none-such>=8; extra == "dev"']
    monkeypatch.setattr(metadata, "requires", lambda name: requires)
    monkeypatch.setattr(run, "_encoders", lambda: {"libx264": False, "aac": True})
    found = run.doctor()
    assert not found.ok
    assert [(finding.what, finding.do) for finding in found.missing] == [
        ("the package no-such-package>=3", "pip install 'no-such-package>=3'"),
        ("the encoder libx264: videos cannot be written", "pip install --force-reinstall --no-deps av"),
        ("the weights of describer", "mien models --fetch"),
        ("disk space: 0.5 GB free", "free 2 GB or work in another folder"),
    ]
    assert "missing   disk space: 0.5 GB free\n          -> free 2 GB or work in another folder" in str(found)


def test_hints_of_the_machine_are_findings_said_once(machine: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    hints = ["no-such-package is missing: pip install no-such-package", "a GPU is here: but idle: use https://x.org"]
    described = runtime.describe_machine() | {"hints": hints}
    monkeypatch.setattr(runtime, "describe_machine", lambda: described)
    monkeypatch.setattr(metadata, "requires", lambda name: ["no-such-package>=3"])
    assert [(finding.what, finding.do) for finding in run.doctor().missing] == [
        ("the package no-such-package>=3", "pip install 'no-such-package>=3'"),
        ("a GPU is here: but idle", "use https://x.org"),
    ]


def test_a_torch_that_does_not_load_is_a_finding(machine: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    def describe() -> dict:
        raise OSError("libtorch.so: cannot open")

    monkeypatch.setattr(runtime, "describe_machine", describe)
    found = run.doctor()
    assert found.device == "none"
    assert [finding.what for finding in found.missing] == ["torch does not load: libtorch.so: cannot open"]


def test_models_lists_and_fetches(machine: dict, capsys: pytest.CaptureFixture[str]) -> None:
    machine["describer"] = None
    assert main(["models"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "name       weights  parameters   MB  licence  what it is",
        "finder     here      1,234,567  2.5  CC0-1.0  a network",
        "describer  missing   1,234,567  2.5  CC0-1.0  a network",
    ]
    assert main(["models", "--fetch", "--json"]) == 0
    assert [model["path"] for model in json.loads(capsys.readouterr().out)["models"]] == ["finder.tflite", "fetched"]


def test_a_large_network_that_is_not_here_is_no_fault(machine: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "cards", lambda: [Card("finder"), Card("seer", large=True)])
    assert str(models()).splitlines()[2].split()[:3] == ["seer", "on", "use"]
    assert run.doctor().ok


def test_a_damaged_file_is_a_row_and_a_finding(machine: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Path:
        raise RuntimeError(f"{name} is not the file of the card; remove it")

    monkeypatch.setattr(weights, "here", find)
    assert str(models()).splitlines()[1].split()[:2] == ["finder", "damaged"]
    assert "finder is not the file of the card; remove it" in [finding.what for finding in run.doctor().missing]


def test_the_encoders_are_asked_of_pyav() -> None:
    found = run._encoders()
    assert list(found) == list(run.ENCODERS)
    assert found["aac"]


def test_an_encoder_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ENCODERS", {"no-such-codec": "nothing"})
    assert run._encoders() == {"no-such-codec": False}


def test_the_real_cards_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    names = [model["name"] for model in json.loads(capsys.readouterr().out)["models"]]
    assert names == [card.name for card in weights.cards()]


def test_one_architecture_layer_by_layer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "lenet5-1998"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "lenet5-1998 (LeCun et al. 1998), input 1x28x28: 60,000 parameters, 415.68 k MACs, receptive field 32"
    assert lines[2].split() == ["layer", "kind", "output", "parameters", "MACs", "field", "stride"]
    assert lines[3].split() == ["0", "Conv2d", "6x28x28", "156", "117.60", "k", "5", "1"]
    assert lines[7].split() == ["4", "PartialConv", "16x10x10", "1,516", "240.00", "k", "14", "2"]
    assert main(["networks", "vgg16-cifar", "--size", "64", "--json"]) == 2  # its dense layer takes one place only
    assert "does not run on an input of shape (3, 64, 64)" in json.loads(capsys.readouterr().out)["error"]
    assert main(["networks", "resnet20", "--size", "64", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["parameters"], found["field"], found["layers"][0]["shape"]) == (269_722, [81, 81], [16, 64, 64])


def test_the_list_of_architectures(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from mien.models import catalog

    few = {name: catalog.NETWORKS[name] for name in ("mlp", "alexnet", "volume")}
    monkeypatch.setattr(catalog, "NETWORKS", few)
    monkeypatch.setattr(catalog, "DETECTORS", {})
    assert main(["networks"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "name     parameters      MACs  field  input       paper",
        "mlp         646,260  645.90 k     32  3x32x32     Rumelhart et al. 1986",
        "alexnet  60,965,224  724.41 M    195  3x227x227   Krizhevsky et al. 2012",
        "volume        6,912  631.27 k     14  1x14x14x14  Ji et al. 2010, smaller",
    ]


def test_detectors_are_architectures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "faster-rcnn-vgg16", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    layers = {layer["name"]: layer for layer in found["layers"]}
    assert found["parameters"] == 137_078_239
    assert layers["proposer.score"]["shape"] == [18, 37, 62]
    assert layers["head.1"]["macs"] == 300 * 25_088 * 4096


@pytest.mark.parametrize(("words", "said"), [
    (["vgg61"], "no architecture is called 'vgg61'; the nearest: vgg19, vgg16, vgg13"),
    (["--size", "64"], "--size is for one architecture"),
    (["vgg16", "--size", "0"], "the size is a number of pixels, not 0"),
])  # fmt: skip
def test_architectures_that_are_not(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", *words]) == 2
    assert said in capsys.readouterr().err
