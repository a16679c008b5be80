"""`mien upscale evaluate`: the papers' bicubic row, and folders that are none."""

import json
from pathlib import Path

import numpy as np
import pytest

from mien.cli import main
from mien.data.pictures import write_picture
from mien.tasks.upscale.run import evaluate

BICUBIC = {("set5", 2): (33.66, 0.9299), ("set5", 3): (30.39, 0.8682), ("set5", 4): (28.42, 0.8104),
           ("set14", 2): (30.24, 0.8688), ("set14", 3): (27.55, 0.7742), ("set14", 4): (26.00, 0.7027)}  # fmt: skip
"""Kim et al. 2016, table 3."""


@pytest.mark.parametrize(("name", "scale"), BICUBIC)
def test_bicubic_scores_as_published(data_dir: Path, name: str, scale: int) -> None:
    found = evaluate(data_dir / "sr" / name, model="bicubic", scale=scale)  # pyright: ignore[reportArgumentType]
    psnr, ssim = BICUBIC[name, scale]
    assert found.psnr == pytest.approx(psnr, abs=0.02)
    assert found.ssim == pytest.approx(ssim, abs=0.001)


def test_one_object_with_means_on_top(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        write_picture(tmp_path / f"{name}.png", random.integers(0, 255, (24, 26, 3), np.uint8))
    (tmp_path / "broken.png").write_bytes(b"nothing")
    assert main(["upscale", "evaluate", str(tmp_path), "--model", "bicubic", "--scale", "3", "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert list(told) == ["model", "scale", "psnr", "ssim", "protocol", "images"]
    assert [one["name"] for one in told["images"]] == ["a.png", "b.png"]
    assert told["psnr"] == pytest.approx(np.mean([one["psnr"] for one in told["images"]]))
    assert "broken.png" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing", "--model", "bicubic"], "does not exist"),
        ([".", "--model", "bicubic"], "no picture that could be measured"),
        ([".", "--model", "nonsense"], "no model 'nonsense'"),
        ([".", "--model", "bicubic", "--border", "-1"], "cannot be left out"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["upscale", "evaluate", *words]) == 2
    assert said in capsys.readouterr().err
