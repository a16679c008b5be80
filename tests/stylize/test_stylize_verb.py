"""`mien stylize`: files in, a signed picture out, stopped and gone on with, and what is refused in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.cli import main
from mien.data.pictures import read_picture, write_picture
from mien.provenance.label import read_label
from mien.provenance.report import verify
from mien.tasks.stylize.asking import pictures, pixels
from mien.tasks.stylize.forward import Forward
from mien.tasks.stylize.painting import How
from mien.tasks.stylize.state import Kept

BASE = ["stylize", "content.png", "--style", "style.png", "--out", "out.png", "--steps", "12", "--scales", "2"]


def test_a_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BASE, "--preview", "live.jpg", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["width"], told["height"], told["steps"], told["resumed"], told["signed"]) == (40, 30, 12, 0, True)
    assert told["scales"] == [[40, 30, 12]]  # halved, relu5_1 would have nothing left
    assert told["cost_last"] < told["cost_first"]
    assert told["cost_last"] == pytest.approx(told["content_cost"] + 10 * told["style_cost"], rel=1e-4)
    assert set(told["layers"]) == {"relu4_2", "relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}
    assert read_picture(folder / "out.png").shape == (30, 40, 3)
    assert read_picture(folder / "live.jpg").shape == (30, 40, 3)
    for name in ("out.png", "live.jpg"):
        label = read_label(folder / name)
        assert label is not None
        assert label["Label"] == "1"
    assert not list(folder.glob(".*"))


def test_it_is_signed_as_what_it_is(folder: Path) -> None:
    assert main([*BASE, "--size", "24"]) == 0
    said = str(verify(folder / "out.png"))
    assert "style.png" in said
    assert "mien stylize" in said


def test_without_a_signature(folder: Path) -> None:
    assert main([*BASE[:5], "out.webp", "--steps", "1", "--no-sign"]) == 0
    assert read_picture(folder / "out.webp").shape == (30, 40, 3)


def test_styles_masks_colours_and_the_rest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--style", "other.png", "--mix", "3,1", "--mask", "mask.png", "--mask", "mask.png", "--keep-colour", "histogram",
             "--variation", "5", "--content-layer", "relu2_2=0.5,relu3_1", "--style-layers", "relu1_1=1e-3,relu3_1", "--pooling",
             "max", "--optimiser", "adam", "--start", "noise", "--style-scale", "0.8", "--tile", "16", "--json"]  # fmt: skip
    assert main([*BASE, *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["style"] == ["style", "other"]
    assert told["layers"]["relu2_2"] == 0.5
    assert told["layers"]["relu1_1"] == 1e-3
    before, after = read_picture(folder / "content.png"), read_picture(folder / "out.png")
    assert np.array_equal(before[:, 22:], after[:, 22:])  # where the mask, made larger, is black
    assert not np.array_equal(before[:, :18], after[:, :18])


def test_ctrl_c_keeps_the_picture_and_resume_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*BASE, "--no-sign"]) == 0
    straight = read_picture(folder / "out.png")
    (folder / "out.png").unlink()

    def stop(kept: Kept, moment, seconds: float) -> None:
        if moment.done == 9:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Kept, "save_now_and_then", stop)
        assert main([*BASE, "--no-sign"]) == 130
    assert "after step 9 of 12" in capsys.readouterr().err
    so_far = read_picture(folder / "out.png")
    assert so_far.shape == straight.shape
    assert not np.array_equal(so_far, straight)
    assert (folder / ".out.png.painting").exists()
    assert main([*BASE, "--no-sign", "--resume", "--style-weight", "3"]) == 2
    assert "style_weight differ" in capsys.readouterr().err
    assert main([*BASE, "--no-sign", "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["resumed"] == 9
    assert np.array_equal(read_picture(folder / "out.png"), straight)
    assert not (folder / ".out.png.painting").exists()


def test_killed_it_goes_on_from_what_was_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a state that is cut off is refused."""

    class Killed(BaseException):
        pass

    def keep(kept: Kept, moment, seconds: float) -> None:
        if moment.done == 4:
            kept.save(moment, seconds)
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Kept, "save_now_and_then", keep)
        with pytest.raises(Killed):
            main([*BASE, "--no-sign"])
    state = folder / ".out.png.painting"
    whole = state.read_bytes()
    state.write_bytes(whole[:-100])
    assert main([*BASE, "--no-sign", "--resume"]) == 2
    assert "damaged" in capsys.readouterr().err
    state.write_bytes(whole)
    assert main([*BASE, "--no-sign", "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["resumed"] == 4


def test_a_sheet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BASE[:4], "--out", "sheet.png", "--grid", "--steps", "2", "--size", "32", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["cells"]) == 6 * 4
    assert read_picture(folder / "sheet.png").shape == (told["height"], told["width"], 3)
    label = read_label(folder / "sheet.png")
    assert label is not None


def test_odd_pictures(folder: Path) -> None:
    """A palette, an animation, grey with alpha: all are pictures."""
    picture = Image.open(folder / "content.png")
    picture.convert("P").save(folder / "palette.png")
    picture.convert("LA").save(folder / "grey.png")
    picture.save(folder / "moving.gif", save_all=True, append_images=[picture.rotate(90)])
    for name in ("palette.png", "grey.png", "moving.gif"):
        assert main(["stylize", name, "--style", "style.png", "--out", f"new/{name}.png", "--steps", "1", "--no-sign"]) == 0
        assert read_picture(folder / "new" / f"{name}.png").shape == (30, 40, 3)


@pytest.mark.parametrize(
    ("words", "network"),
    [
        (["content.png", "--style", "style.png"], False),
        (["content.png", "--style", "style.png", "--model", "any"], True),
        (["content.png", "--style", "mondrian"], True),
        (["content.png", "--style", "style.png", "--style", "mondrian"], True),
        (["content.png", "--style", "mine.safetensors"], True),
        ([".", "--style", "style.png"], True),
    ],
)
def test_who_draws(words: list[str], network: bool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "mine.safetensors").write_bytes(b"")
    asked: list[Forward] = []

    def draw(content: Path, out: Path, how: Forward) -> None:
        asked.append(how)

    monkeypatch.setattr("mien.tasks.stylize.choosing.forward_source", draw)
    assert main(["stylize", *words, "--out", "out.png", "--no-sign", *([] if network else ["--steps", "1"])]) == 0
    assert len(asked) == network
    if network:
        assert asked[0].style == tuple(word for place, word in enumerate(words) if words[place - 1] == "--style")
        assert sum(asked[0].mix) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.png"], "missing.png does not exist, expected a picture"),
        (["--style", "monet"], "no style 'monet': choose"),
        (["--style", "monet", "--grid"], "--grid: for painting by optimisation"),
        (["--style", "content.png"], "both content and style"),
        (["--style", "content.png", "--model", "any"], "both content and style"),
        (["--style", "small.png"], "15 x 40 pixels are too few for relu5_1: expected 16"),
        (["one.png"], "1 x 1 pixels are too few for relu5_1"),
        (["text.png"], "text.png is not a picture: it is text"),
        (["empty.png"], "empty.png is empty"),
        (["nan.tif"], "32-bit floating point"),
        (["--out", "content.png"], "the picture itself"),
        (["--out", "a.gif"], "cannot write .gif"),
        (["--out", "a.webp"], "cannot be signed"),
        (["--preview", "style.png"], "the picture itself"),
        (["--mask", "black.png"], "black everywhere"),
        (["--mask", "mask.png", "--mask", "mask.png"], "2 masks for 1 styles"),
        (["--mix", "1,2"], "--mix '1,2' has 2 shares, expected one for each of 1 styles"),
        (["--mix", "nan"], "a share of --mix is nan"),
        (["--steps", "0"], "--steps is 0"),
        (["--size", "8"], "8 x 6 pixels are too few for relu5_1"),
        (["--size", "-5"], "--size is -5"),
        (["--style-weight", "nan"], "--style-weight is nan"),
        (["--content-weight", "-1"], "--content-weight is -1"),
        (["--content-weight", "0", "--style-weight", "0"], "neither content nor style counts"),
        (["--style-layers", "relu9_1"], "there is no layer relu9_1"),
        (["--style-layers", "relu1_1=x"], "the weight of relu1_1 is x"),
        (["--content-layer", ""], "expected names as relu4_2"),
        (["--quality", "0"], "a quality of 0"),
        (["--tile", "0"], "--tile is 0"),
        (["--start", "middle"], "middle"),
        (["--device", "tpu"], "device 'tpu' is not here"),
    ],
)
def test_what_is_refused(words: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (15, 40)).save(folder / "small.png")
    Image.new("RGB", (1, 1)).save(folder / "one.png")
    Image.fromarray(np.full((20, 20), np.nan, np.float32)).save(folder / "nan.tif")
    (folder / "text.png").write_text("no picture")
    (folder / "empty.png").touch()
    before = sorted(folder.iterdir())
    content = "content.png" if words[0].startswith("--") else words.pop(0)
    style = [] if "--style" in words else ["--style", "style.png"]
    out = [] if "--out" in words else ["--out", "out/new.png"]
    assert main(["stylize", content, *style, *out, *words]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert said in told[-1]
    assert sorted(folder.iterdir()) == before


def test_a_margin_is_painted_and_cut_off(folder: Path) -> None:
    """Mirrored over the edge, masks too; a small picture has none."""
    image = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    write_picture(folder / "large.png", image)
    given = pictures(folder / "large.png", [folder / "style.png"], [folder / "mask.png"], None, How())
    assert (given.margin, given.content.shape, given.masks[0].shape) == (8, (1, 3, 86, 106), (1, 1, 86, 106))
    np.testing.assert_array_equal(pixels(given.without_margin(given.content)), image)
    np.testing.assert_array_equal(pixels(given.content)[:8, 8:-8], image[1:9][::-1])
    small = pictures(folder / "content.png", [folder / "style.png"], [], None, How())
    assert (small.margin, small.content.shape) == (0, (1, 3, 30, 40))
    assert main(["stylize", "large.png", *BASE[2:], "--preview", "live.png"]) == 0
    assert read_picture(folder / "out.png").shape == read_picture(folder / "live.png").shape == (70, 90, 3)
