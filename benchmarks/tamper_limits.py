"""Where the inspector's verdict stops being worth having: how small, how compressed, how blurred, how large, how undecided.

    python benchmarks/tamper_limits.py PACK DATA --weights mien-inspect.safetensors       # DATA: faces/ and video/, for large faces

Faces of test people, half of them reshaped by all sliders uniform in [-1, 1]; the accuracy of original or reshaped at even odds as
`mien inspect` would say it, with 95 % intervals that draw people. size: faces first shrunk to that size as a camera farther away would
show them, then reshaped, not compressed. quality: the same faces saved as JPEG. sharpness: the same faces blurred by up to 2.5 pixels,
binned by the sharpness that `mien.faces.quality` measures. large: faces whose crop is larger than any learnt from, in the size they
have in their files. sure: all of these and worn ones, by the probability of the likeliest class.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from machine import load, origin
from mien.data import wear
from mien.data.pictures import read_picture
from mien.faces.find import find
from mien.faces.inspected import LARGEST
from mien.faces.quality import sharpness
from mien.metrics.intervals import Rate, shares
from mien.models.inspector import ORIGINAL, RESHAPED
from mien.progress import Progress
from mien.tasks.inspect.looking import Looker
from mien.tasks.inspect.making import PLAIN, Made, Maker, Recipe, stacked
from mien.tasks.inspect.measuring import Answers, asked
from mien.tasks.inspect.originals import MARGIN, Kept, Originals, kept, opened

SIZES = (64, 80, 96, 112, 128, 160, 208, 256)
QUALITIES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
SHARP = (0.0, 20, 40, 80, 120, 160, 240, 320, 1e9)
LARGE = (544, 640, 768, 896, LARGEST)
SURE = (1 / 3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9, 1.0)
TWO = replace(PLAIN, worn=False)
WORN = Recipe((0.5, 0.5, 0))


def of_crops(crops: list[Kept], person: list[str], like: Originals) -> Originals:
    """Test people's faces as `Originals`; `like`: of what kind its other columns are."""
    size = np.array([len(one.crop) for one in crops])
    start = np.cumsum([0, *(size[:-1].astype(np.int64) ** 2 * 3)])
    return Originals(np.concatenate([one.crop.ravel() for one in crops]), start, size, np.array([one.side for one in crops]),
                     np.array([one.inside for one in crops]), np.stack([one.landmarks for one in crops]), like.vector[:len(crops)],
                     np.array(person), np.array(person), np.full(len(crops), "test"))  # fmt: skip


def shrunk(originals: Originals, side: int) -> Originals:
    """Test people's faces, their crops shrunk to `side` pixels; of those that are large enough."""
    whole, crops, person = round(side * MARGIN), [], []
    for row in np.flatnonzero((originals.part == "test") & (originals.size >= whole)).tolist():
        size = int(originals.size[row])
        small = np.asarray(Image.fromarray(originals.crop(row)).resize((whole, whole), Image.Resampling.LANCZOS))
        x1, y1, x2, y2 = originals.inside[row] * whole / size
        inside = int(np.ceil(x1)), int(np.ceil(y1)), int(x2), int(y2)
        crops.append(Kept(small, (originals.landmarks[row] * whole / size).astype(np.float32), inside, side))
        person.append(str(originals.person[row]))
    return of_crops(crops, person, originals)


def native(originals: Originals, data: Path) -> Originals:
    """Test people's faces that are larger than what was learnt from, as they are in their files."""
    crops, person = [], []
    rows = np.flatnonzero((originals.part == "test") & (originals.side > LARGE[0]))
    with Progress("large faces", total=len(rows)) as bar:
        for row in rows:
            bar.advance()
            path = data / str(originals.source[row])
            faces = find(read_picture(path), thorough=False) if path.is_file() else []  # frames of clips are no files
            if faces:
                crops.append(kept(read_picture(path), faces[0], most=10_000))
                person.append(str(originals.person[row]))
    return of_crops(crops, person, originals)


def made(originals: Originals, count: int, recipe: Recipe = TWO) -> Iterator[Made]:
    """`count` faces, one after the other."""
    maker = Maker(originals, None, "test", recipe)
    return (maker.make(np.random.default_rng((9, i))) for i in range(count))


def told(looker: Looker, faces: Iterable[Made]) -> Answers:
    """What `mien inspect` would believe of them."""
    parts = [asked(looker, [stacked([one])], np.array([one.person]), [one.quality]) for one in faces]
    return Answers.together(parts).by(looker.calibration)


def right(answers: Answers) -> np.ndarray:
    """(N,) bool: reshaped told from original at even odds."""
    return (answers.logits[:, RESHAPED] > answers.logits[:, ORIGINAL]) == (answers.label == RESHAPED)


def rate(answers: Answers, here: np.ndarray | None = None) -> Rate:
    """The share that is right of those `here` (N,) bool, of all without."""
    some = answers if here is None else answers.chosen(here)
    return shares(right(some).astype(float), some.person)


def binned(answers: Answers, value: np.ndarray, edges: tuple[float, ...]) -> list[dict[str, Any]]:
    """The same in bins of (N,) values; empty ones are left out."""
    bins = [(low, high, (value >= low) & (value < high)) for low, high in pairwise(edges)]
    return [{"from": low, "to": high, "accuracy": asdict(rate(answers, here))} for low, high, here in bins if here.any()]


def main() -> None:
    """One JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=300, help="at every point (300)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    before, looker, originals, count = load(), Looker(given.weights), opened(given.pack / "faces"), given.faces
    result: dict[str, Any] = {"size": []}
    with Progress("limits", total=len(SIZES) + len(QUALITIES) + 3) as bar:
        for side in SIZES:
            result["size"].append({"at": side, "accuracy": asdict(rate(told(looker, made(shrunk(originals, side), count))))})
            bar.advance()
        plain = [one for one in made(originals, count) if len(one.x) >= 208]  # at what size others fail is another question
        everything, result["quality"] = [told(looker, plain)], []
        for quality in QUALITIES:
            found = told(looker, (replace(one, x=wear.jpeg(one.x, quality), quality=quality) for one in plain))
            result["quality"].append({"at": quality, "accuracy": asdict(rate(found))})
            everything.append(found)
            bar.advance()
        radii = np.random.default_rng(4).uniform(0, 2.5, len(plain))
        soft = [*plain, *(replace(one, x=wear.blurred(one.x, float(by))) for one, by in zip(plain, radii, strict=True))]
        found = told(looker, soft)
        result["sharpness"] = binned(found, np.array([sharpness(one.x) for one in soft]), SHARP)
        bar.advance()
        worn = list(made(originals, count, WORN))
        rough = told(looker, worn)
        result["sharpness, worn"] = binned(rough, np.array([sharpness(one.x) for one in worn]), SHARP)
        result["sure"] = binned(both := Answers.together([*everything, rough]), both.probabilities().max(1), SURE)
        bar.advance()
        large = native(originals, given.data)
        if len(large):
            big = list(made(large, count // 2))
            sides = np.array([len(one.x) for one in big])
            result["large"] = {"people": len(np.unique(large.person)), "pictures": len(large),
                               "by side": binned(told(looker, big), sides, (*LARGE, 10_000))}  # fmt: skip
        bar.advance()
    print(json.dumps(result | origin(before), indent=2))


if __name__ == "__main__":
    main()
