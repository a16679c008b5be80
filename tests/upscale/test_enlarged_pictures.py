"""One picture in, one out: pixels, alpha, profile, EXIF, 16 bits, formats, stops, and what is refused."""

import errno
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from enlargers import CPU, Nearest, Smooth, drawing, how, listed, repeated
from PIL import Image, ImageCms
from test_png import png_of
from torch.nn import functional as F

from mien.data import written
from mien.data.resize import enlarge
from mien.data.rows import read_rows
from mien.provenance.label import aigc_label, label_picture
from mien.provenance.report import verify
from mien.tasks.upscale import pictures
from mien.tasks.upscale.pictures import Frames, upscale_picture
from mien.tiled import sufficing

BEFORE = 4
"""Calls before the first tile: what the network answers to a small picture, what a tile takes, and how long."""


def whole(path: Path) -> np.ndarray:
    rows = read_rows(path)
    return rows.band(0, rows.height)


@pytest.mark.parametrize(("mode", "suffix", "channels"), [
    ("RGB", "png", 3), ("L", "png", 1), ("P", "png", 3), ("CMYK", "tiff", 3), ("1", "png", 1), ("RGB", "bmp", 3), ("P", "gif", 3),
    ("LA", "png", 2), ("RGBA", "png", 4),
])  # fmt: skip
def test_every_kind_of_picture(tmp_path: Path, mode: str, suffix: str, channels: int):
    Image.fromarray(drawing()).convert(mode).save(tmp_path / f"a.{suffix}")
    done = upscale_picture(tmp_path / f"a.{suffix}", tmp_path / "new" / "b.png", how(tile=7))
    assert (done.width, done.height, done.channels, done.depth) == (60, 40, channels, 8)
    assert (done.tiles, done.signed, done.resumed) == (15, False, 0)
    # the enlarger repeats pixels: exactly known; what is under full opacity stays as it is
    np.testing.assert_array_equal(whole(tmp_path / "new" / "b.png"), repeated(whole(tmp_path / f"a.{suffix}")))
    assert listed(tmp_path / "new") == ["b.png"]


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (64, 3), (37, 53)])
def test_tiles_do_not_show(tmp_path: Path, size: tuple[int, int]):
    image = drawing(*size)
    Image.fromarray(image).save(tmp_path / "a.png")
    upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how(Smooth(), tile=16, workers=2))
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    expected = F.interpolate(x, scale_factor=3, mode="bicubic").clamp(0, 1)[0].permute(1, 2, 0) * 255
    assert np.abs(whole(tmp_path / "b.png") - expected.numpy()).max() < 0.501


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_stay_sixteen(tmp_path: Path, channels: int):
    rows = drawing(9, 11, channels).astype(np.uint16) * 250 + 77
    if channels in (2, 4):
        rows[..., -1] = 65535
    (tmp_path / "a.png").write_bytes(png_of(rows))
    done = upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how())
    assert (done.channels, done.depth) == (channels, 16)
    np.testing.assert_array_equal(whole(tmp_path / "b.png"), repeated(rows))


def test_sixteen_bits_in_jpeg_become_eight_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.png").write_bytes(png_of(np.full((8, 8, 3), 257 * 90, np.uint16)))
    assert upscale_picture(tmp_path / "a.png", tmp_path / "b.jpg", how()).depth == 8
    assert np.abs(whole(tmp_path / "b.jpg").astype(int) - 90).max() <= 1
    assert "a.png has 16 bits a channel, JPEG has 8: write .png to keep them" in capsys.readouterr().err


def test_alpha_is_enlarged_by_bicubic_and_has_no_dark_edge(tmp_path: Path):
    """A red disc on transparent black: half-transparent pixels of the enlargement stay red."""
    y, x = np.mgrid[:40, :40]
    disc = np.hypot(x - 20, y - 20) < 12
    image = np.zeros((40, 40, 4), np.uint8)
    image[disc] = (255, 0, 0, 255)
    Image.fromarray(image).save(tmp_path / "a.png")
    upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how(Smooth(), tile=16))
    seen = whole(tmp_path / "b.png")
    alpha = torch.from_numpy(image[..., 3:]).permute(2, 0, 1).float()
    assert np.abs(seen[..., 3] - enlarge(alpha[None], 3)[0, 0].clamp(0, 255).numpy()).max() < 0.501
    edge = (seen[..., 3] > 20) & (seen[..., 3] < 235)
    assert edge.sum() > 100
    assert seen[edge][:, 0].min() >= 254


