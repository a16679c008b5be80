"""R-CNN, Fast R-CNN and Faster R-CNN on the same convolutions: what a picture costs each of them, and how well it finds.

    python benchmarks/detect_generations.py --data DATA/detect/bccd --rcnn RUN --fast RUN --four RUN --faster RUN [--pictures 12]

RUN: of recipes detect/cells-rcnn, cells-fast, cells-four-steps and cells with --set start=faces, each on all 292 training pictures.
Processor seconds a test picture on one core, in the precision that is quickest there, proposals by selective search among them and by
themselves, medians; how long and from what each learnt, as its card says; and AP at an IoU of 0.5 of all test pictures with --scores
(results.json of `mien detect evaluate RUN DATA --out FOLDER`, one folder each).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import tomllib
from pathlib import Path
from typing import Any

import torch

from machine import load, origin
from mien.data.detection_results import read_results
from mien.data.detection_sets import BoxSet, read_boxes
from mien.data.pictures import read_picture
from mien.data.selective import selective_search
from mien.metrics.detection import curves, mean
from mien.models.detector import scale_for, sized
from mien.models.detectors import opened
from mien.nn.memory import keep_freed_memory
from mien.runtime import Runtime, choose
from mien.train.run_folder import CARD

KINDS = ("rcnn", "fast", "four", "faster")


def seconds(model: str, part: BoxSet, pictures: int, runtime: Runtime) -> float:
    detector, spent = opened(model), []
    for path in (part.files[0], *part.files[:pictures]):
        image = read_picture(path)
        began = time.process_time()
        with runtime.autocast():
            detector(image, 0.05)
        spent.append(time.process_time() - began)
    return round(statistics.median(spent[1:]), 4)


def learnt(model: str) -> str:
    file = Path(model) / CARD
    return tomllib.loads(file.read_text(encoding="utf-8"))["recipe"] if file.is_file() else model


def searching(part: BoxSet, pictures: int, side: int, longest: int) -> dict[str, float]:
    spent, counts = [], []
    for path in (part.files[0], *part.files[:pictures]):
        image = read_picture(path)
        small = sized(image, scale_for(image.shape[0], image.shape[1], side, longest))
        began = time.process_time()
        counts.append(len(selective_search(small)))
        spent.append(time.process_time() - began)
    return {"seconds": round(statistics.median(spent[1:]), 4), "proposals": statistics.median(counts[1:])}


def scores(folder: Path, part: BoxSet) -> dict[str, float]:
    found = curves(part.truths, read_results(folder / "results.json", part), len(part.names))
    every = {name: round(one.ap, 4) for name, one in zip(part.names, found, strict=True)}
    return every | {"mean": round(mean([*every.values()]), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    for name in KINDS:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--scores", type=Path, nargs=len(KINDS), help="of each, in this order")
    parser.add_argument("--pictures", type=int, default=12)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    before, part, runtime = load(), read_boxes(asked.data, "test"), choose("cpu", "auto")
    results: dict[str, Any] = {"precision": runtime.precision}
    for place, name in enumerate(KINDS):
        model = getattr(asked, name)
        results[name] = {"seconds": seconds(model, part, asked.pictures, runtime), "learnt": learnt(model)}
        if asked.scores:
            results[name]["AP50"] = scores(asked.scores[place], part)
    plan = opened(asked.faster).plan
    results["selective search"] = searching(part, asked.pictures, plan.side, plan.longest)
    print(json.dumps({"results": results, **origin(before)}, indent=2))


if __name__ == "__main__":
    main()
