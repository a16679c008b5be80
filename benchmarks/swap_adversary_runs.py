"""Does the game collapse? A network on faces of two clips, many times, each time with other batches and another judge.

    python benchmarks/swap_adversary_runs.py DATA [--network compact] [--runs 20] [--steps 230] [--faces FOLDER]

DATA holds video/wda_*.mp4, frames 0 to 159. `tiny` (32 pixels) begins with other weights every time, and its judge is narrower than
`Adversary` has it; `compact` (128 pixels) begins as `mien swap train` does, from the pretrained base, with its settings as they are.
The judge joins after two fifths. A run has collapsed if a loss was not finite, if the training's own watch said anything (the judge
has won, faces became alike, their error grew to 1.5 times what it was), if held-out faces as drawn are less than half as different
from each other as when the judge joined, or if their error is more than 1.5 times that of then.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from machine import load, origin
from mien.metrics.similarity import masked_mean
from mien.models.swap import SIZES
from mien.models.swap_model import new_net
from mien.nn.memory import keep_freed_memory
from mien.runtime import Runtime, choose
from mien.tasks.swap.adversarial import LOOKED_AT, WORSE, AdversarialSwapTask, face_of
from mien.tasks.swap.adversary import Adversary
from mien.tasks.swap.people import gather
from mien.tasks.swap.training import Recipe, tensors
from mien.train.loop import _fabric
from swap import CLIPS

HERE = Path(__file__).parent
LESS = 0.5
"""What is left of the faces' spread where they have become alike."""
RECIPES = {
    "tiny": Recipe(network="tiny", batch=4, rate=3e-3, encoder_rate=3e-3, structure=2.0, average=0.98,
                   adversary=Adversary(widths=(8, 16, 32), begin=0.4)),
    "compact": Recipe(average=0.98, adversary=Adversary(begin=0.4)),
}  # fmt: skip


def runtime_for(recipe: Recipe) -> Runtime:
    """`tiny` gains nothing from bf16; `compact` is learnt as on this machine it would be."""
    return choose("cpu", "fp32" if recipe.network == "tiny" else "auto")


@torch.no_grad()
def looked_at(task: AdversarialSwapTask) -> tuple[float, float]:
    """Mean absolute error inside the face of held-out faces, and the spread of what is drawn as a share of real ones'."""
    errors, drawn = [], []
    for person in task.learn:
        true = task._straight(task.held[person][:LOOKED_AT])
        made = task._draw(true[:, :3], person)
        drawn.append(made)
        errors.append(masked_mean((made - true[:, :3]).abs(), face_of(true[:, 3:])).mean())
    return float(torch.stack(errors).mean()), task.watch.share(torch.cat(drawn), task._whose)


def run(crops: dict[str, Tensor], recipe: Recipe, who: dict[str, np.ndarray], seed: int, steps: int) -> dict[str, Any]:
    """One training, and what came of it."""
    torch.manual_seed(seed)
    task = AdversarialSwapTask(new_net(recipe.network, who), crops, recipe)
    task.rng.manual_seed(seed)
    runtime, said, finite, judging = runtime_for(recipe), "", True, []
    fabric = _fabric(runtime)
    task.setup(fabric, runtime)
    before = (0.0, 0.0)
    for index in range(steps):
        task.share = index / steps
        if task.began < 0 and task.share >= task.terms.begin:
            before = looked_at(task)
        told = {name: float(value) for name, value in task.step(fabric, index).items()}
        task.ema.update()
        finite = finite and all(math.isfinite(value) for value in told.values())
        said, judging = said or task.trouble, [*judging, *([told["judging"]] if "judging" in told else [])]
    error, spread = looked_at(task)
    collapsed = bool(said) or not finite or task.without or spread < LESS * before[1] or error > WORSE * before[0]
    return {"seed": seed, "error_before": round(before[0], 4), "error": round(error, 4), "spread_before": round(before[1], 3),
            "spread": round(spread, 3), "judging_least": round(min(judging), 3), "judging_last": round(sum(judging[-20:]) / 20, 3),
            "said": said, "collapsed": collapsed}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--network", choices=RECIPES, default="tiny")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--faces", type=Path, help="folder of face sets, where they are cut out already")
    given, before, began = parser.parse_args(), load(), time.process_time()
    clips = {name: given.data / "video" / file for name, file in CLIPS.items()}
    if not all(path.is_file() for path in clips.values()):
        print(f"skipped: no clips in {given.data}/video")
        return
    torch.set_num_threads(1)
    folder = given.faces or Path(tempfile.mkdtemp())
    sets = {name: gather(name, path, folder / name, ":160") for name, path in clips.items()}
    crops = {name: tensors(faces, SIZES[given.network]) for name, faces in sets.items()}
    who, recipe = {name: faces.embeddings().mean(0) for name, faces in sets.items()}, RECIPES[given.network]
    assert recipe.adversary is not None
    keep_freed_memory()
    runs = []
    for seed in range(given.runs):
        runs.append(run(crops, recipe, who, seed, given.steps))
        print(json.dumps(runs[-1]), flush=True)
    result = {"protocol": (__doc__ or "").split("\n\n")[2], "network": given.network, "steps": given.steps,
              "runtime": runtime_for(recipe).reason, "adversary": asdict(recipe.adversary), "runs": runs,
              "collapsed": sum(one["collapsed"] for one in runs), "processor_seconds": round(time.process_time() - began)}
    name = "swap_adversary_runs" + ("" if given.network == "tiny" else f"_{given.network}")
    (HERE / "results" / f"{name}.json").write_text(json.dumps(result | origin(before), indent=1) + "\n")


if __name__ == "__main__":
    main()
