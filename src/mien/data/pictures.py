"""Pictures in and out: every kind a camera or an editor makes becomes (H, W, 3) uint8 RGB, upright."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mien.data.files import atomic
from mien.progress import say

LARGEST = 300_000_000
"""Pixels; a picture with more is refused before it is decoded."""
READABLE = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
WRITABLE = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
EXPECTED = "JPEG, PNG, WebP, BMP or TIFF"
STRIP = 1 << 22
"""Pixels that are taken over at once."""
ORIENTATION, EXIF_IFD, EXIF_WIDTH, EXIF_HEIGHT = 0x0112, 0x8769, 0xA002, 0xA003

# Pillow warns above its limit (90 megapixels) and refuses above twice that: cameras reach 100 and more.
Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or LARGEST, LARGEST)


def read_picture(path: Path) -> np.ndarray:
    """Read a picture, turned as its EXIF says: (H, W, 3) uint8 RGB.

    Transparency is laid over white; 16 bits become 8; grey, palette and CMYK become RGB; an animation gives its first
    frame. Colours stay in the file's own colour space: `write_picture(..., like=path)` keeps its profile.
    Raises ValueError, naming the file and what is wrong with it.
    """
    return _read(existing(path), str(path))


def decode_picture(data: bytes, name: str) -> np.ndarray:
    """A picture in memory, as `read_picture` gives it; `name` stands for it in errors."""
    return _read(BytesIO(data), name)


def write_picture(path: Path, array: np.ndarray, quality: int = 95, like: Path | None = None) -> None:
    """Write (H, W, 3) uint8 RGB as JPEG (4:4:4), PNG or WebP, as the suffix says; all or nothing.

    `like`: the picture this one was made from; its RGB colour profile and EXIF are kept, without the orientation (the
    pixels are upright already) and the thumbnail (it would show the old picture).
    Raises ValueError for another suffix or array.
    """
    path = Path(path)
    kind = WRITABLE.get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"{path}: cannot write {path.suffix or 'no suffix'}, expected one of {' '.join(WRITABLE)}")
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
        raise ValueError(f"{path}: cannot write a {array.dtype} array {array.shape}, expected uint8 (H, W, 3)")
    picture = Image.fromarray(np.ascontiguousarray(array))
    profile, exif = kept(like, picture.size) if like is not None else (None, b"")
    options: dict[str, object] = {"exif": exif} if exif else {}
    if kind != "PNG":
        options["quality"] = quality
    if kind == "JPEG":
        options["subsampling"] = 0
    encoded = BytesIO()
    picture.save(encoded, format=kind, icc_profile=profile, **options)
    with atomic(path) as draft:
        draft.write_bytes(encoded.getvalue())


@contextmanager
def opened(source: Path | BytesIO, name: str) -> Iterator[Image.Image]:
    """The file's picture, not yet decoded; while it is open, whatever is wrong with it is a ValueError that names it."""
    try:
        with calm(), Image.open(source, formats=READABLE) as picture:
            if picture.width * picture.height > LARGEST:
                raise Image.DecompressionBombError
            yield picture
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(f"{name} is too large: expected at most {LARGEST // 1_000_000} megapixels") from None
    except UnidentifiedImageError:
        raise ValueError(f"{name} is not a picture: {_content(source)}, expected {EXPECTED}") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise ValueError(f"{name} is damaged or cut off: {error}") from None
    except (SyntaxError, EOFError, ValueError, IndexError, struct.error) as error:
        raise ValueError(f"{name} cannot be read as a picture: {error}") from None


def upright(picture: Image.Image) -> Image.Image:
    """The decoded picture itself, turned as its EXIF says."""
    picture.load()
    ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _read(source: Path | BytesIO, name: str) -> np.ndarray:
    with opened(source, name) as picture:
        return rgb(upright(picture))


def existing(path: Path) -> Path:
    """The path itself. ValueError for none, a folder, or an empty file."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}, expected a picture")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty, expected a picture")
    return path


@contextmanager
def calm() -> Iterator[None]:
    """Pillow warns of every odd EXIF tag: nothing a person could do about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def rgb(picture: Image.Image) -> np.ndarray:
    """The pixels (H, W, 3) uint8, as `read_picture` says. ValueError for numbers that are no brightness."""
    if (grey := deep_grey(picture)) is not None:
        eight = ((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)
        return np.repeat(eight[..., None], 3, axis=2)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture)
        picture = paper
    return _pixels(picture)


def deep_grey(picture: Image.Image) -> np.ndarray | None:
    """The 16 bits (H, W) of a grey picture that has as many; None for any other. ValueError for numbers that are no brightness."""
    if picture.mode == "F":
        raise ValueError("32-bit floating point, expected 8 or 16 bits a channel")
    if not picture.mode.startswith("I"):
        return None
    grey = np.asarray(picture)
    if grey.min() < 0 or grey.max() > 65535:
        raise ValueError("32 bits a pixel, expected 8 or 16 bits a channel")
    return grey


def _pixels(picture: Image.Image) -> np.ndarray:
    """Taken over in strips: whole, Pillow would hold a large picture four times on the way."""
    width, height = picture.size
    out = np.empty((height, width, 3), np.uint8)
    rows = max(STRIP // width, 1)
    for top in range(0, height, rows):
        part = picture if rows >= height else picture.crop((0, top, width, min(top + rows, height)))
        out[top : top + rows] = np.asarray(part if part.mode == "RGB" else part.convert("RGB"))
    return out


def _content(source: Path | BytesIO) -> str:
    """What a file that is no picture looks like, in words."""
    with source.open("rb") if isinstance(source, Path) else BytesIO(source.getvalue()) as file:
        head = file.read(512)
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "it is an HTML page"
    if head[4:8] == b"ftyp":
        return "it is a HEIC or AVIF picture" if head[8:12] in (b"heic", b"heix", b"mif1", b"avif") else "it is a video"
    if start.startswith(b"<svg") or b"<svg" in start:
        return "it is an SVG drawing"
    return "it holds unknown bytes" if b"\0" in head or any(byte < 9 for byte in head) else "it is text"


def kept(like: Path, size: tuple[int, int], space: bytes = b"RGB ") -> tuple[bytes | None, bytes]:
    """The colour profile and the EXIF block that a picture of this size (width, height) made from `like` takes over.

    `space`: what its numbers are, as a profile's header says it, b"RGB " or b"GRAY"; a profile for another is none.
    """
    with calm(), Image.open(existing(like), formats=READABLE) as picture:
        profile = picture.info.get("icc_profile")
        exif = picture.getexif()
        exif.pop(ORIENTATION, None)
        details = exif.get_ifd(EXIF_IFD)
        for tag, length in zip((EXIF_WIDTH, EXIF_HEIGHT), size, strict=True):
            if tag in details:
                details[tag] = length
        try:
            block = exif.tobytes() if len(exif) else b""
        except Exception as error:  # any malformed tag of any camera: the picture matters more than its EXIF
            say(f"the EXIF of {like} cannot be kept: {error}")
            block = b""
    return (profile if profile and profile[16:20] == space else None), block