def test_jpeg_is_laid_over_white(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    image = np.zeros((16, 16, 4), np.uint8)
    image[:, 8:] = (0, 0, 255, 255)
    Image.fromarray(image).save(tmp_path / "a.png")
    assert upscale_picture(tmp_path / "a.png", tmp_path / "b.jpg", how()).channels == 3
    seen = whole(tmp_path / "b.jpg").astype(int)
    assert np.abs(seen[5, 4] - (255, 255, 255)).max() <= 3
    assert np.abs(seen[5, 28] - (0, 0, 255)).max() <= 3
    assert "laid over white" in capsys.readouterr().err


def test_webp_keeps_alpha(tmp_path: Path):
    image = drawing(16, 16, 4)
    image[..., 3] = 128
    Image.fromarray(image).save(tmp_path / "a.png")
    upscale_picture(tmp_path / "a.png", tmp_path / "b.webp", how())
    assert set(whole(tmp_path / "b.webp")[..., 3].ravel()) == {128}


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_profile_and_exif_are_kept_and_the_picture_stands_upright(tmp_path: Path, suffix: str, mode: str):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    exif.get_ifd(0x8769).update({0xA002: 30, 0xA003: 20})
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = b"RGB " if mode == "RGB" else b"GRAY"
    Image.fromarray(drawing()).convert(mode).save(tmp_path / "a.jpg", exif=exif, icc_profile=bytes(profile))
    done = upscale_picture(tmp_path / "a.jpg", tmp_path / f"b.{suffix}", how())
    assert (done.width, done.height) == (40, 60)
    with Image.open(tmp_path / f"b.{suffix}") as picture:
        kept = picture.getexif()
        assert picture.info["icc_profile"] == bytes(profile)
        assert (kept.get(0x0112), kept[0x010F]) == (None, "Camera")
        assert kept.get_ifd(0x8769) == {0xA002: 40, 0xA003: 60}


def test_of_an_animation_the_first_frame_is_taken_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    first, second = Image.new("RGB", (4, 3), "red"), Image.new("RGB", (4, 3), "blue")
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    upscale_picture(tmp_path / "a.gif", tmp_path / "b.png", how())
    assert whole(tmp_path / "b.png")[5, 7].tolist() == [255, 0, 0]
    assert "a.gif is an animation of 2 frames: the first is enlarged" in capsys.readouterr().err


def test_the_plan_is_said_before_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    Image.fromarray(drawing()).save(tmp_path / "a.png")
    done = upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how())
    first, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("a.png: 30 x 20 -> 60 x 40, 1 tile of 30 x 20 pixels with 0 around, about ")
    assert 10**8 < done.memory < 10**10
    upscale_picture(tmp_path / "a.png", tmp_path / "c.png", how(quiet=True))
    assert capsys.readouterr().err == ""


def test_it_is_signed_as_enhanced_not_as_generated(tmp_path: Path):
    Image.fromarray(drawing()).save(tmp_path / "a.png")
    assert upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how(signing=True)).signed
    report = verify(tmp_path / "b.png")
    assert report.signed
    assert report.intact
    assert (report.model, report.label) == ("mien upscale nearest", None)
    assert str(report.digital_source_type).endswith("/algorithmicallyEnhanced")
    assert [part.title for part in report.ingredients] == ["a.png"]


def test_a_generated_picture_stays_labelled(tmp_path: Path):
    Image.fromarray(drawing()).save(tmp_path / "a.png")
    label = aigc_label("somebody")
    label_picture(tmp_path / "a.png", label)
    upscale_picture(tmp_path / "a.png", tmp_path / "b.jpg", how(signing=True))
    assert verify(tmp_path / "b.jpg").label == label


def test_a_stopped_run_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    Image.fromarray(drawing(50, 30)).save(tmp_path / "a.png")
    with pytest.raises(KeyboardInterrupt):
        upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how(Nearest(stop=BEFORE + 7), tile=10))
    assert listed(tmp_path) == [".b.png.part-rows", "a.png"]
    enlarger = Nearest()
    done = upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how(enlarger, tile=10))
    assert (done.resumed, enlarger.calls) == (40, BEFORE + 9)  # of five bands of three tiles two were done
    assert "going on at row 40 of 100" in capsys.readouterr().err
    np.testing.assert_array_equal(whole(tmp_path / "b.png"), repeated(drawing(50, 30)))
    assert listed(tmp_path) == ["a.png", "b.png"]


@pytest.mark.parametrize("other", ["picture", "network", "scale"])
def test_what_was_left_of_another_job_is_not_used(tmp_path: Path, other: str):
    Image.fromarray(drawing(50, 30)).save(tmp_path / "a.png")
    with pytest.raises(KeyboardInterrupt):
        upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how(Nearest(stop=BEFORE + 7), tile=10))
    image, enlarger = drawing(50, 30), Nearest(scale=3 if other == "scale" else 2)
    if other == "picture":
        image = 255 - image
        Image.fromarray(image).save(tmp_path / "a.png")
    if other == "network":
        enlarger = Smooth("nearest", 2)
    done = upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how(enlarger, tile=10))
    assert done.resumed == 0
    if other != "network":
        np.testing.assert_array_equal(whole(tmp_path / "b.png"), repeated(image, enlarger.scale))


