"""The small face detector beside the packaged one: recall of people it never saw, false alarms on pictures without anybody.

    python benchmarks/detect_faces.py gather --data DATA --out FOLDER      # what `mien train detect/faces --data FOLDER` learns from
    python benchmarks/detect_faces.py measure --boxes FOLDER --model FILE [--pictures N]

People: the test part of FOLDER (`mien.tasks.detect.face_set`), by the source of the pictures; a face counts as found where a box has
an IoU of 0.5. Its true boxes bound 68 points: on frames347 and landmarks68 others annotated these, elsewhere they come from the
packaged detector itself, which is therefore measured on the annotated ones alone. Nobody: pictures of BSD100 in which a person looked
for people and for statues with faces, and left these out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from machine import load, origin
from mien.data.detection_sets import read_boxes
from mien.data.pictures import read_picture
from mien.faces.find import find
from mien.metrics.detection import curves
from mien.metrics.overlap import iou
from mien.models.detectors import opened
from mien.tasks.detect.face_set import gather

SCORES = (0.5, 0.7, 0.9)
PEOPLE = {"002", "019", "022", "031", "044", "056", "061", "062", "065", "068", "070", "071", "078", "081", "083", "085", "099"}
"""Of the pictures in which the packaged detector finds nobody: people from behind or far away, statues, puppets, reliefs."""
ANNOTATED = ("frames347", "landmarks68")


def measure(boxes: Path, model: str, most: int) -> dict[str, Any]:
    part, detector = read_boxes(boxes, "test"), opened(model)
    sources: dict[str, list[int]] = {}
    for number, path in enumerate(part.files):
        sources.setdefault(path.stem.split("-")[0].split("_")[0], []).append(number)
    found, spent, packaged, theirs = {}, [], {}, []
    for numbers in sources.values():
        for number in numbers[:most]:
            image = read_picture(part.files[number])
            began = time.process_time()
            found[number] = detector(image, 0.05)
            spent.append(time.process_time() - began)
            if part.files[number].stem.split("-")[0] in ANNOTATED:
                began = time.process_time()
                packaged[number] = np.array([face.box for face in find(image, thorough=False)], np.float32).reshape(-1, 4)
                theirs.append(time.process_time() - began)
    people = {source: [n for n in numbers if n in found] for source, numbers in sources.items() if source != "bsd100"}
    nobody = [n for n in sources["bsd100"] if n in found and part.files[n].stem[-3:] not in PEOPLE]
    every = [n for numbers in people.values() for n in numbers]
    curve = curves([part.truths[n] for n in every], [found[n] for n in every], 1)[0]
    result: dict[str, Any] = {
        "people": {source: {"pictures": len(numbers), "faces": sum(len(part.truths[n]) for n in numbers)}
                   | {f"recall at {score}": recall([part.truths[n].boxes for n in numbers], [at(found[n], score) for n in numbers])
                      for score in SCORES} for source, numbers in people.items()},
        "AP50": round(curve.ap, 4),
        "nobody": {"pictures": len(nobody)}
        | {f"false alarms at {score}": sum(len(at(found[n], score)) for n in nobody) for score in SCORES},
        "packaged, quick look, annotated people": {
            "pictures": len(packaged),
            "recall": recall([part.truths[n].boxes for n in packaged], list(packaged.values())),
            "recall of this one at 0.5": recall([part.truths[n].boxes for n in packaged], [at(found[n], 0.5) for n in packaged])},
        "ms a picture of one core": {name: round(statistics.median(some) * 1e3, 1)
                                     for name, some in (("this", spent), ("packaged", theirs))},
    }  # fmt: skip
    return result


def at(found: Any, score: float) -> np.ndarray:
    return found.boxes[found.scores >= score]


def recall(truths: list[np.ndarray], found: list[np.ndarray]) -> float:
    pairs = [(truth, boxes) for truth, boxes in zip(truths, found, strict=True) if len(truth) and len(boxes)]
    hits = sum(int((iou(truth, boxes).max(1) >= 0.5).sum()) for truth, boxes in pairs)
    return round(hits / max(sum(len(truth) for truth in truths), 1), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["gather", "measure"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--boxes", type=Path)
    parser.add_argument("--model", default="faces")
    parser.add_argument("--pictures", type=int, default=10**6, help="of each source, at most")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.what == "gather":
        print(json.dumps(gather(asked.data, asked.out)))
        return
    before = load()
    print(json.dumps({"results": measure(asked.boxes, asked.model, asked.pictures), **origin(before)}, indent=2))


if __name__ == "__main__":
    main()
