"""Face vectors: mien's network against dlib's own (dlib-bin), on the same 64 prepared chips, in one run.

    pip install --no-deps dlib-bin && python benchmarks/embed.py

Every round times all of them one after the other, so that whatever else the machine does falls on all alike. dlib-bin
computes a batch on one core whatever it is given; mien is timed on `--threads` and, for the ratio a core, on one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import dlib
import numpy as np
import torch
from PIL import Image

from machine import load, origin
from mien.faces.describe import Describer, chips, distance
from mien.faces.find import find as find_faces
from mien.weights import locate

FACES = 64


def prepared(folder: Path) -> np.ndarray:
    """(64, 150, 150, 3) uint8: the largest face of the first pictures that have one."""
    found = []
    for path in sorted(folder.glob("*/*.jpg")):
        image = np.asarray(Image.open(path).convert("RGB"))
        if faces := find_faces(image, thorough=False):
            chip = chips(image, faces[0].landmarks[None])[0].permute(1, 2, 0)
            found.append((255 * chip).round().to(torch.uint8).numpy())
        if len(found) == FACES:
            return np.stack(found)
    raise ValueError(f"found {len(found)} faces under {folder}; expected {FACES}")


def summary(rates: list[float]) -> dict[str, float]:
    ordered = sorted(rates)
    return {"median": round(statistics.median(rates), 2), "low": round(ordered[0], 2), "high": round(ordered[-1], 2)}


def timed(work: Callable[[], object]) -> float:
    """Faces a second."""
    start = time.perf_counter()
    work()
    return FACES / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description="Face vectors: mien against dlib.")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MIEN_TEST_DATA", "../shared/data")))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "embed.json")
    options, before = parser.parse_args(), load()
    faces = prepared(options.data / "faces" / "lfw100")
    batch = torch.from_numpy(faces).permute(0, 3, 1, 2) / 255
    listed = [chip.copy() for chip in faces]
    peer = dlib.face_recognition_model_v1(str(locate("dlib-face")))  # pyright: ignore[reportAttributeAccessIssue]
    exact, rough, own = Describer(), Describer(dtype=torch.bfloat16), Describer(model="mien-face")
    smaller = torch.nn.functional.interpolate(batch, size=(own.size, own.size), mode="bilinear", antialias=True)

    def on(threads: int, work: Callable[[], object]) -> Callable[[], object]:
        def run() -> object:
            torch.set_num_threads(threads)
            return work()

        return run

    runs: dict[str, Callable[[], object]] = {
        "dlib": lambda: peer.compute_face_descriptor(listed, 0),
        "mien fp32": on(options.threads, lambda: exact.vectors(batch)),
        "mien bf16": on(options.threads, lambda: rough.vectors(batch)),
        "mien fp32, 1 thread": on(1, lambda: exact.vectors(batch)),
        "mien bf16, 1 thread": on(1, lambda: rough.vectors(batch)),
        "mien-face fp32": on(options.threads, lambda: own.vectors(smaller)),
        "mien-face fp32, 1 thread": on(1, lambda: own.vectors(smaller)),
    }
    for work in runs.values():
        work()
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.rounds):
        for name, work in runs.items():
            rates[name].append(timed(work))
    theirs = np.array([list(v) for v in peer.compute_face_descriptor(listed, 0)], np.float32)
    pairs = distance(theirs[:, None], theirs[None])
    parity = {}
    for name, describer in {"fp32": exact, "bf16": rough}.items():
        ours = describer.vectors(batch)
        moved = distance(ours[:, None], ours[None]) - pairs
        parity[name] = {"largest_difference": float(f"{np.abs(ours - theirs).max():.2g}"),
                        "largest_shift_of_a_distance": float(f"{np.abs(moved).max():.2g}")}  # fmt: skip
    student = {
        name: summary([a / b for a, b in zip(rates[f"mien-face fp32{name}"], rates[f"mien fp32{name}"], strict=True)])
        for name in ("", ", 1 thread")
    }
    ratios = {name: [a / b for a, b in zip(rates[name], rates["dlib"], strict=True)] for name in runs if name != "dlib"}
    result = {
        "claim": "faces a second, chips to vectors, against dlib's compute_face_descriptor (batch call, no jitter)",
        "faces": FACES, "rounds": options.rounds, "threads": options.threads,
        "faces_per_second": {name: summary(values) for name, values in rates.items()},
        "times_dlib": {name: summary(values) for name, values in ratios.items()},
        "mien_face_times_its_teacher": {name or ", all threads": one for name, one in student.items()},
        "parity_with_dlib": parity,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "dlib": dlib.__version__},
        **origin(before),
    }  # fmt: skip
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
