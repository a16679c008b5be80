"""Tiles: what they cost against the whole picture, and a 100-megapixel photo enlarged twice in bounded memory.

    python benchmarks/tiles.py [PHOTO] [--only large|speed]

Speed: a network of VDSR's shape (20 convolutions 3 x 3, 64 channels) on 512 x 512 pixels, whole and in tiles of several sizes, one
thread, in turns, the median; memory is what its tensors take at most. Size: PHOTO (by default noise over a gradient) brought to 10,000
x 10,000 pixels, saved as JPEG, enlarged to 20,000 x 20,000 by bicubic interpolation as `mien upscale` does it, in a process of its own
whose largest resident size is what the system says (VmHWM).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from machine import load, origin

SIDE, TILES, TURNS = 10_000, (64, 128, 256, 320, 512), 3


def speed() -> dict[str, object]:
    import torch
    from torch import nn

    from mien.runtime import Runtime
    from mien.tiled import LiveBytes, apply, plan, side

    torch.set_num_threads(1)
    torch.manual_seed(0)
    widths = [1, *[64] * 19, 1]
    layers = [part for a, b in pairwise(widths) for part in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU(inplace=True))]
    net = nn.Sequential(*layers[:-1]).eval().requires_grad_(False).to(memory_format=torch.channels_last)
    runtime, x = Runtime(torch.device("cpu"), "fp32", True, 1, ""), torch.rand(1, 1, 512, 512)
    plans = {tile: plan(512, 512, halo=20, tile=tile) for tile in TILES}
    times: dict[int, list[float]] = {tile: [] for tile in TILES}
    memory, errors = {}, {}
    with torch.inference_mode():
        whole = net(x.contiguous(memory_format=torch.channels_last))
    for turn in range(TURNS):
        for tile, planned in plans.items():
            if not turn:
                with LiveBytes() as live:
                    errors[tile] = float((apply(net, x, planned, runtime) - whole).abs().max())
                memory[tile] = live.most
            began = time.perf_counter()
            apply(net, x, planned, runtime)
            times[tile].append(time.perf_counter() - began)
            print(tile, round(times[tile][-1], 2), flush=True)
    names = {tile: "whole" if tile == 512 else f"tiles of {tile}" for tile in TILES}
    rows = {name: {"seconds": round(statistics.median(times[tile]), 2), "spread": round(max(times[tile]) - min(times[tile]), 2),
                   "megabytes": round(memory[tile] / 1e6, 1), "largest_difference": errors[tile]} for tile, name in names.items()}
    about = "20 x (3 x 3, 64 channels), 512 x 512 pixels, halo 20"
    return {"network": about, "threads": 1, "n": TURNS, "chosen_tile": side(20), **rows}


def enlarged(path: Path, output: Path) -> dict[str, object]:
    """Runs in the child."""
    import torch

    from mien.models.enlarger import Enlarger
    from mien.runtime import choose
    from mien.tasks.upscale.pictures import How, upscale_picture

    torch.set_num_threads(1)
    done = upscale_picture(path, output, How(Enlarger("bicubic", None, 2), choose("cpu")))
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) * 1024
    return {"input": [SIDE, SIDE], "output": [done.width, done.height], "tiles": done.tiles,
            "predicted_megabytes": round(done.memory / 1e6), "peak_resident_megabytes": round(peak / 1e6),
            "seconds": done.seconds,
            "output_megabytes": round(output.stat().st_size / 1e6), "signed": done.signed}  # fmt: skip


def picture(path: Path, photo: Path | None) -> None:
    from PIL import Image

    if photo:
        image = Image.open(photo).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    else:
        random, rows = np.random.default_rng(0), np.linspace(0, 200, SIDE, dtype=np.float32)
        image = Image.fromarray((rows[:, None, None] + random.integers(0, 50, (SIDE, SIDE, 3), np.uint8)).astype(np.uint8))
    image.save(path, quality=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path, nargs="?")
    parser.add_argument("--child", type=Path, nargs=2)
    parser.add_argument("--only", choices=("large", "speed"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "tiles.json")
    args, before = parser.parse_args(), load()
    if args.child:
        print(json.dumps(enlarged(*args.child)))
        return
    result = json.loads(args.out.read_text()) if args.out.exists() else {}  # the part that is not run stays
    if args.only != "speed":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "large.jpg")
            picture(path, args.photo)
            child = [sys.executable, __file__, "--child", str(path), str(Path(folder, "larger.png"))]
            large = json.loads(subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True).stdout)
        result["large"] = large | origin(before)
    if args.only != "large":
        result["speed"] = speed() | origin(before)
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
