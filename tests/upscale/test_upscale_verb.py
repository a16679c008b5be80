"""`mien upscale`: one picture, a folder, the page beside it, and what is refused in one line."""

import json
from pathlib import Path

import numpy as np
import pytest

from mien.cli import main
from mien.data.pictures import read_picture, write_picture


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    write_picture(tmp_path / "photo.png", np.random.default_rng(0).integers(0, 255, (12, 17, 3), np.uint8))
    return tmp_path / "photo.png"


def test_a_picture_and_its_page(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, page = photo.with_name("large.png"), photo.with_name("page.html")
    words = ["upscale", str(photo), "--out", str(out), "--scale", "3", "--model", "bicubic", "--compare", str(page)]
    assert main([*words, "--no-sign", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["width"], told["height"], told["scale"], told["signed"]) == (51, 36, 3, False)
    assert read_picture(out).shape == (36, 51, 3)
    assert "data:image" in page.read_text()


def test_a_folder(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = photo.parent / "out"
    (photo.parent / "broken.png").write_bytes(b"no picture")
    assert main(["upscale", str(photo.parent), "--out", str(out), "--model", "bicubic", "--no-sign"]) == 0
    said = capsys.readouterr()
    assert "1 enlarged" in said.out
    assert "broken.png" in said.out
    assert read_picture(out / "photo.png").shape == (48, 68, 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.png", "--out", "a.png"], "does not exist"),
        (["photo.png", "--out", "photo.png"], "the picture itself"),
        (["photo.png", "--out", "a.gif"], "cannot write .gif"),
        (["photo.png", "--out", "a.png", "--quality", "0"], "a quality of 0"),
        (["photo.png", "--out", "a.png", "--compare", "a.txt"], "ends in .html"),
        (["photo.png", "--out", "a.png", "--scale", "5"], "5"),
        (["photo.png", "--out", "a.png", "--model", "none"], "no model 'none'"),
        (["photo.png", "--out", "a.png", "--tile", "0"], "tiles of 0"),
    ],
)
def test_what_is_refused(
    words: list[str], said: str, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photo.parent)
    extra = [] if "--model" in words else ["--model", "bicubic"]
    assert main(["upscale", *words, *extra, "--no-sign"]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]
