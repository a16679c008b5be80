"""The pictures and clips of people that mien's networks learn from, as the folder of data has them, and whose faces they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mien.data.pictures import read_picture
from mien.data.video import probe, read_video

SOURCES = ("generated", "frames347", "stills", "portraits", "lfw100", "johns")
"""Folders under faces/; video/ is read beside them."""
NAMED = re.compile(r"_\d+$")


def pictures(data: Path, per_clip: int, sources: tuple[str, ...] = SOURCES) -> Iterator[tuple[np.ndarray, str, str]]:
    """Every picture and about `per_clip` frames of a clip: pixels (H, W, 3) uint8, SOURCE/PERSON, and file, with #FRAME for clips."""
    for folder in sources:
        files = sorted(p for p in (data / "faces" / folder).rglob("*") if p.suffix in (".jpg", ".png"))
        for file in files:
            name = file.parent.name if file.parent.name != folder else NAMED.sub("", file.stem) if folder == "frames347" else file.stem
            yield read_picture(file), f"{folder}/{name}", str(file.relative_to(data))
    for file in sorted((data / "video").glob("*.mp4")):
        apart = max((probe(file).frames or 10 * per_clip) // per_clip, 5)
        for frame in read_video(file):
            if frame.index % apart == 0:
                yield frame.image, f"video/{file.stem}", f"{file.relative_to(data)}#{frame.index}"
