"""mien's small Faster R-CNN, training and test: pictures a second in bf16 with channels_last against plain fp32; memory.

    python benchmarks/detect.py [--steps 6] [--model FILE] [--data DATA/detect/bccd]

One thread; processor seconds of this process, so that other work on the machine matters little; the two kinds take turns. Pictures of
240 x 320 pixels with 20 boxes each, batches of 8 (of the large network 1). With --model and --data: mean AP at an IoU of 0.5 of the
test part in both kinds.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from machine import load, origin
from mien.models.detector import Detector
from mien.models.detector import load as load_detector
from mien.models.faster_rcnn import resnet50_fpn
from mien.models.mien_detect import mien_detect
from mien.nn.memory import keep_freed_memory
from mien.runtime import Runtime
from mien.train.detect import DetectTask
from mien.train.detect_recipe import DetectRecipe
from mien.types import Detections

KINDS = {"fp32": Runtime(torch.device("cpu"), "fp32", False, 1, ""), "bf16": Runtime(torch.device("cpu"), "bf16", True, 1, "")}
RECIPE = DetectRecipe("mien-detect", ".", optimiser="muon", lr=0.02, bias_lr=0.1, momentum=0.95, clip=5.0)


def pictures(count: int) -> list[tuple[np.ndarray, Detections]]:
    random = np.random.default_rng(0)
    found = []
    for _ in range(count):
        start, size = random.uniform(0, (280, 200), (20, 2)), random.uniform(15, 40, (20, 2))
        boxes = np.concatenate([start, start + size], 1).clip(0, [320, 240, 320, 240])
        found.append((random.integers(0, 256, (240, 320, 3), np.uint8), Detections.of(boxes, random.integers(0, 3, 20))))
    return found


def task(runtime: Runtime) -> tuple[DetectTask, Fabric]:
    torch.manual_seed(0)
    made = DetectTask(RECIPE, mien_detect(3), pictures(16))
    fabric = Fabric(accelerator="cpu", precision="bf16-mixed" if runtime.precision == "bf16" else "32-true")
    made.setup(fabric, runtime)
    return made, fabric


def turns(runs: dict[str, Callable[[int], object]], steps: int) -> dict[str, float]:
    """Kind -> median processor seconds of a step, after one to warm up."""
    spent: dict[str, list[float]] = {kind: [] for kind in runs}
    for number in range(steps + 1):
        for kind, run in runs.items():
            began = time.process_time()
            run(number)
            if number:
                spent[kind].append(time.process_time() - began)
    return {kind: statistics.median(some) for kind, some in spent.items()}


def trained(steps: int) -> dict[str, float]:
    tasks = {kind: task(runtime) for kind, runtime in KINDS.items()}
    return turns({kind: lambda index, kind=kind: tasks[kind][0].step(tasks[kind][1], index) for kind in KINDS}, steps)


def tested(steps: int, build: Callable[[], Any], count: int) -> dict[str, float]:
    images = [image for image, _ in pictures(count)]
    runs = {}
    for kind, runtime in KINDS.items():
        torch.manual_seed(0)
        net = build().eval()
        layout = torch.channels_last if runtime.channels_last else torch.contiguous_format
        net.to(memory_format=layout)
        x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div(255).contiguous(memory_format=layout)

        def run(_: int, net: Any = net, x: torch.Tensor = x, runtime: Runtime = runtime) -> object:
            with runtime.autocast():
                return net(x)

        runs[kind] = run
    return turns(runs, steps)


def accuracy(model: Path, data: Path) -> dict[str, float]:
    from mien.data.detection_sets import read_boxes
    from mien.train.detect_session import scored

    net, plan = load_detector(model)
    part = read_boxes(data, "test")
    return {kind: scored(Detector(str(model), net, plan), part, runtime)[0]["mean"] for kind, runtime in KINDS.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    before = load()
    results: dict[str, Any] = {}
    small = lambda: load_detector(asked.model)[0] if asked.model else mien_detect(3)
    for name, found, count in (
        ("training", trained(asked.steps), 8), ("test", tested(asked.steps, small, 8), 8),
        ("test, ResNet-50 with a pyramid", tested(2, lambda: resnet50_fpn(90), 1), 1),
    ):  # fmt: skip
        results[name] = {kind: round(count / value, 2) for kind, value in found.items()}
        results[name]["times"] = round(found["fp32"] / found["bf16"], 2)
    if asked.model and asked.data:
        results["AP50"] = accuracy(asked.model, asked.data)
    results["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"unit": "pictures a second of one core", "results": results, **origin(before)}, indent=2))


if __name__ == "__main__":
    main()
