"""Faces with boxes, gathered from folders of photos and clips into a COCO data set that a detector can learn from.

A face's box bounds its 68 points, as everywhere in mien. Where points were annotated they count; elsewhere the packaged detector and
the face mesh say where faces are. Nobody is in two parts: a person's name decides.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from mien.data.files import atomic
from mien.data.pictures import read_picture, write_picture
from mien.data.video import read_video
from mien.faces.find import THOROUGH, confirm, find, propose, tiles
from mien.models.detector import sized
from mien.progress import Progress

LONGEST = 640
"""Pixels of the longer side of a kept picture: more than the detector sees."""
SECONDS = 1.0
"""Between two frames taken of a clip."""
HELD = 6
"""One person (or clip) in so many is for the test."""
DETECTED = {"generated": False, "lfw100": False, "johns": False, "stills": True, "portraits": True}
"""Folders of photos whose faces the packaged detector finds -> whether it looks thoroughly: there are small faces, too."""


@dataclass(frozen=True)
class Seen:
    """A picture and the faces in it."""

    name: str
    """What its file will be called."""
    image: np.ndarray
    """(H, W, 3) uint8 RGB."""
    boxes: np.ndarray
    """(N, 4) float32."""
    part: str
    """train or test."""


def gather(data: Path, out: Path) -> dict[str, int]:
    """Fill `out` with pictures, train.json and test.json; what came together: part -> pictures, faces.

    `data`: the folder with `faces`, `video` and `sr`, as the project's data are laid out; what is not there is left out. ValueError
    where nothing is.
    """
    tables: dict[str, list[tuple[str, tuple[int, ...], np.ndarray]]] = {"train": [], "test": []}
    with Progress("gather faces", unit="pictures") as bar:
        for one in chain(annotated(data / "faces" / "landmarks68"), pointed(data / "faces" / "frames347"),
                         photographed(data / "faces"), filmed(data / "video"), faceless(data / "sr")):  # fmt: skip
            scale = min(1.0, LONGEST / max(one.image.shape[:2]))
            small = sized(one.image, scale)
            write_picture(out / "images" / f"{one.name}.jpg", small, 92)
            tables[one.part].append((f"{one.name}.jpg", small.shape, one.boxes * (small.shape[1] / one.image.shape[1])))
            bar.advance()
    if not tables["train"]:
        raise ValueError(f"{data} has no faces to gather: expected faces/, video/ and sr/ in it")
    for part, rows in tables.items():
        with atomic(out / f"{part}.json") as draft:
            draft.write_text(json.dumps(coco(rows)), encoding="utf-8")
    return {f"{part} {what}": number for part, rows in tables.items()
            for what, number in (("pictures", len(rows)), ("faces", sum(len(boxes) for *_, boxes in rows)))}  # fmt: skip


def coco(rows: list[tuple[str, tuple[int, ...], np.ndarray]]) -> dict[str, list[dict[str, object]]]:
    """File name, shape and boxes of each picture -> COCO's tables."""
    images = [{"id": number, "file_name": name, "width": shape[1], "height": shape[0]}
              for number, (name, shape, _) in enumerate(rows, 1)]  # fmt: skip
    boxes = [(number, *box) for number, (*_, some) in enumerate(rows, 1) for box in some.tolist()]
    annotations = [{"id": i, "image_id": number, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": 0} for i, (number, x1, y1, x2, y2) in enumerate(boxes, 1)]  # fmt: skip
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "face"}]}


def part_of(person: str) -> str:
    """train, or for one in `HELD` test: by the name alone, so that a person is in one part wherever the photos come from."""
    number = int(hashlib.sha256(person.lower().encode()).hexdigest()[:8], 16)
    return "train" if number % HELD else "test"


def around(points: np.ndarray) -> np.ndarray:
    """(N, 2) points -> (4,) their bounds."""
    return np.concatenate([points.min(0), points.max(0)]).astype(np.float32)


def annotated(folder: Path) -> Iterator[Seen]:
    """Dlib's photos with points of every face, already divided."""
    for part, file in (("train", "training_with_face_landmarks.xml"), ("test", "testing_with_face_landmarks.xml")):
        if not (folder / file).is_file():
            continue
        for entry in ElementTree.parse(folder / file).iter("image"):
            path = folder / entry.get("file", "")
            boxes = [around(np.array([[float(p.get("x", 0)), float(p.get("y", 0))] for p in box.iter("part")], np.float32))
                     for box in entry.iter("box") if box.find("part") is not None]  # fmt: skip
            if path.is_file() and boxes:
                yield Seen(f"landmarks68-{path.stem}", read_picture(path), np.stack(boxes), part)


def pointed(folder: Path) -> Iterator[Seen]:
    """Frames of one person each, with points."""
    if not (folder / "landmarks68.npz").is_file():
        return
    with np.load(folder / "landmarks68.npz") as points:
        for stem in points.files:
            if (path := folder / f"{stem}.jpg").is_file():
                yield Seen(f"frames347-{stem}", read_picture(path), around(points[stem])[None], part_of(re.sub(r"_\d+$", "", stem)))


def photographed(folder: Path) -> Iterator[Seen]:
    """Photos in which the packaged detector finds faces; those without one are left out: it may have missed it."""
    for name, thorough in DETECTED.items():
        for path in sorted((folder / name).rglob("*.jpg")):
            image = read_picture(path)
            boxes = found(image, thorough)
            person = path.stem if path.parent.name == name else path.parent.name
            if len(boxes):
                yield Seen(f"{name}-{path.stem}", image, boxes, part_of(person))


def filmed(folder: Path) -> Iterator[Seen]:
    """A frame of every second of each clip."""
    for path in sorted(folder.glob("*.mp4")):
        due = 0.0
        for frame in read_video(path):
            if frame.time >= due:
                due = frame.time + SECONDS
                boxes = found(frame.image, False)
                if len(boxes):
                    yield Seen(f"{path.stem}-{frame.index}", frame.image, boxes, part_of(path.stem))


def faceless(folder: Path) -> Iterator[Seen]:
    """Photographs of the Berkeley set in which the packaged detector finds nobody: its training part, and the 100 for the test."""
    for part, name in (("train", "bsds_train"), ("test", "bsd100")):
        for path in sorted((folder / name).glob("*")):
            if path.suffix.lower() in (".jpg", ".png", ".webp"):
                image = read_picture(path)
                if not confirm(image, [crop for crop, _ in propose(image, THOROUGH, windows(image))], careful=False):
                    yield Seen(f"{name}-{path.stem}", image, np.empty((0, 4), np.float32), part)


def windows(image: np.ndarray) -> list[tuple[int, int, int, int]]:
    """The whole picture and overlapping parts of it, for small faces."""
    height, width = image.shape[:2]
    return [(0, 0, width, height), *tiles(height, width, 2)]


def found(image: np.ndarray, thorough: bool) -> np.ndarray:
    """(N, 4): the packaged detector's faces."""
    boxes = [face.box for face in find(image, thorough)]
    return np.array(boxes, np.float32).reshape(-1, 4)
