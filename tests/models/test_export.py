"""`mien models export`: what onnxruntime makes of the file is what mien makes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.cli import main
from mien.models.enlarger import COLOURED, Enlarger, Plan, build, load, save
from mien.tasks.models.exporting import InColour

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

SMALL = {"mien-upscale": {"width": 8, "depth": 2}, "srresnet": {"scale": 2, "width": 8, "blocks": 1}}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("network", SMALL)
def test_an_enlarger_for_pictures_of_any_size(network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    net, plan = build(Plan(network, (2,), SMALL[network])), Plan(network, (2,), SMALL[network])
    for p in net.parameters():
        p.data.add_(torch.randn_like(p), alpha=0.05)
    save(tmp_path / "net.safetensors", net, plan)
    out = tmp_path / "net.onnx"
    assert main(["models", "export", str(tmp_path / "net.safetensors"), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["input"] == ["batch", "3", "height", "width"]
    assert told["output"] == ["batch", "3", "2 height", "2 width"]
    assert told["difference"] < 1e-5
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    x = torch.rand(1, 3, 31, 17)  # another size than it was exported with
    found = session.run(None, {"picture": x.numpy()})[0]
    own, _ = load(tmp_path / "net.safetensors")
    wanted = InColour(Enlarger("", own, 2, network in COLOURED))(x).detach().numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["lenet5-digits", "mien-face"])
def test_bundled_networks(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "export", name, "--out", str(tmp_path / "net.onnx"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["difference"] < 1e-4
    assert told["input"][0] == told["output"][0] == "batch"


@pytest.mark.parametrize(
    ("name", "out", "said"),
    [("lenet5-digits", "net.bin", "ends in .onnx"), ("nothing", "net.onnx", "no network 'nothing'"),
     ("face-mesh", "net.onnx", "cannot be exported")],
)
def test_what_cannot_be_exported(name: str, out: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "export", name, "--out", str(tmp_path / out)]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
