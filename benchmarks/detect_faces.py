"""Faces found by mien's own Faster R-CNN and by the packaged BlazeFace networks with the face mesh, on the same pictures, in one run.

    python benchmarks/detect_faces.py FACES [--model faces|FILE] [--least 0.5]

FACES is what `python -m mien.tasks.detect.face_set DATA OUT` writes: its test part shows people nobody learnt from, and photographs
without faces. A face is found where a box overlaps its own by half (IoU; the box bounds 68 points). Recall is told apart for pictures
that people annotated (landmarks68, frames347) and for those whose truth the packaged detector itself told, where it cannot lose. The
pictures without faces are likewise those in which it, thorough, finds nobody: its false alarms there are none by choice.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from machine import load, origin
from mien.data.detection_sets import BoxSet, read_boxes
from mien.data.pictures import read_picture
from mien.faces import finders
from mien.faces.find import Measured, find
from mien.metrics.detection import curves
from mien.models.detectors import opened
from mien.progress import Progress
from mien.types import Detections, Face

ANNOTATED = ("landmarks68", "frames347")
Way = Callable[[np.ndarray], Detections]


def of(faces: list[Face] | list[Measured]) -> Detections:
    plain = [one.face if isinstance(one, Measured) else one for one in faces]
    return Detections.of([one.box for one in plain], [0] * len(plain), [one.score for one in plain])


def ways(model: str, least: float) -> dict[str, Way]:
    detector = opened(model)
    finders.trained = lambda: detector
    return {
        "network alone": lambda image: detector(image, least),
        "network and mesh": lambda image: of(finders.by_network(image, careful=False)),
        "network and mesh, careful": lambda image: of(finders.by_network(image, careful=True)),
        "packaged, quick": lambda image: of(find(image, thorough=False)),
        "packaged, thorough": lambda image: of(find(image, thorough=True)),
    }


def measured(part: BoxSet, way: Way, name: str) -> dict[str, float]:
    groups: dict[str, tuple[list[Detections], list[Detections]]] = {"annotated": ([], []), "told": ([], []), "faceless": ([], [])}
    spent = []
    with Progress(name, len(part), "pictures") as bar:
        for path, truth in zip(part.files, part.truths, strict=True):
            image = read_picture(path)
            began = time.process_time()
            found = way(image)
            spent.append(time.process_time() - began)
            group = "faceless" if not len(truth) else "annotated" if path.name.startswith(ANNOTATED) else "told"
            groups[group][0].append(truth)
            groups[group][1].append(found)
            bar.advance()
    result = {"ms_a_picture": round(1000 * float(np.median(spent)), 1)}
    for group in ("annotated", "told"):
        (curve,) = curves(*groups[group], 1)
        recall = float(curve.recall[-1]) if len(curve.recall) else 0.0
        result |= {f"{group}_faces": curve.objects, f"{group}_recall": round(recall, 4),
                   f"{group}_false": len(curve.recall) - round(recall * curve.objects)}  # fmt: skip
    alarms = [len(found) for found in groups["faceless"][1]]
    return {**result, "faceless_pictures": len(alarms), "false_alarms_there": sum(alarms)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--model", default="faces")
    parser.add_argument("--least", type=float, default=0.5)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    before, part = load(), read_boxes(asked.faces, "test")
    results = {name: measured(part, way, name) for name, way in ways(asked.model, asked.least).items()}
    print(json.dumps({"results": results, "least": asked.least, **origin(before)}, indent=2))


if __name__ == "__main__":
    main()
