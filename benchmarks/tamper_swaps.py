"""Are faces found that the `original` network of 2017 has swapped? Two test people, and the same frames left alone.

    python benchmarks/tamper_swaps.py DATA --out MODEL --minutes 9 --weights mien-inspect.safetensors       # DATA/video

64-px faces, pasted by the ordinary converter with its default settings into frames that it did not learn from, not compressed
afterwards and as a JPEG. Of two people only, so the interval, which draws people, says little about others. The published settings (64
faces a person, a rate of 5e-5) need a day on a CPU; here steps are of few faces and larger, so that it learns anything in minutes, and
its drawings stay blurred: the result says how long it learnt and how near (SSIM on held-out faces) it came. The same by `mien swap
train ... --network original --frames :160` gives a better one, given the time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from machine import load, origin
from mien.data import wear
from mien.data.video import read_video
from mien.faces.find import find
from mien.faces.inspected import looked_at
from mien.models.inspector import ORIGINAL, SWAPPED
from mien.models.swap import SwapNet
from mien.models.swap_model import FILE, SwapModel, load_model, new_net, save_model
from mien.nn.memory import keep_freed_memory
from mien.nn.winograd import quicken
from mien.runtime import choose
from mien.tasks.inspect.looking import Looker
from mien.tasks.inspect.making import SHRINK, Made
from mien.tasks.swap.convert import Swapper
from mien.tasks.swap.people import gather
from mien.tasks.swap.recipes import original
from mien.tasks.swap.session import person_of
from mien.tasks.swap.training import SwapTask, tensors
from mien.train import Every, fit
from tamper import changed, figures

CLIPS = {"aoc": "wda_alexandriaocasiocortez_000.mp4", "katie": "wda_katiehill_000.mp4"}
LEARNT, EVERY = 160, 2
"""Frames from which the model has learnt; of the others each so many-th is swapped."""
FEW, RATE = 8, 3e-4
"""Faces of each person in one step, and the learning rate."""


def learn(data: Path, out: Path, minutes: float) -> None:
    """Both people, from random weights."""
    keep_freed_memory()
    sets = {name: gather(name, data / "video" / clip, out / "faces" / name, f":{LEARNT}") for name, clip in CLIPS.items()}
    people = {name: person_of(name, faces) for name, faces in sets.items()}
    net = new_net("original", {name: np.array(one.centre) for name, one in people.items()})
    quicken(net)
    recipe = replace(original(), batch=FEW, rate=RATE, encoder_rate=RATE, average=0.95)
    task = SwapTask(net, {name: tensors(faces, net.size) for name, faces in sets.items()}, recipe)
    fitted = fit(task, out / "run", minutes=minutes, runtime=choose("cpu", "fp32"), label="swap", evaluate=Every(seconds=60))
    scores = [entry["score"] for entry in fitted.history if "score" in entry]
    record = {"network": "original", "frames": f":{LEARNT}", "steps": fitted.steps, "seconds": round(fitted.seconds),
              "score": scores[-1] if scores else None}  # fmt: skip
    averaged = task.ema.module
    assert isinstance(averaged, SwapNet)
    save_model(SwapModel(averaged, "original", people, record), out / FILE)


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


def main() -> None:
    """Train, where that was not done; one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="where the swap model is, or is written")
    parser.add_argument("--weights", type=Path, required=True, help="the inspector's")
    parser.add_argument("--minutes", type=float, default=9)
    given = parser.parse_args()
    torch.set_num_threads(1)
    before = load()
    if not (given.out / FILE).is_file():
        learn(given.data, given.out, given.minutes)
    looker, drawn = Looker(given.weights), list(swaps(given.out, given.data))
    kinds = {"not compressed": (None, None), "JPEG 80": (partial(wear.jpeg, quality=80), 80)}
    found = {name: figures(changed(looker, drawn, *kind).by(looker.calibration), SWAPPED) for name, kind in kinds.items()}
    print(json.dumps({"model": how_good(given.out)} | found | origin(before), indent=2))


if __name__ == "__main__":
    main()
