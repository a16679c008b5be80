"""Pictures restyled by a trained network: pixels, tiles, alpha, 16 bits, what is kept, stops, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from small_styles import CPU, general, how, listed, photo, styled
from small_vgg import tiny

from mien.data.pictures import read_picture, write_picture
from mien.data.rows import read_rows
from mien.models.stylizers import opened
from mien.provenance.report import verify
from mien.tasks.stylize import pictures
from mien.tasks.stylize.forward import forward_source, ready
from mien.tasks.stylize.results import Folder, Restyled
from mien.tasks.stylize.whole import Look
from mien.tiled import apply


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mien.models.vgg_features.load", tiny)
    monkeypatch.chdir(tmp_path)
    styled(tmp_path / "two.safetensors")
    general(tmp_path / "any.safetensors")
    write_picture(tmp_path / "a.png", photo())
    write_picture(tmp_path / "look.png", photo(30, 30))


def whole(path: str | Path) -> np.ndarray:
    rows = read_rows(Path(path))
    return rows.band(0, rows.height)


def restyled(source: str = "a.png", out: str = "b.png", style: str = "two.safetensors", **options: object) -> Restyled:
    found = forward_source(Path(source), Path(out), how(style, **options))
    assert isinstance(found, Restyled)
    return found


def test_a_picture_is_what_the_network_makes_of_it_and_signed():
    done = restyled(signing=True, style="two.safetensors")
    net = opened("two.safetensors")
    x = torch.from_numpy(whole("a.png").copy()).permute(2, 0, 1)[None].float() / 255
    expected = (net(x, (0.5, 0.5)).clamp(0, 1) * 255).round().byte()[0].permute(1, 2, 0).numpy()
    assert np.abs(whole("b.png").astype(int) - expected).max() <= 1
    assert (done.width, done.height, done.tiles, done.passes, done.style) == (56, 40, 1, 0, {"ink": 0.5, "sand": 0.5})
    report = verify(Path("b.png"))
    assert report.intact
    assert str(report.digital_source_type).endswith("/compositeWithTrainedAlgorithmicMedia")
    assert report.label is not None
    assert listed(Path()) == ["a.png", "any.safetensors", "b.png", "look.png", "two.safetensors"]


@pytest.mark.parametrize("model", ["two", "any"])
@pytest.mark.parametrize("size", [(131, 203), (64, 250)])
def test_tiles_give_what_the_whole_picture_gives(model: str, size: tuple[int, int]):
    style = ("look.png",) if model == "any" else ("two.safetensors",)
    found = ready(how(*style, model="any.safetensors"))
    x = torch.from_numpy(photo(*size)).permute(2, 0, 1)[None]
    at_once = Look(found, how(*style))
    in_tiles = Look(found, how(*style, tile=64))
    planned = in_tiles.plan(*size)
    assert planned.tiles >= 4
    assert at_once.plan(*size).tiles == 1
    read = lambda top, bottom: x[..., top:bottom, :]
    moments = in_tiles.moments(planned, read)
    assert moments is not None
    with torch.inference_mode(), pictures.kept(found.stylizer, moments):
        y = apply(lambda part: found.stylizer(part.float() / 255, found.shares), x, planned, CPU)
    torch.testing.assert_close(y, found.stylizer(x.float() / 255, found.shares), atol=1e-4, rtol=0)


def test_styles_are_named_mixed_and_weighed():
    restyled(style="ink", model="two.safetensors", out="ink.png")
    restyled(style="two.safetensors", out="both.png")
    forward_source(Path("a.png"), Path("mixed.png"), how("sand", "ink", model="two.safetensors", mix=(0.0, 3.0)))
    np.testing.assert_array_equal(whole("mixed.png"), whole("ink.png"))
    assert np.abs(whole("both.png").astype(int) - whole("ink.png")).mean() > 1


@pytest.mark.parametrize("style", ["two.safetensors", "look.png"])
def test_strength(style: str):
    options = {"model": "any.safetensors"} if style == "look.png" else {}
    full, none = (restyled(style=style, out=f"{strength:g}.png", strength=strength, **options) for strength in (1.0, 0.0))
    assert (full.strength, none.strength) == (1, 0)
    if style == "two.safetensors":  # what has not learnt to decode gives other pixels even for the picture's own maps
        np.testing.assert_array_equal(whole("0.png"), whole("a.png"))
    else:
        x = whole("a.png").mean((0, 1))
        assert np.abs(whole("0.png").mean((0, 1)) - x).max() < np.abs(whole("1.png").mean((0, 1)) - x).max()


def test_colours_are_kept():
    restyled(keep_colour="luminance")
    a, b = (np.asarray(Image.open(name).convert("YCbCr")).astype(int) for name in ("a.png", "b.png"))
    inside = (whole("b.png") > 3).all(-1) & (whole("b.png") < 252).all(-1)  # where nothing was clipped
    assert inside.mean() > 0.2
    assert np.abs(a - b)[inside][:, 1:].max() <= 2
    assert np.abs(a - b)[inside][:, 0].mean() > 5
    restyled(style="look.png", model="any.safetensors", out="c.png", keep_colour="histogram")
    restyled(style="look.png", model="any.safetensors", out="d.png")
    own, kept, taken = (whole(name).reshape(-1, 3).mean(0) for name in ("a.png", "c.png", "d.png"))
    assert np.abs(kept - own).max() < np.abs(taken - own).max()


def test_alpha_profile_sixteen_bits_and_grey():
    Image.fromarray(np.dstack([photo(), np.tile(np.arange(56, dtype=np.uint8) * 4, (40, 1))])).save("alpha.png")
    assert restyled("alpha.png").channels == 4
    np.testing.assert_array_equal(whole("b.png")[..., 3], whole("alpha.png")[..., 3])
    assert restyled("alpha.png", "b.jpg").channels == 3
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(photo()).save("profile.jpg", icc_profile=profile)
    restyled("profile.jpg", "c.png")
    with Image.open("c.png") as made:
        assert made.info["icc_profile"] == profile
    Image.fromarray(photo()[..., 0].astype(np.uint16) * 257).save("deep.png")
    done = restyled("deep.png", "d.png")
    assert (done.channels, done.depth, whole("d.png").dtype) == (3, 16, np.uint16)
    Image.fromarray(photo()[..., 0]).save("grey.png")
    assert restyled("grey.png", "e.png").depth == 8
    assert np.abs(whole("d.png").astype(float) / 257 - whole("e.png")).max() < 1


def test_rotated_palette_animation_and_one_pixel(capsys: pytest.CaptureFixture[str]):
    image = Image.fromarray(photo())
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save("turned.jpg", exif=exif)
    assert (restyled("turned.jpg").width, restyled("turned.jpg").height) == (40, 56)
    image.quantize(16).save("palette.png")
    assert restyled("palette.png").channels == 3
    image.save("moving.gif", save_all=True, append_images=[image.rotate(90)])
    restyled("moving.gif")
    assert "an animation of 2 frames: the first is restyled" in capsys.readouterr().err
    for name in ("dot.png", "style.png"):
        Image.new("RGB", (1, 1)).save(name)
    for style, model in (("two.safetensors", ""), ("style.png", "any.safetensors")):
        assert (restyled("dot.png", style=style, model=model).width, whole("b.png").shape) == (1, (1, 1, 3))


def test_a_stopped_picture_goes_on(monkeypatch: pytest.MonkeyPatch):
    write_picture(Path("a.png"), photo(130, 100))
    restyled(tile=64, out="once.png")
    append, count = pictures.Parts.append, 0

    def stopping(self: pictures.Parts, data: memoryview) -> None:
        nonlocal count
        append(self, data)
        count += 1
        if count == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pictures.Parts, "append", stopping)
        with pytest.raises(KeyboardInterrupt):
            restyled(tile=64)
    assert not Path("b.png").exists()
    done = restyled(tile=64)
    assert done.resumed > 0
    np.testing.assert_array_equal(whole("b.png"), whole("once.png"))


def test_a_folder(tmp_path: Path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    write_picture(tmp_path / "in" / "x.png", photo())
    write_picture(tmp_path / "in" / "deep" / "y.jpg", photo(20, 20))
    (tmp_path / "in" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    done = forward_source(Path("in"), Path("out"), how("two.safetensors"))
    assert isinstance(done, Folder)
    assert listed(tmp_path / "out") == ["deep/y.jpg", "x.png"]
    assert (len(done.made), done.there, len(done.skipped)) == (2, 0, 1)
    again = forward_source(Path("in"), Path("out"), how("two.safetensors"))
    assert isinstance(again, Folder)
    assert (len(again.made), again.there) == (0, 2)


@pytest.mark.parametrize(("options", "message"), [
    ({"strength": 1.5}, "a strength of 1.5, expected 0 to 1"),
    ({"strength": float("nan")}, "a strength of nan"),
    ({"mix": (1, 2)}, "2 shares for 1 styles"),
    ({"mix": (0,)}, "expected numbers of 0 or more, not all 0"),
    ({"keep_colour": "hue"}, "keep_colour 'hue', expected one of none, luminance, histogram"),
    ({"steady": 1.0}, "steady 1, expected 0 or more and below 1"),
    ({"quality": 0}, "a quality of 0"),
    ({"tile": 0}, "tiles of 0 pixels"),
])  # fmt: skip
def test_settings_that_cannot_be(options: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        how("ink", **options)


@pytest.mark.parametrize(("source", "out", "style", "options", "message"), [
    ("gone.png", "b.png", "two.safetensors", {}, "gone.png does not exist, expected a picture, a video or a folder"),
    ("a.png", "b.gif", "two.safetensors", {}, "cannot write .gif"),
    ("a.png", "a.png", "two.safetensors", {}, "is the picture itself"),
    ("a.png", "look.png", "look.png", {"model": "any.safetensors"}, "is the picture itself"),
    ("a.png", "b.png", "a.png", {"model": "any.safetensors"}, "is both the picture and its style"),
    ("a.png", "b.png", "nobody", {}, "no style 'nobody': choose .*a picture that is there"),
    ("a.png", "b.png", "any.safetensors", {}, "takes pictures as styles: name one"),
    ("a.png", "b.png", "look.png", {"model": "two.safetensors"}, "has styles of its own, ink, sand, and takes no pictures"),
    ("a.png", "b.png", "two.safetensors", {"keep_colour": "histogram"}, "choose luminance"),
    ("two.safetensors", "b.png", "two.safetensors", {}, "is not a picture: it holds unknown bytes"),
    (".", "b.png", "two.safetensors", {}, "is a folder, so the output must be one too"),
    ("cut.png", "b.png", "two.safetensors", {}, "cut.png is damaged or cut off"),
    ("empty.png", "b.png", "two.safetensors", {}, "empty.png is empty"),
])  # fmt: skip
def test_what_will_not_do(source: str, out: str, style: str, options: dict[str, object], message: str):
    Path("cut.png").write_bytes(Path("a.png").read_bytes()[:-900])
    Path("empty.png").write_bytes(b"")
    before = listed(Path())
    with pytest.raises(ValueError, match=message) as caught:
        forward_source(Path(source), Path(out), how(style, **options))
    assert "\n" not in str(caught.value)
    assert listed(Path()) == before


def test_an_output_folder_that_is_missing_is_made():
    restyled(out="new/deep/b.png")
    assert read_picture(Path("new/deep/b.png")).shape == (40, 56, 3)
