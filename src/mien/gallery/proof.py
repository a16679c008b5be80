"""Proof that bytes are gone: files are read from end to end for pieces of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

PIECE = 24
"""Bytes of a piece: 192 bits do not meet by chance."""
VARIED = 8
"""Different bytes a piece needs, since zeros are everywhere."""
CHUNK = 4 << 20


def pieces(blob: bytes) -> list[bytes]:
    """Up to three pieces of a blob, from places where it is like no other; the beginning of a JPEG is like all others."""
    found = []
    for part in (2, 3, 1):  # of four
        for start in range(len(blob) * part // 4, len(blob) - PIECE + 1, PIECE):
            piece = blob[start: start + PIECE]
            if len(set(piece)) >= VARIED:
                found.append(piece)
                break
    if not found and len(set(blob[:PIECE])) >= VARIED:
        found.append(blob[:PIECE])
    return [piece for piece in dict.fromkeys(found) if len(piece) == PIECE]


def occurrences(path: Path, needles: Iterable[bytes]) -> dict[bytes, int]:
    """How often each needle (4 bytes or more) stands in a file, at any offset; needles that do not are left out."""
    by_start: dict[bytes, list[bytes]] = {}
    for needle in set(needles):
        by_start.setdefault(needle[:4], []).append(needle)
    found: dict[bytes, int] = {}
    if not by_start:
        return found
    starts = np.sort(np.frombuffer(b"".join(by_start), "<u4"))
    gate = np.zeros(1 << 16, bool)  # by the first two bytes: rules out nearly every place at the cost of one look-up
    gate[starts & 0xFFFF] = True
    overlap = max(len(needle) for needles in by_start.values() for needle in needles) - 1
    with path.open("rb") as file:
        kept = b""
        while chunk := file.read(CHUNK):
            data = kept + chunk
            for place in _candidates(data, gate, starts):
                for needle in by_start.get(data[place: place + 4], ()):
                    # a match within the kept part was counted with the chunk before
                    if data.startswith(needle, place) and place + len(needle) > len(kept):
                        found[needle] = found.get(needle, 0) + 1
            kept = data[-overlap:]
    return found


def _candidates(data: bytes, gate: np.ndarray, starts: np.ndarray) -> list[int]:
    if len(data) < 4:
        return []
    raw = np.frombuffer(data, np.uint8)
    places = np.flatnonzero(gate[raw[:-3].astype(np.uint16) | raw[1:-2].astype(np.uint16) << 8])
    words = sum(raw[places + shift].astype(np.uint32) << (8 * shift) for shift in range(4))
    at = np.minimum(np.searchsorted(starts, words), len(starts) - 1)
    return places[starts[at] == words].tolist()
