"""The calibrations that come with mien, made anew from pictures of people who are in none of the tests.

    python -m mien.tasks.recognize.shipping DATA/faces --model dlib-face --out src/mien/tasks/recognize/calibrations/dlib-face.json
    python -m mien.tasks.recognize.shipping DATA/faces --model mien-face --held-back RUN/held_back.txt --out ...

`SOURCES` says whose pictures; a file's name is PERSON_NUMBER, or its folder is the person. Faces too poor to decide by are left out,
as `mien recognize verify` refuses them.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Container
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mien.data.files import atomic
from mien.faces.probe import Prober, Unread
from mien.metrics.calibration import FORM, Calibration, calibrate, lowest_rate
from mien.metrics.verification import all_pairs
from mien.progress import Progress, say

SOURCES = {"dlib-face": ("frames347", "people1612"), "mien-face": ("orl", "people1612")}
"""Folders below DATA: mien-face was trained on frames347 and on most of people1612, so only the rest of that tells anything of it."""
RATES = (1e-2, 1e-3, 1e-4, 1e-5)
TESTED = re.compile(r"^(Colin_Powell)_")
"""Also in the test pictures."""


def person_of(photo: Path) -> str:
    """The folder's name for a folder by person, else the file's name without its number."""
    return photo.parent.name if photo.parent.parent.name == "orl" else re.sub(r"_\d+$", "", photo.stem)


def photos(data: Path, model: str, only: Container[str] | None) -> list[Path]:
    """Those to calibrate `model` with; of people1612 those of `only`."""
    found = []
    for folder in SOURCES[model]:
        there = [p for p in sorted((data / folder).rglob("*")) if p.suffix in (".jpg", ".png", ".pgm") and not TESTED.match(p.name)]
        if only is not None and folder == "people1612":
            there = [p for p in there if person_of(p) in only]
        found += there
    return found


def shipped(data: Path, model: str, only: Container[str] | None = None) -> list[Calibration]:
    """One calibration for each of `RATES` that the pictures support."""
    prober, vectors, names, without = Prober(model, search="largest"), [], [], 0
    chosen = photos(data, model, only)
    with Progress(f"describe with {model}", total=len(chosen), unit="photos") as bar:
        for path, found in prober.photos(chosen):
            bar.advance(note=f"{len(vectors)} faces")
            if isinstance(found, Unread) or not found or found[0].quality.faults:
                without += 1
                continue
            vectors.append(found[0].vector)
            names.append(person_of(path))
    people = np.unique(names, return_inverse=True)[1]
    pairs = all_pairs(np.stack(vectors), people)
    strictest = lowest_rate(int((~pairs.same).sum())) or 1.0
    words = (f"{len(vectors)} photos of {people.max() + 1} people ({', '.join(SOURCES[model])}), mien's own finder and alignment; "
             f"{without} photos left out (no face, or too poor)")  # fmt: skip
    say(words)
    return [calibrate(pairs, rate, prober.space.key, words, times=200) for rate in RATES if rate >= strictest * 0.999]


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", choices=tuple(SOURCES), default="dlib-face")
    parser.add_argument("--held-back", type=Path, help="the people of people1612 who had no part in a training, one a line")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    only = given.held_back.read_text(encoding="utf-8").split() if given.held_back else None
    made = shipped(given.data, given.model, only)
    with atomic(given.out) as draft:
        draft.write_text(json.dumps([{"form": FORM, **asdict(one)} for one in made], indent=1) + "\n", encoding="utf-8")
    for one in made:
        say(f"{one.asked:g}: threshold {one.threshold:.4f}, true matches {one.true_match.value:.4f}")


if __name__ == "__main__":
    main()
