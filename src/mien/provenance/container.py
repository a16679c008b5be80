"""What a file is, by its first bytes: a name can lie. Which kinds can be signed, and walking through their parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

SIGNABLE = {
    "image/jpeg": ("JPEG", (".jpg", ".jpeg")),
    "image/png": ("PNG", (".png",)),
    "video/mp4": ("MP4", (".mp4", ".m4v")),
    "video/quicktime": ("MOV", (".mov", ".qt")),
}
_BRANDS = {
    b"qt  ": "video/quicktime",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"M4A ": "",
}
_MAGIC = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"BM", "image/bmp"),
    (8, b"WEBP", "image/webp"),
    (8, b"AVI ", "video/avi"),
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska"),
)


def kind(path: Path) -> str:
    """The MIME type of a picture or video. ValueError: no such file, or neither picture nor video."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; expected a picture or a video")
    with path.open("rb") as file:
        head = file.read(32)
    if head[4:8] == b"ftyp":
        mime = _BRANDS.get(head[8:12], "video/mp4")
    else:
        mime = next((mime for at, magic, mime in _MAGIC if head[at : at + len(magic)] == magic), "")
    if not mime:
        raise ValueError(f"{path}: neither a picture nor a video; expected JPEG, PNG, MP4 or another common kind")
    return mime


def is_video(path: Path) -> bool:
    """By its first bytes; a file that is neither picture nor video is none."""
    try:
        return kind(path).startswith("video/")
    except ValueError:
        return False


def signable(path: Path) -> str:
    """The MIME type of a file that can be signed. ValueError for one that cannot, naming those that can."""
    mime = kind(path)
    if mime not in SIGNABLE:
        names = ", ".join(name for name, _ in SIGNABLE.values())
        raise ValueError(f"{path}: {mime} cannot be signed; expected {names}")
    return mime


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of every segment before the pixels. ValueError where the file is cut off."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            return
        if end > len(data):
            break
        yield marker, at, end
        at = end
    raise ValueError("the JPEG is broken or cut off before its pixels")


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of every chunk up to IEND. ValueError where the file is cut off."""
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            break
        name = data[at + 4 : at + 8]
        yield name, at, end
        if name == b"IEND":
            return
        at = end
    raise ValueError("the PNG is broken or cut off")


def boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int, int]]:
    """Type, start, start of the content and end of every top box of an MP4 (ISO/IEC 14496-12, 4.2).

    ValueError: the file is cut off, or its last box is open-ended (nothing can be put behind that one).
    """
    total = file.seek(0, 2)
    at = 0
    while at < total:
        file.seek(at)
        head = file.read(16)
        size, body = int.from_bytes(head[:4], "big"), at + 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), at + 16
        if size < body - at or at + size > total:
            raise ValueError("the MP4 is broken, cut off or open-ended")
        yield head[4:8], at, body, at + size
        at += size
