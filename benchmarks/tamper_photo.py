"""Swaps from one photo as `mien inspect` judges them: one of each of sixty test people, as PNG, and the pictures before.

    python benchmarks/tamper_photo.py PACK        # of python -m mien.tasks.inspect.making

Of every test person one picture of 200 to 700 pixels, given the face of a stranger among them as `mien swap quick` does it.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from machine import load, origin
from mien.faces.blend import Blend
from mien.faces.find import find
from mien.tasks.inspect.judging import Judge
from mien.tasks.inspect.originals import opened
from mien.tasks.inspect.swapping import Borrower, strangers

HERE = Path(__file__).parent
PEOPLE, LEAST, MOST = 60, 200, 700


def main() -> None:
    """Judge, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    given, before = parser.parse_args(), load()
    torch.set_num_threads(1)
    originals, borrow, judge = opened(given.pack / "faces"), Borrower(), Judge.bundled()
    random, seen = np.random.default_rng(0), set()
    told: dict[str, Counter[str]] = {"before": Counter(), "swapped": Counter()}
    for row in random.permutation(np.flatnonzero(originals.part == "test")):
        image, person = originals.crop(row), originals.person[row]
        if person in seen or not LEAST <= len(image) <= MOST or not (faces := find(image)):
            continue
        seen.add(person)
        swapped = borrow(originals, row, int(random.choice(strangers(originals, row))), Blend())
        for kind, picture, found in (("before", image, faces), ("swapped", swapped, find(swapped))):
            told[kind][judge.judge(picture, found[:1])[0].verdict if found else "lost"] += 1
        if len(seen) == PEOPLE:
            break
    text = json.dumps({"protocol": (__doc__ or "").split("\n\n")[2], "people": len(seen), **told, **origin(before)}, indent=1)
    (HERE / "results" / "tamper_photo.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
