"""What reading and writing share: opening a file, its packets, and the names of colour matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.reformatter import Colorspace

UNSPECIFIED = 2
SWS = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
"""Colour matrix by its number in ITU-T H.273 -> what FFmpeg's scaler calls it."""


def usual_matrix(height: int) -> int:
    """The colour matrix an untagged picture of so many lines is taken to have."""
    return 1 if height >= 720 else 6


def opened(path: Path) -> InputContainer:
    """The file, open for reading. Raises ValueError where it is missing, empty, cut off or no video."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}, expected a video")
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise ValueError(f"{path} is empty, expected a video")
    try:
        return av.open(str(path), metadata_errors="ignore")
    except FFmpegError as error:
        why = "it is cut off (its index is missing)" if head[4:] == b"ftyp" else f"it is not a video ({error.strerror})"
        raise ValueError(f"{path} cannot be read: {why}") from None


def demuxed(container: InputContainer, streams: Sequence[Stream], trouble: list[str]) -> Iterator[Packet | None]:
    """All packets; where the file cannot be read on, None (it flushes a decoder) and a line of `trouble`."""
    try:
        yield from container.demux(*streams)
    except FFmpegError as error:
        trouble.append(str(error.strerror))
        yield None
