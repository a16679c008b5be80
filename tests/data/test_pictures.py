import errno
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from mien.data import pictures
from mien.data.pictures import read_picture, write_picture


def gradient(height: int = 48, width: int = 64) -> np.ndarray:
    """(H, W, 3) uint8, no two corners alike."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 3, y * 5, (x + y) * 2], axis=2).astype(np.uint8)


def png(side: int, kind: bytes, rows: bytes) -> bytes:
    """A square PNG put together by hand; `kind`: bit depth, colour type and the rest of the header."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + kind
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = gradient()
    # the stored array that each orientation turns upright, from the EXIF standard's table (row 0 is .., column 0 is ..)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), upright)


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    layers = np.zeros((2, 3, 4), np.uint8)
    layers[0] = (255, 0, 0, 255)
    layers[1] = (0, 0, 0, 51)
    Image.fromarray(layers).save(tmp_path / "a.png")
    seen = read_picture(tmp_path / "a.png")
    assert seen[0, 0].tolist() == [255, 0, 0]
    assert seen[1, 0].tolist() == [204, 204, 204]
    palette = Image.new("P", (2, 2), 0)
    palette.putpalette([10, 20, 30])
    palette.save(tmp_path / "p.png", transparency=0)
    assert read_picture(tmp_path / "p.png")[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bit_grey_becomes_eight(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16)).save(tmp_path / f"a.{suffix}")
    assert read_picture(tmp_path / f"a.{suffix}").tolist() == [[[0] * 3, [100] * 3, [255] * 3]]


def test_sixteen_bit_colour_becomes_eight(tmp_path: Path) -> None:
    row = b"\0" + np.array([257 * 10, 257 * 200, 65535], ">u2").tobytes()
    (tmp_path / "a.png").write_bytes(png(1, bytes([16, 2, 0, 0, 0]), row))
    assert read_picture(tmp_path / "a.png").tolist() == [[[10, 200, 255]]]


@pytest.mark.parametrize(
    ("mode", "suffix"), [("L", "jpg"), ("1", "png"), ("P", "png"), ("CMYK", "jpg"), ("LA", "png"), ("RGB", "bmp")]
)
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str, suffix: str) -> None:
    Image.new("RGB", (40, 30), "white").convert(mode).save(tmp_path / f"a.{suffix}")
    seen = read_picture(tmp_path / f"a.{suffix}")
    assert (seen.shape, seen.dtype) == ((30, 40, 3), np.uint8)
    assert seen.min() >= 254


def jpeg() -> bytes:
    data = BytesIO()
    Image.fromarray(gradient()).save(data, "JPEG")
    return data.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.jpg is empty"),
        (b"good morning\n" * 9, "a.jpg is not a picture: it is text, expected JPEG"),
        (b"\n<!DOCTYPE html><html>not found", "it is an HTML page"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\x89PNG\r\n\x1a\nrubbish", "a.jpg"),
        (b"\0\1\2\3" * 9, "unknown bytes"),
        (jpeg()[:400], "a.jpg is damaged or cut off"),
        (jpeg()[:-200], "a.jpg is damaged or cut off"),
    ],
)
def test_what_is_no_picture_is_said_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_picture(tmp_path / "a.jpg")
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        read_picture(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="is a folder"):
        read_picture(tmp_path)


def test_a_hundred_megapixels_are_read(tmp_path: Path) -> None:
    Image.new("L", (10000, 10000), 7).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").shape == (10000, 10000, 3)


@pytest.mark.parametrize("side", [18_000, 30_000])
def test_too_many_pixels_are_refused(tmp_path: Path, side: int) -> None:
    (tmp_path / "a.png").write_bytes(png(side, bytes([8, 2, 0, 0, 0]), b""))
    with pytest.raises(ValueError, match=r"a\.png is too large: expected at most 300 megapixels"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize(("suffix", "error"), [("png", 0), ("jpg", 3), ("JPEG", 3), ("webp", 8)])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str, error: int) -> None:
    write_picture(tmp_path / "new" / f"a.{suffix}", gradient())
    seen = read_picture(tmp_path / "new" / f"a.{suffix}")
    assert np.abs(seen.astype(int) - gradient()).mean() <= error
    assert [path.name for path in (tmp_path / "new").iterdir()] == [f"a.{suffix}"]


def test_jpeg_keeps_full_colour_resolution(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.jpg", gradient())
    with Image.open(tmp_path / "a.jpg") as picture:
        assert {layer[1:3] for layer in picture.layer} == {(1, 1)}  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_profile_and_exif_are_kept_without_orientation_and_thumbnail(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    exif.get_ifd(0x8769).update({0xA002: 64, 0xA003: 48, 0x9003: "2020:02:02 02:02:02"})
    exif.get_ifd(1).update({0x0201: 999, 0x0202: 4})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(gradient(48, 64)).save(tmp_path / "a.jpg", exif=exif, icc_profile=profile)
    upright = read_picture(tmp_path / "a.jpg")
    write_picture(tmp_path / f"b.{suffix}", upright, like=tmp_path / "a.jpg")
    with Image.open(tmp_path / f"b.{suffix}") as picture:
        kept = picture.getexif()
        assert picture.info["icc_profile"] == profile
        assert (kept.get(0x0112), kept[0x010F], kept.get_ifd(1)) == (None, "Camera", {})
        assert kept.get_ifd(0x8769) == {0xA002: 48, 0xA003: 64, 0x9003: "2020:02:02 02:02:02"}
    assert read_picture(tmp_path / f"b.{suffix}").shape == (64, 48, 3)


def test_a_profile_that_is_not_for_rgb_is_dropped(tmp_path: Path) -> None:
    grey = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    grey[16:20] = b"CMYK"
    Image.new("CMYK", (8, 8)).save(tmp_path / "a.jpg", icc_profile=bytes(grey))
    write_picture(tmp_path / "b.jpg", gradient(8, 8), like=tmp_path / "a.jpg")
    with Image.open(tmp_path / "b.jpg") as picture:
        assert "icc_profile" not in picture.info


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot write \.gif, expected one of \.jpg \.jpeg \.png \.webp"):
        write_picture(tmp_path / "a.gif", gradient())
    with pytest.raises(ValueError, match=r"float32 array \(4, 4\), expected uint8"):
        write_picture(tmp_path / "a.png", np.zeros((4, 4), np.float32))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_picture(tmp_path / "a.png", gradient())
    before = (tmp_path / "a.png").read_bytes()

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pictures.Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_picture(tmp_path / "a.png", 255 - gradient())
    assert (tmp_path / "a.png").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_real_pictures_are_read(data_dir: Path) -> None:
    found = sorted((data_dir / "faces").rglob("*.jpg"))[:5]
    assert found
    for path in found:
        assert read_picture(path).std() > 5
