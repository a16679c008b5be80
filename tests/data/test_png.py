"""The PNG writer against two readers of others: Pillow and FFmpeg."""

import zlib
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from mien.data.png import PngWriter, filtered

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
SIDE = st.integers(1, 20)
FORMATS = {1: "gray16be", 2: "ya16be", 3: "rgb48be", 4: "rgba64be"}


def png_of(rows: np.ndarray, *steps: int, **options: bytes | int | None) -> bytes:
    file = BytesIO()
    height, width, channels = rows.shape
    writer = PngWriter(file, width, height, channels, rows.dtype.itemsize * 8, **options)  # pyright: ignore[reportArgumentType]
    for part in np.split(rows, steps):
        writer.write(part)
    writer.close()
    return file.getvalue()


@given(size=st.tuples(SIDE, SIDE), channels=st.sampled_from([*MODES]), seed=st.integers(0, 99), step=st.integers(0, 20))
def test_pillow_reads_what_is_png_of(size: tuple[int, int], channels: int, seed: int, step: int):
    height, width = size
    rows = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    rows[: height // 2] //= 60  # rows of both kinds: some are best left as they are
    with Image.open(BytesIO(png_of(rows, min(step, height)))) as picture:
        assert picture.mode == MODES[channels]
        np.testing.assert_array_equal(np.asarray(picture).reshape(rows.shape), rows)


@pytest.mark.parametrize("channels", MODES)
def test_ffmpeg_reads_sixteen_bits(tmp_path: Path, channels: int):
    y, x = np.mgrid[:33, :70]
    rows = np.stack([(x * 900 + y * 17 * c + c) % 65536 for c in range(1, channels + 1)], -1).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(png_of(rows, 5, 6))
    with av.open(str(tmp_path / "a.png")) as file:
        frame = next(file.decode(video=0))
    assert frame.format.name == FORMATS[channels]
    plane = frame.planes[0]
    seen = np.frombuffer(plane, ">u2").reshape(frame.height, plane.line_size // 2)[:, : 70 * channels]
    np.testing.assert_array_equal(seen.reshape(rows.shape), rows)


def test_each_filter_takes_the_rows_it_was_made_for():
    """By hand, three bytes a row and one a pixel: below a row, what each filter makes zeros of."""
    above = np.array([[10, 60, 200]], np.uint8)
    alike = {0: [0, 0, 0], 1: [7, 7, 7], 2: [10, 60, 200], 3: [5, 32, 116], 4: [10, 60, 200]}
    for number in (0, 1, 2, 3):
        row = np.array([alike[number]], np.uint8)
        assert filtered(row, above, 1)[0, 0] == number
    # 3: floor((0 + 10) / 2) = 5, floor((5 + 60) / 2) = 32, floor((32 + 200) / 2) = 116
    assert filtered(np.array([alike[3]], np.uint8), above, 1)[0, 1:].tolist() == [0, 0, 0]
    # Paeth: 90 lies above; 90 + 60 - 90 = 60 is what lies above again; 80 + 60 - 60 = 80 is what lies left
    assert filtered(np.array([[90, 80, 80]], np.uint8), np.array([[90, 60, 60]], np.uint8), 1)[0].tolist() == [4, 0, 20, 0]


def test_profile_and_exif_are_kept():
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with Image.open(BytesIO(png_of(np.zeros((2, 2, 3), np.uint8), profile=profile, exif=exif.tobytes()))) as picture:
        assert picture.info["icc_profile"] == profile
        assert picture.getexif()[0x010F] == "Camera"


def test_a_photo_is_no_larger_than_pillow_makes_it(data_dir: Path):
    with Image.open(next(iter(sorted((data_dir / "faces").rglob("*.jpg"))))) as photo:
        rows, theirs = np.asarray(photo.convert("RGB")), BytesIO()
    Image.fromarray(rows).save(theirs, "PNG")
    assert len(png_of(rows)) <= 1.02 * len(theirs.getvalue())


def test_many_chunks():
    rows = np.random.default_rng(0).integers(0, 256, (1200, 1500, 3), np.uint8)
    data = png_of(rows, 700, level=1)
    assert data.count(b"IDAT") > 3
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(data))), rows)


@pytest.mark.parametrize(("shape", "kind"), [
    ((2, 3, 3), np.uint8), ((2, 4), np.uint8), ((2, 4, 3), np.uint16), ((2, 4, 3), np.float32),
])  # fmt: skip
def test_other_rows_are_refused(shape: tuple[int, ...], kind: type):
    with pytest.raises(ValueError, match=r"expected \(n, 4, 3\) uint8"):
        PngWriter(BytesIO(), 4, 9, 3).write(np.zeros(shape, kind))


def test_rows_missing_or_too_many_are_refused():
    writer = PngWriter(BytesIO(), 4, 3, 1)
    writer.write(np.zeros((2, 4), np.uint8))
    with pytest.raises(ValueError, match="2 rows for a PNG of 3"):
        writer.close()
    with pytest.raises(ValueError, match="4 rows for a PNG of 3"):
        writer.write(np.zeros((2, 4), np.uint8))


@pytest.mark.parametrize(("width", "channels", "depth", "words"), [
    (0, 3, 8, "0 x 5 pixels"), (4, 5, 8, "5 channels"), (4, 3, 12, "12 bits"),
])  # fmt: skip
def test_what_png_does_not_have_is_refused(width: int, channels: int, depth: int, words: str):
    with pytest.raises(ValueError, match=words):
        PngWriter(BytesIO(), width, 5, channels, depth)


def test_the_stream_ends_where_zlib_does():
    data = png_of(np.full((3, 2, 1), 9, np.uint8))
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4 : start], "big")
    assert len(zlib.decompress(data[start + 4 : start + 4 + length])) == 3 * (1 + 2)
    assert data.endswith(b"IEND\xaeB\x60\x82")