def test_a_full_disk_leaves_the_old_picture_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Image.fromarray(drawing()).save(tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.png").write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for place, name in ((written.PngWriter, "close"), (pictures.Parts, "append")):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, full)
            with pytest.raises(OSError, match="No space left"):
                upscale_picture(tmp_path / "a.png", tmp_path / "out" / "b.png", how())
        assert listed(tmp_path / "out") == ["b.png"]
        assert (tmp_path / "out" / "b.png").read_bytes() == b"old"


def test_too_little_memory_or_disk_is_said_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Image.fromarray(drawing(200, 200)).save(tmp_path / "a.png")
    enlarger = Nearest()
    monkeypatch.setattr(pictures, "resident", lambda: 0)
    needed = upscale_needs(tmp_path / "a.png")
    monkeypatch.setattr(sufficing, "memory", lambda: (10**9, 10**5))
    with pytest.raises(RuntimeError, match=r"about .* MB of memory are needed, 0 MB are free: choose smaller tiles"):
        upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how(enlarger))
    monkeypatch.setattr(sufficing, "memory", lambda: (10**9, needed + 10**6))  # a JPEG takes 8 bytes for each of 160,000 pixels more
    with pytest.raises(ValueError, match=r"a JPEG of this size takes about .*: write \.png, which takes"):
        upscale_picture(tmp_path / "a.png", tmp_path / "b.jpg", how(enlarger))
    monkeypatch.setattr(sufficing.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(OSError, match=r"of disk are needed meanwhile, 0 MB are free"):
        upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how(enlarger))
    assert listed(tmp_path) == ["a.png"]


def upscale_needs(path: Path) -> int:
    """Bytes that are predicted for a PNG."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sufficing, "memory", lambda: (None, None))
        done = upscale_picture(path, path.with_name("c.png"), how())
    done.output.unlink()
    return done.memory


@pytest.mark.parametrize(("output", "signing", "words"), [
    ("a.png", False, "is the picture itself"), ("b.gif", False, r"cannot write \.gif, expected one of \.jpg"),
    ("b", False, "cannot write no suffix"), ("folder.png", False, "is a folder, expected the name of a picture"),
    (".", False, "is a folder, expected the name of a picture"),
    ("b.webp", True, r"cannot be signed: write \.jpg or \.jpeg or \.png, or leave signing out"),
])  # fmt: skip
def test_an_output_that_will_not_do_is_refused(tmp_path: Path, output: str, signing: bool, words: str):
    Image.fromarray(drawing()).save(tmp_path / "a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ValueError, match=words):
        upscale_picture(tmp_path / "a.png", tmp_path / output, how(signing=signing))
    assert listed(tmp_path) == ["a.png"]


@pytest.mark.parametrize(("suffix", "most"), [("jpg", 65_535), ("webp", 16_383)])
def test_a_side_that_the_format_does_not_have_is_refused(tmp_path: Path, suffix: str, most: int):
    Image.new("L", (most // 2 + 1, 1)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=rf"has at most {most} a side: write \.png"):
        upscale_picture(tmp_path / "a.png", tmp_path / f"b.{suffix}", how())


@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b"hello", "is not a picture"), (None, "does not exist")])
def test_an_input_that_is_no_picture_is_refused(tmp_path: Path, content: bytes | None, words: str):
    if content is not None:
        (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        upscale_picture(tmp_path / "a.jpg", tmp_path / "new" / "out" / "b.png", how())
    assert not (tmp_path / "new").exists()


def test_sixteen_bits_are_computed_in_full_precision(tmp_path: Path):
    rough = replace(CPU, precision="bf16")
    seen = []

    class Watched(Nearest):
        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(torch.is_autocast_enabled("cpu"))
            return super().__call__(x)

    (tmp_path / "a.png").write_bytes(png_of(np.zeros((4, 4, 3), np.uint16)))
    upscale_picture(tmp_path / "a.png", tmp_path / "b.png", replace(how(Watched()), runtime=rough))
    assert not any(seen)
    Image.fromarray(drawing(4, 4)).save(tmp_path / "a.png")
    upscale_picture(tmp_path / "a.png", tmp_path / "b.png", replace(how(Watched()), runtime=rough))
    assert any(seen)


def test_frames_of_a_video_are_enlarged_in_memory():
    frames = np.stack([drawing(12, 17), 255 - drawing(12, 17)])
    np.testing.assert_array_equal(Frames(how(tile=5), 12, 17)(frames), frames.repeat(2, 1).repeat(2, 2))


def test_a_photo_stays_within_a_level_of_pillow(tmp_path: Path):
    """The writer against another decoder, through JPEG: quality and colours are what was asked for."""
    image = np.asarray(Image.fromarray(drawing(6, 6)).resize((48, 48), Image.Resampling.BICUBIC))
    Image.fromarray(image).save(tmp_path / "a.png")
    upscale_picture(tmp_path / "a.png", tmp_path / "b.jpg", how(quality=95))
    theirs = BytesIO()
    Image.fromarray(repeated(image)).save(theirs, "JPEG", quality=95, subsampling=0)
    assert (tmp_path / "b.jpg").read_bytes() == theirs.getvalue()
