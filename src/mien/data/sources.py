"""What a person handed in: pictures and videos, files or folders, in the order a person would count them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mien.types import Source

PICTURES = ("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif")
VIDEOS = ("mp4", "mov", "mkv", "avi", "webm", "m4v")
KINDS: dict[str, str] = {**dict.fromkeys(PICTURES, "picture"), **dict.fromkeys(VIDEOS, "video")}
MAGIC = (  # offset, bytes, kind
    (0, b"\xff\xd8\xff", "picture"),
    (0, b"\x89PNG", "picture"),
    (8, b"WEBP", "picture"),
    (0, b"II*\0", "picture"),
    (0, b"MM\0*", "picture"),
    (0, b"GIF8", "picture"),
    (4, b"ftyp", "video"),
    (8, b"AVI ", "video"),
    (0, b"\x1a\x45\xdf\xa3", "video"),
)


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """Every picture and video among `paths`: files in the order given, folders with all below them in natural order.

    A file's kind is told by its first bytes, else by its suffix; in folders, the suffix decides and hidden files are
    skipped. Raises ValueError where something does not exist, is neither picture nor video, or a folder holds neither.
    """
    found: list[Source] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += _in_folder(path)
        elif not path.exists():
            raise ValueError(f"{path} does not exist, expected a picture, a video or a folder of them")
        else:
            found.append(Source(path, _kind(path)))
    if not found:
        raise ValueError("nothing was given, expected pictures, videos or folders of them")
    return found


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key: `frame2` before `frame10`, capitals like small letters."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return tuple((0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece) for piece in pieces)


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    for offset, magic, kind in MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return kind
    kind = KINDS.get(path.suffix.lower().lstrip("."))
    if kind is None:
        raise ValueError(f"{path} is neither a picture ({' '.join(PICTURES)}) nor a video ({' '.join(VIDEOS)})")
    return kind


def _in_folder(folder: Path) -> list[Source]:
    found: list[Path] = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(here, name) for name in names if not name.startswith(".") and _suffix(name) in KINDS]
    if not found:
        raise ValueError(f"{folder} holds no picture ({' '.join(PICTURES)}) and no video ({' '.join(VIDEOS)})")
    found.sort(key=lambda path: ([natural(part) for part in path.relative_to(folder).parts], str(path)))
    return [Source(path, KINDS[_suffix(path.name)]) for path in found]


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower().lstrip(".")
