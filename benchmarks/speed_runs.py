"""Time and accuracy of a recipe over several runs that differ in the seed alone: mean, spread, best and worst.

    python benchmarks/speed_runs.py --data DATA                                   # classify/speed five times; wants a GPU
    python benchmarks/speed_runs.py --data DATA --recipe classify/lenet5 --set epochs=2 --out lenet5.json

Seconds are those of training, from the first step to the last evaluation; reading and decoding the data and the test come on top. The
accuracy is of the test pictures, looked at once a run. Spread is the standard deviation (n - 1). The result is written after
every run: started again, the script goes on with the runs that are missing, and inside the one that was stopped.
Without --recipe it is skipped where there is no GPU: five runs of classify/speed take two CPU cores most of a day.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from machine import load, origin

DEFAULT = "classify/speed"


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Of seconds and accuracies: mean, spread (None for one run), least, most."""
    found = {}
    for name in ("test_accuracy", "seconds"):
        values = [run[name] for run in runs]
        spread = statistics.stdev(values) if len(values) > 1 else None
        found[name] = {"mean": statistics.mean(values), "spread": spread, "least": min(values), "most": max(values)}
    return found


def earlier(path: Path, settings: dict[str, Any], place: str) -> list[dict[str, Any]]:
    """The runs that a result holds already; ValueError where they are of other settings or another device."""
    if not path.is_file():
        return []
    before = json.loads(path.read_text(encoding="utf-8"))
    if before["settings"] != settings or before["computed_with"] != place:
        raise ValueError(f"{path} holds runs of other settings or another device: name another file with --out")
    return before["runs"]


def measure(
    name: str, changes: list[str], data: Path, count: int, out: Path, work: Path, device: str, precision: str
) -> dict[str, Any]:
    from mien.data.files import atomic
    from mien.runtime import choose
    from mien.tasks.training.known import find
    from mien.train.recipe import settings
    from mien.train.session import learn

    recipe, runtime, busy = settings(changes, find(name)), choose(device, precision), load()
    told = json.loads(json.dumps(dataclasses.asdict(recipe)))
    place = f"{runtime.reason}; {runtime.threads} threads"
    runs = earlier(out, told, place)
    done = {run["seed"] for run in runs}
    table: dict[str, Any] = {}
    for seed in range(recipe.seed, recipe.seed + count):
        folder = work / f"seed-{seed}"
        if seed not in done:
            one = dataclasses.replace(recipe, seed=seed)
            learned = learn(one, data / recipe.data, folder, runtime=runtime, resume=True, label=f"{name}, seed {seed}")
            if learned.reason == "interrupted":
                raise KeyboardInterrupt
            kept = ("test_accuracy", "seconds", "epochs", "images_per_second", "train_accuracy")
            runs.append({"seed": seed} | {key: getattr(learned, key) for key in kept})
            print(f"seed {seed}: {learned.test_accuracy:.4f} in {learned.seconds} s", file=sys.stderr, flush=True)
        table = {"recipe": name, "changed": changes, "computed_with": place, "summary": summary(runs), "runs": runs, "settings": told}
        with atomic(out) as draft:
            draft.write_text(json.dumps(table | origin(busy), indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
    if not any(work.glob("*")):
        shutil.rmtree(work, ignore_errors=True)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MIEN_DATA", "data")), help="a folder with the recipe's data")
    parser.add_argument("--recipe", help=f"as `mien recipes` lists them; {DEFAULT} where there is a GPU")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="as in `mien train --set`")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0: as many as it takes")
    parser.add_argument("--work", type=Path, help="where unfinished runs are kept; by default beside the result")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "speed_runs.json")
    given = parser.parse_args()
    import torch

    if given.threads:
        torch.set_num_threads(given.threads)
    if not given.recipe and not torch.cuda.is_available():
        print(f"skipped: five runs of {DEFAULT} want a GPU; --recipe {DEFAULT} runs them here all the same")
        return
    if not given.data.is_dir():
        print(f"skipped: no {given.data}")
        return
    try:
        table = measure(given.recipe or DEFAULT, given.set, given.data, given.runs, given.out,
                        given.work or given.out.with_suffix(".runs"), given.device, given.precision)  # fmt: skip
    except ValueError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same line goes on")
    print(json.dumps(table["summary"], indent=2))


if __name__ == "__main__":
    main()
