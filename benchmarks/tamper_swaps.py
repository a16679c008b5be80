"""Faces of two test people swapped by the `original` network of 2017, and the same frames left alone, for `benchmarks/tamper.py`.

    mien swap train aoc=DATA/video/wda_alexandriaocasiocortez_000.mp4 katie=DATA/video/wda_katiehill_000.mp4 \\
        --network original --frames :160 --minutes 9 --out MODEL
    python benchmarks/tamper.py PACK --weights FILE --swaps MODEL --data DATA

64-px faces, pasted by the ordinary converter with its default settings into frames that it did not learn from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mien.data.video import read_video
from mien.faces.find import find
from mien.faces.inspected import looked_at
from mien.models.inspector import ORIGINAL, SWAPPED
from mien.models.swap_model import load_model
from mien.runtime import choose
from mien.tasks.inspect.making import SHRINK, Made
from mien.tasks.swap.convert import Swapper

CLIPS = {"aoc": "wda_alexandriaocasiocortez_000.mp4", "katie": "wda_katiehill_000.mp4"}
LEARNT, EVERY = 160, 2
"""Frames from which the model has learnt; of the others each so many-th is swapped."""


def swaps(model: Path, data: Path) -> Iterator[Made]:
    """Each frame's face as it is, then swapped, in crops as `mien inspect` would look at them; nothing compressed afterwards."""
    known = load_model(model)
    for name, other in zip(CLIPS, reversed(CLIPS), strict=True):
        swapper = Swapper(known, other, choose("cpu", "fp32"), everyone=True)
        for frame in read_video(data / "video" / CLIPS[name]):
            if frame.index < LEARNT or frame.index % EVERY or not (faces := find(frame.image)):
                continue
            for label, image in ((ORIGINAL, frame.image), (SWAPPED, swapper.photo(frame.image))):
                crop, _ = looked_at(image, faces[0].box)
                still = np.zeros((2, len(crop) // SHRINK, len(crop) // SHRINK), np.float32)
                yield Made(crop, label, still, None, f"video/{name}", "original network" if label else "")


def how_good(model: Path) -> dict[str, object]:
    """What the model's own training says: how long, how well."""
    record = load_model(model).record
    return {name: record.get(name) for name in ("network", "steps", "seconds", "score", "frames")}
