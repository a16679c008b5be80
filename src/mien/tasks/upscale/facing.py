"""Faces to learn the face model from: found in pictures and clips, cut out upright, people who test it kept apart.

    python -m mien.tasks.upscale.facing DATA --out PACK           # DATA: a folder with faces/ and video/
    mien train upscale/face --data PACK

One person of six is kept for testing.
"""

from __future__ import annotations

import argparse
import re
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data.pictures import write_picture
from mien.faces.find import find
from mien.faces.material import pictures
from mien.progress import Progress, say

SOURCES = ("generated", "frames347", "stills", "portraits", "lfw100")
SIDE, LEAST = 256, 160
"""Pixels of a cut face's side at most, and at least: a smaller one has no detail to learn."""
AROUND = 1.7
"""Side of the square over the longer side of the face's box."""
TEST = 6
"""One person of so many is kept for testing."""
PER_CLIP = 8


def cut(image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray | None:
    """(H, W, 3) uint8 -> the square around a face, (S, S, 3) with S at most `SIDE`; None where it is too small or not all there."""
    x1, y1, x2, y2 = box
    side = round(AROUND * max(x2 - x1, y2 - y1))
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2 - 0.05 * side)
    left, top = (min(max(at, 0), max(length - side, 0)) for at, length in ((left, image.shape[1]), (top, image.shape[0])))
    part = image[top:top + side, left:left + side]
    if min(part.shape[:2]) < max(LEAST, 0.9 * side):
        return None
    small = min(part.shape[:2])
    picture = Image.fromarray(np.ascontiguousarray(part[:small, :small]))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS) if small > SIDE else picture)


def main() -> None:
    """PACK/train and PACK/test, PNG."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    kept: dict[str, set[str]] = {"train": set(), "test": set()}
    count = 0
    with Progress("faces") as bar:
        for image, person, source in pictures(given.data, PER_CLIP, SOURCES):
            faces = find(image, thorough=False)
            part = cut(image, faces[0].box) if faces else None
            if part is not None:
                name = person.rpartition("/")[2]  # not the source: somebody may be in two
                where = "test" if zlib.crc32(name.encode()) % TEST == 0 else "train"
                write_picture(given.out / where / f"{re.sub(r'[^A-Za-z0-9]+', '-', source)}.png", part)
                kept[where].add(person)
                count += 1
            bar.advance(note=person)
    if not count:
        raise ValueError(f"no faces in {given.data}: expected the folders faces/ and video/ with pictures and clips in them")
    say(f"{count} faces: {len(kept['train'])} people to learn from, {len(kept['test'])} to test on")


if __name__ == "__main__":
    main()
