"""Faces to make fakes of: cut out with a margin, never enlarged, sorted into people, and people into train, dev and test.

One folder: pixels.npy (all crops end to end), index.npz (a row a crop: `Originals`). Nobody is in two parts: not by name, and not by
face either, since a name in one source may be a number in another.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data.files import atomic
from mien.faces.describe import Describer
from mien.faces.find import find
from mien.faces.inspected import crop_of, square
from mien.faces.material import pictures
from mien.progress import Progress, say
from mien.types import Face

MARGIN = 1.12
"""A kept crop is so much wider than what an inspection looks at: room for moving the frame about after a fake was made."""
LEAST, MOST = 150, 512
"""Pixels of an inspected crop: smaller faces are left out, larger ones shrunk."""
PER_CLIP = 40
PARTS = ("train", "dev", "test")
TEST = re.compile(r"^(lfw100|johns|portraits)/|^video/(wda_|clip_s32)")
DEV = re.compile(r"^video/(clip_d12|clip_s29)")
"""People whose part is decided by where they come from."""
EVERY = {"generated": (4, 10), "frames347": (10, 10), "stills": (5, 5)}
"""Of the others, each so many-th is a test person, and of those that remain each so many-th a dev person."""
ALIKE = 0.42
"""People of two sources whose mean vectors are nearer than this are taken for one."""


@dataclass(frozen=True)
class Originals:
    """Crops (N of them) and what is known of each."""

    pixels: np.ndarray
    """(bytes,) uint8, most often mapped from the file."""
    start: np.ndarray
    """(N,) int64, where in `pixels` a crop begins."""
    size: np.ndarray
    """(N,) pixels of a kept crop's side; the inspected square lies in its middle, `MARGIN` times smaller."""
    side: np.ndarray
    """(N,) pixels of the inspected square in the picture it is from, before any shrinking."""
    inside: np.ndarray
    """(N, 4) x1, y1, x2, y2: the part of the kept crop that is picture; beyond it the border is repeated."""
    landmarks: np.ndarray
    """(N, 68, 2) float32, in pixels of the kept crop."""
    vector: np.ndarray
    """(N, 128) float32: whose face, by dlib's network."""
    person: np.ndarray
    """(N,) SOURCE/NAME."""
    source: np.ndarray
    """(N,) file, with #FRAME for clips."""
    part: np.ndarray
    """(N,) train, dev or test."""

    def __len__(self) -> int:
        return len(self.start)

    def crop(self, i: int) -> np.ndarray:
        """(P, P, 3) uint8."""
        size = int(self.size[i])
        return np.asarray(self.pixels[self.start[i]:self.start[i] + size * size * 3]).reshape(size, size, 3)


COLUMNS = tuple(field.name for field in fields(Originals) if field.name != "pixels")


@dataclass(frozen=True)
class Kept:
    """A face cut out with a margin."""

    crop: np.ndarray
    """(P, P, 3) uint8."""
    landmarks: np.ndarray
    inside: tuple[int, int, int, int]
    side: int
    """Pixels of the inspected square in the picture."""


def kept(image: np.ndarray, face: Face, most: int = MOST) -> Kept:
    """(H, W, 3) uint8 and a face in it; shrunk where what is inspected would be larger than `most` pixels."""
    x0, y0, side = crop_of(face.box, image.shape)
    whole = round(side * MARGIN)
    x0, y0 = x0 - (whole - side) // 2, y0 - (whole - side) // 2
    crop, size = np.ascontiguousarray(square(image, x0, y0, whole)), min(whole, round(most * MARGIN))
    if size != whole:
        crop = np.asarray(Image.fromarray(crop).resize((size, size), Image.Resampling.BICUBIC))
    scale = size / whole
    low = (max(-x0, 0), max(-y0, 0))
    high = (min(image.shape[1] - x0, whole), min(image.shape[0] - y0, whole))
    inside = (*(math.ceil(v * scale) for v in low), *(math.floor(v * scale) for v in high))
    return Kept(crop, ((face.landmarks - (x0, y0)) * scale).astype(np.float32), inside, side)  # type: ignore[arg-type]


def parted(person: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """(N,) people and (N, 128) -> (N,) parts.

    Who has the name or the face of somebody in another source goes where the stricter of both belongs.
    """
    people = np.unique(person)
    source = np.array([p.split("/")[0] for p in people])
    rank = np.zeros(len(people), int)  # of PARTS
    for name, (test, dev) in EVERY.items():
        mine = np.flatnonzero(source == name)
        rank[mine[::test]] = 2
        rest = np.setdiff1d(mine, mine[::test])
        rank[rest[::dev]] = 1
    rank[[bool(DEV.match(p)) for p in people]] = 1
    rank[[bool(TEST.match(p)) for p in people]] = 2
    means = np.array([vector[person == p].mean(0) for p in people])
    near = np.linalg.norm(means[:, None] - means, axis=2) < ALIKE
    near &= (source[:, None] != source) & (source[:, None] != "generated") & (source != "generated")
    name = np.array([p.split("/")[1] for p in people])
    near |= name[:, None] == name
    for _ in range(len(people)):
        stricter = np.where(near, rank, 0).max(1)
        if np.array_equal(stricter, rank):
            break
        rank = stricter
    return np.array(PARTS)[rank[np.searchsorted(people, person)]]


def gather(data: Path, out: Path) -> Originals:
    """Find the faces under `data` and keep them in `out`; what is there already is opened instead."""
    if (out / "index.npz").is_file():
        return opened(out)
    crops, rows, describer = [], [], Describer()
    with Progress("faces") as bar:
        for image, person, source in pictures(data, PER_CLIP):
            faces = find(image, thorough=False)
            if faces and crop_of(faces[0].box, image.shape)[2] >= LEAST:
                found = kept(image, faces[0])
                crops.append(found.crop)
                vector = describer(found.crop, found.landmarks[None])[0]
                rows.append((len(found.crop), found.side, found.inside, found.landmarks, vector, person, source))
            bar.advance(note=person)
    if not rows:
        raise ValueError(f"no faces in {data}: expected the folders faces/ and video/ with pictures and clips in them")
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    size, _, _, _, vector, person, _ = columns
    start = np.cumsum([0, *(size[:-1].astype(np.int64) ** 2 * 3)])
    with atomic(out / "pixels.npy") as draft, draft.open("wb") as file:
        np.save(file, np.concatenate([crop.ravel() for crop in crops]))
    with atomic(out / "index.npz") as draft, draft.open("wb") as file:
        np.savez(file, allow_pickle=False, **dict(zip(COLUMNS, [start, *columns, parted(person, vector)], strict=True)))
    say(f"{len(crops)} faces of {len(np.unique(person))} people in {out}")
    return opened(out)


def opened(folder: Path) -> Originals:
    """What `gather` has written; pixels stay in the file."""
    if not (folder / "index.npz").is_file():
        raise ValueError(f"no faces in {folder}: expected index.npz and pixels.npy, as mien.tasks.inspect.making writes them")
    with np.load(folder / "index.npz") as index:
        return Originals(np.load(folder / "pixels.npy", mmap_mode="r"), **{name: index[name] for name in COLUMNS})
