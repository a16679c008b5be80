"""How often the tests of a file's own traces are right: pictures whose history is known, because it is made here.

    nice python benchmarks/evidence.py --data DATA

Pictures: detect/coco128 and faces/generated, none of which had a part in choosing a threshold; each is decoded and halved (2 x 2
pixels to one), which leaves neither a grid of JPEG blocks nor a trace of resizing, 256 to 320 pixels long: small pictures are the hard
case.
double: saved as JPEG once, or twice at two qualities (4:2:0, standard tables); how many are told to be saved twice, and in how many
of those the first quality is told right, give or take 2. resampling: resized, or not, and then saved or not. Intervals: Wilson, 95 %.
seconds: all evidence of a 12-megapixel JPEG, one thread, and the memory of one of 100 megapixels.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from machine import load, origin
from mien.metrics.intervals import wilson
from mien.tasks.inspect.evidence.double import double_jpeg
from mien.tasks.inspect.evidence.gather import gather
from mien.tasks.inspect.evidence.resampling import resampling
from mien.tasks.inspect.evidence.subject import Subject, open_subject
from mien.tasks.inspect.evidence.tables import tables

SAVES = ((None, 60), (None, 75), (None, 85), (None, 95), (50, 75), (65, 75), (85, 75), (75, 85), (75, 90), (85, 90), (95, 90),
         (75, 95), (90, 95))  # fmt: skip
HOW = Image.Resampling
RESIZED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "no": lambda one: one,
    "1.1 bilinear": lambda one: scaled(one, 1.1, HOW.BILINEAR),
    "1.3 bicubic": lambda one: scaled(one, 1.3, HOW.BICUBIC),
    "1.5 Lanczos": lambda one: scaled(one, 1.5, HOW.LANCZOS),
    "2 bicubic": lambda one: scaled(one, 2, HOW.BICUBIC),
    "0.8 bicubic": lambda one: scaled(one, 0.8, HOW.BICUBIC),
    "turned by 5 degrees": lambda one: one.rotate(5, HOW.BICUBIC).crop((24, 24, one.width - 24, one.height - 24)),
}
AFTER = (None, 95, 90, 80)


def scaled(picture: Image.Image, factor: float, how: HOW) -> Image.Image:
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), how)


def saved(picture: Image.Image, quality: int | None) -> Image.Image:
    if quality is None:
        return picture
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality, subsampling=2)
    return Image.open(out).convert("RGB")


def counted(right: list[bool]) -> dict[str, Any]:
    found = wilson(sum(right), len(right))
    return {"share": round(found.value, 3), "interval": [round(found.low, 3), round(found.high, 3)], "of": len(right)}


def doubles(pictures: list[Image.Image], folder: Path) -> list[dict[str, Any]]:
    lines = []
    for first, second in SAVES:
        told, exact = [], []
        for picture in pictures:
            saved(picture, first).save(folder / "a.jpg", quality=second, subsampling=2)
            subject = open_subject(folder / "a.jpg")
            compression = tables(subject)
            found = double_jpeg(subject, compression.luma) if compression else None
            if found is None:
                continue
            told.append(found.twice)
            if found.twice and first is not None:
                exact.append(found.first_quality is not None and abs(found.first_quality - first) <= 2)
        lines.append({"first": first, "second": second, "told twice": counted(told)})
        if exact:
            lines[-1]["first right"] = counted(exact)
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def resized(pictures: list[Image.Image]) -> list[dict[str, Any]]:
    lines = []
    for name, change in RESIZED.items():
        for quality in AFTER:
            pixels = [np.asarray(saved(change(picture), quality)) for picture in pictures]
            found = [resampling(Subject(Path("made"), "", one, one, 1, ())) for one in pixels]
            lines.append({"resized": name, "saved": quality, "told": counted([one.resampled for one in found if one is not None])})
            print(lines[-1], file=sys.stderr, flush=True)
    return lines


def spent(picture: Image.Image, folder: Path) -> dict[str, Any]:
    """Seconds at 12 megapixels; the largest memory of a fresh process at 100."""
    figures = {}
    for name, size in (("12 megapixels", (4000, 3000)), ("100 megapixels", (11600, 8650))):
        picture.resize(size, HOW.BICUBIC).save(folder / "large.jpg", quality=92)
        words = [sys.executable, __file__, "--one", str(folder / "large.jpg")]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        figures[name] = json.loads(done.stdout)
    return figures


def one(path: Path) -> dict[str, Any]:
    start = time.perf_counter()
    subject = open_subject(path)
    read = time.perf_counter()
    gather(subject)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"read": round(read - start, 2), "evidence": round(time.perf_counter() - read, 2), "memory_mb": round(memory)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--one", type=Path)
    parser.add_argument("--most", type=int, default=60, help="pictures of each folder")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "evidence.json")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(one(asked.one)))
        return
    before = load()
    coco = sorted((asked.data / "detect" / "coco128").rglob("*.jpg"))[: asked.most]
    made = sorted((asked.data / "faces" / "generated").glob("*.jpg"))[20 : 20 + asked.most]
    pictures = [Image.open(path).convert("RGB").reduce(2) for path in (*coco, *made)]
    with tempfile.TemporaryDirectory() as folder:
        figures = {"pictures": len(pictures), "seconds": spent(pictures[0], Path(folder)), "resampling": resized(pictures),
                   "double": doubles(pictures, Path(folder))}  # fmt: skip
    asked.out.write_text(json.dumps({"protocol": " ".join(__doc__.split()), **figures, **origin(before)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
