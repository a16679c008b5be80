"""A folder: mirrored, gone on with, what is bad passed over."""

from pathlib import Path

import pytest
from enlargers import Nearest, drawing, how, listed
from PIL import Image

from mien.data.pictures import read_picture
from mien.tasks.upscale.folders import upscale_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(["a.jpg", "b.png", "b.bmp", "deep/c.gif", "deep/er/d.webp"]):
        Image.fromarray(drawing(5, 6 + number)).save(folder / name)
    (folder / "deep" / "note.txt").write_text("no picture")
    return folder


MADE = ["a.jpg", "b.bmp.png", "b.png", "deep/c.png", "deep/er/d.png"]


def test_a_folder_is_mirrored(folder: Path, tmp_path: Path):
    done = upscale_folder(folder, tmp_path / "new" / "out", how(signing=True))
    assert listed(tmp_path / "new" / "out") == MADE
    assert (len(done.made), done.there, done.skipped, done.model, done.scale) == (5, 0, (), "nearest", 2)
    for one in done.made:
        assert read_picture(one.output).shape[1] == 2 * read_picture(one.input).shape[1]


def test_without_signing_webp_stays(folder: Path, tmp_path: Path):
    upscale_folder(folder, tmp_path / "out", how())
    assert "deep/er/d.webp" in listed(tmp_path / "out")


def test_what_is_there_is_not_made_again_and_a_stopped_run_goes_on(folder: Path, tmp_path: Path):
    out = folder / "enlarged"  # inside: what is made is not enlarged again
    with pytest.raises(KeyboardInterrupt):
        upscale_folder(folder, out, how(Nearest(stop=12)))
    some = [name for name in listed(out) if not name.endswith("part-rows")]
    assert 0 < len(some) < 5
    done = upscale_folder(folder, out, how(signing=False))
    assert (done.there, len(done.made)) == (len(some), 5 - len(some))
    assert len(listed(out)) == 5
    again = upscale_folder(folder, out, how())
    assert (again.there, again.made) == (5, ())


def test_bad_files_are_a_line_each(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("hello")
    (folder / "bad.mp4").write_text("no video")
    done = upscale_folder(folder, tmp_path / "out", how())
    assert len(done.made) == 5
    assert sorted(line.split()[0].rsplit("/")[-1] for line in done.skipped) == ["bad.mp4", "empty.png", "text.jpg"]
    told = capsys.readouterr().err
    assert told.count("skipped: ") == 3
    assert "a.jpg: " not in told  # no plan and no bar for every picture


def test_nothing_that_can_be_enlarged(tmp_path: Path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match="holds no picture"):
        upscale_folder(tmp_path / "in", tmp_path / "out", how())
    (tmp_path / "in" / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"nothing in .* could be enlarged; the first: .*a\.png is empty"):
        upscale_folder(tmp_path / "in", tmp_path / "out", how())


@pytest.mark.parametrize(("output", "words"), [("in", "is the folder itself"), ("out.png", "the output must be one too")])
def test_an_output_that_will_not_do(folder: Path, tmp_path: Path, output: str, words: str):
    with pytest.raises(ValueError, match=words):
        upscale_folder(folder, tmp_path / output, how())
