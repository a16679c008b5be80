"""Bands of a decoded picture: every mode, 8 and 16 bits, all turned upright."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from test_png import png_of

from mien.data.pictures import read_picture
from mien.data.rows import TURNS, read_rows


def gradient(channels: int = 3) -> np.ndarray:
    y, x = np.mgrid[:6, :9]
    return np.stack([(x * 20 + y * 7 * c) % 256 for c in range(1, channels + 1)], -1).astype(np.uint8)


@pytest.mark.parametrize(("mode", "suffix", "channels"), [
    ("1", "png", 1), ("L", "jpg", 1), ("L", "png", 1), ("LA", "png", 2), ("RGB", "bmp", 3), ("RGBA", "png", 4), ("P", "png", 3),
    ("CMYK", "jpg", 3), ("P", "gif", 3), ("RGB", "webp", 3), ("YCbCr", "jpg", 3),
])  # fmt: skip
def test_every_mode_is_what_pillow_makes_of_it(tmp_path: Path, mode: str, suffix: str, channels: int):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(gradient()).convert(mode).save(path)
    rows = read_rows(path)
    assert (rows.height, rows.width, rows.channels, rows.depth, rows.frames) == (6, 9, channels, 8, 1)
    seen = np.concatenate([rows.band(0, 2), rows.band(2, 6)])
    assert (seen.shape, seen.dtype) == ((6, 9, channels), np.uint8)
    with Image.open(path) as picture:
        expected = np.asarray(picture.convert({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]))
    np.testing.assert_array_equal(seen, expected.reshape(seen.shape))


def test_a_transparent_palette_colour_becomes_alpha(tmp_path: Path):
    palette = Image.new("P", (2, 2), 0)
    palette.putpalette([10, 20, 30])
    palette.save(tmp_path / "p.png", transparency=0)
    assert read_rows(tmp_path / "p.png").band(0, 1)[0, 0].tolist() == [10, 20, 30, 0]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_stay(tmp_path: Path, channels: int, suffix: str):
    rows, path = gradient(channels).astype(np.uint16) * 250 + 3, tmp_path / f"a.{suffix}"
    if suffix == "png":
        path.write_bytes(png_of(rows))
    elif channels == 2:
        pytest.skip("Pillow reads no TIFF with 16-bit grey and alpha")
    else:
        tifffile.imwrite(path, rows.squeeze(), photometric="rgb" if channels > 2 else "minisblack",
                         extrasamples=["unassalpha"] if channels == 4 else None)  # fmt: skip
    seen = read_rows(path)
    assert (seen.channels, seen.depth) == (channels, 16)
    np.testing.assert_array_equal(seen.band(1, 5), rows[1:5])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("deep", [False, True])
def test_pictures_stand_upright(tmp_path: Path, orientation: int, deep: bool):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = gradient()
    (tmp_path / "a.png").write_bytes(png_of(stored.astype(np.uint16) * 257 if deep else stored, exif=exif.tobytes()))
    rows = read_rows(tmp_path / "a.png")
    expected = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(rows.band(0, rows.height) // (257 if deep else 1), expected)
    if deep and orientation > 1:
        np.testing.assert_array_equal(TURNS[orientation](stored), expected)


def test_an_animation_tells_its_frames_and_gives_the_first(tmp_path: Path):
    first, second = Image.new("RGB", (4, 3), "red"), Image.new("RGB", (4, 3), "blue")
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    rows = read_rows(tmp_path / "a.gif")
    assert rows.frames == 2
    assert rows.band(0, 1)[0, 0, :3].tolist() == [255, 0, 0]


@pytest.mark.parametrize("deep", [False, True])
def test_a_picture_cut_off_is_refused(tmp_path: Path, deep: bool):
    rows = np.random.default_rng(0).integers(0, 256, (90, 90, 3))
    data = png_of(rows.astype(np.uint16 if deep else np.uint8))
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"a\.png"):
        read_rows(tmp_path / "a.png")


def test_numbers_that_are_no_brightness_are_refused(tmp_path: Path):
    Image.fromarray(np.ones((2, 2), np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(ValueError, match=r"a\.tiff cannot be read as a picture: 32-bit floating point"):
        read_rows(tmp_path / "a.tiff")
