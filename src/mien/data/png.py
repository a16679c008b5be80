"""PNG written row by row (W3C PNG, third edition): pictures larger than memory, 8 and 16 bits, with profile and EXIF."""

from __future__ import annotations

import zlib
from typing import BinaryIO

import numpy as np

MAGIC = b"\x89PNG\r\n\x1a\n"
LARGEST = (1 << 31) - 1
"""Pixels of a side."""
KINDS = {1: 0, 2: 4, 3: 2, 4: 6}
"""Channels (grey, grey and alpha, RGB, RGBA) -> colour type."""
STRIP = 1 << 20
"""Bytes that are filtered at once."""
CHUNK = 1 << 20
"""Bytes of an IDAT chunk, about."""


class PngWriter:
    """`PngWriter(file, w, h, channels=3)`, then `write(rows)` until all are there, then `close()`. The file is the caller's."""

    def __init__(self, file: BinaryIO, width: int, height: int, channels: int, depth: int = 8, *, profile: bytes | None = None,
                 exif: bytes = b"", level: int = 6) -> None:
        """`depth`: bits a channel, 8 or 16. `profile`: an ICC profile; `exif`: a block, with or without "Exif" before it.

        `level`: zlib's, 0 to 9. ValueError for a size, a depth or channels that PNG does not have.
        """
        if not (1 <= width <= LARGEST and 1 <= height <= LARGEST):
            raise ValueError(f"a PNG of {width} x {height} pixels, expected 1 to {LARGEST} a side")
        if channels not in KINDS or depth not in (8, 16):
            raise ValueError(f"a PNG of {channels} channels with {depth} bits, expected 1 to 4 with 8 or 16")
        self.width, self.height, self.channels, self.depth = width, height, channels, depth
        self.done = 0
        """Rows written."""
        self._file, self._pixel = file, channels * depth // 8
        self._deflate = zlib.compressobj(level, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
        self._above = np.zeros((1, width * self._pixel), np.uint8)
        self._waiting = bytearray()
        file.write(MAGIC)
        self._chunk(b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, KINDS[channels], 0, 0, 0]))
        if profile:
            self._chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
        if exif:
            self._chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))

    def write(self, rows: np.ndarray) -> None:
        """Append (n, W, C) uint8 or, with 16 bits, uint16; (n, W) for one channel. ValueError for another shape, or rows too many."""
        kind = np.uint8 if self.depth == 8 else np.uint16
        rows = rows[..., None] if rows.ndim == 2 else rows
        if rows.ndim != 3 or rows.shape[1:] != (self.width, self.channels) or rows.dtype != kind:
            raise ValueError(f"rows {rows.shape} {rows.dtype} for a PNG, expected (n, {self.width}, {self.channels}) {kind.__name__}")
        if self.done + len(rows) > self.height:
            raise ValueError(f"{self.done + len(rows)} rows for a PNG of {self.height}")
        step = max(STRIP // self._above.size, 1)
        for top in range(0, len(rows), step):
            strip = np.ascontiguousarray(rows[top : top + step].astype(">u2") if self.depth == 16 else rows[top : top + step])
            flat = strip.view(np.uint8).reshape(len(strip), -1)
            self._data(self._deflate.compress(filtered(flat, self._above, self._pixel).data))
            self._above = flat[-1:]
        self.done += len(rows)

    def close(self) -> None:
        """Write the end. ValueError where rows are missing."""
        if self.done != self.height:
            raise ValueError(f"{self.done} rows for a PNG of {self.height}")
        self._data(self._deflate.flush(), last=True)
        self._chunk(b"IEND", b"")

    def _data(self, data: bytes, last: bool = False) -> None:
        self._waiting += data
        if len(self._waiting) >= CHUNK or (last and self._waiting):
            self._chunk(b"IDAT", bytes(self._waiting))
            self._waiting.clear()

    def _chunk(self, name: bytes, data: bytes) -> None:
        self._file.write(len(data).to_bytes(4, "big") + name)
        self._file.write(data)
        self._file.write(zlib.crc32(data, zlib.crc32(name)).to_bytes(4, "big"))


def filtered(rows: np.ndarray, above: np.ndarray, pixel: int) -> np.ndarray:
    """(n, bytes) uint8 rows, the one above them (1, bytes), bytes of a pixel -> (n, 1 + bytes), each row with its filter's number.

    Of the five filters a row takes the one whose bytes, taken as signed, are smallest in sum (the standard's own advice, 12.7).
    """
    up = np.concatenate([above, rows[:-1]])
    left, corner = np.zeros_like(rows), np.zeros_like(rows)
    left[:, pixel:], corner[:, pixel:] = rows[:, :-pixel], up[:, :-pixel]
    out = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    out[:, 0], out[:, 1:] = 0, rows
    least = _cost(rows)
    mean = (left & up) + ((left ^ up) >> 1)  # (left + up) // 2 without a ninth bit
    for number, guess in enumerate((left, up, mean, _paeth(left, up, corner)), 1):
        tried = rows - guess
        cost = _cost(tried)
        better = cost < least
        out[better, 0], out[better, 1:], least = number, tried[better], np.minimum(cost, least)
    return out


def _cost(rows: np.ndarray) -> np.ndarray:
    return np.minimum(rows, np.negative(rows)).sum(1, dtype=np.int64)


def _paeth(left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Whichever of the three is nearest to left + up - corner, in this order."""
    a, b, c = (part.astype(np.int16) for part in (left, up, corner))
    to_left, to_up = np.abs(b - c), np.abs(a - c)
    to_corner = np.abs(a + b - 2 * c)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner))
