"""Styles in videos: how fast a trained network is at 720p and what it takes, how much it flickers, and tiles at 4096 pixels.

    python benchmarks/stylize_video.py VIDEO --style PAINTING [--model mien-style] [--any mien-adain] [--only speed|flicker|large]

Speed: frames of 1280 x 720, one thread, the fastest and the median of some; memory is the largest resident size of a process that does
only this (VmHWM). Flicker: VIDEO made smaller, its first frames restyled by each network, each alone and held steady
over time, and optimised one by one as Gatys et al. 2016 have it; `made` is the mean change of brightness from frame to frame, in grey
levels, where the video stands still, `still` the video's own there, `contrast` the deviation of brightness within the result, since
what is flat cannot flicker. Large: a photo-like picture of 4096 x 4096 pixels in tiles with statistics of the whole, and how far tiles
are from a picture computed at once, at a size that fits.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from machine import load, origin

KEEP = 0.8
"""`Forward.steady`, as videos have it by default."""


def opened(model: str, style: Path, **options: Any) -> tuple[Any, Any]:
    """What restyles with `model`, and how it was asked for; a network for any style in that of the picture."""
    import torch

    from mien.runtime import choose
    from mien.tasks.stylize.forward import Forward, Ready, ready

    torch.set_num_threads(1)
    from mien.models import stylizers

    runtime = choose(precision="fp32")
    stylizer = stylizers.opened(model, runtime.device)
    if stylizer.any:
        how = Forward((str(style),), runtime, model=model, **options)
        return ready(how), how
    how = Forward((stylizer.styles[0],), runtime, model=model, **options)
    found = ready(how)
    assert isinstance(found, Ready)
    return found, how


def speed(model: str, style: Path, frames: int) -> dict[str, object]:
    """Of 720p, in this process."""
    from mien.runtime import peak, resident
    from mien.tasks.stylize.videos import Frames

    found, how = opened(model, style)
    before = resident()
    network = Frames(found, how, 720, 1280)
    image = np.random.default_rng(0).integers(0, 256, (1, 90, 160, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    times = []
    for _ in range(frames):
        began, used = time.perf_counter(), time.process_time()
        network(image)
        times.append((time.perf_counter() - began, time.process_time() - used))
    wall, cpu = zip(*times, strict=True)
    return {"seconds_a_frame": round(statistics.median(wall), 3), "fastest": round(min(wall), 3),
            "of_the_processor": round(min(cpu), 3), "frames_a_second": round(1 / min(cpu), 2), "peak_mb": round((peak() or 0) / 1e6),
            "before_mb": round((before or 0) / 1e6),
            "parameters": sum(p.numel() for p in found.stylizer.net.parameters())}  # fmt: skip


def flicker(models: list[str], style: Path, video: Path, count: int, side: int, steps: int) -> dict[str, object]:
    """Of the first frames of a video, made smaller."""
    from PIL import Image

    from mien.data.video import read_video
    from mien.tasks.stylize.videos import Frames

    frames = []
    for frame in islice(read_video(video), count):
        picture = Image.fromarray(frame.image)
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        frames.append(np.array(picture))
    height, width = frames[0].shape[:2]
    rows: dict[str, object] = {"frames": count, "width": width, "height": height}
    for model in models:
        for keep in (0.0, KEEP):
            found, how = opened(model, style, steady=keep)
            network = Frames(found, how, height, width)
            name = f"{model} ({', '.join(found.style)})" + (f", steady {keep:g}" if keep else "")
            rows[name] = restless(frames, [network(frame[None])[0] for frame in frames])
            print(name, rows[name], flush=True)
    if steps:
        name = f"optimised frame by frame, {steps} steps"
        rows[name] = restless(frames, optimised(frames, style, steps))
        print(name, rows[name], flush=True)
    return rows


def restless(frames: list[np.ndarray], made: list[np.ndarray]) -> dict[str, float]:
    """Flicker of `made`."""
    from mien.metrics.flicker import Restless, grey

    found = Restless()
    for before, after in zip(frames, made, strict=True):
        found.add(before, after)
    contrast = float(np.mean([grey(image).std() for image in made]))
    return {"made": round(found.made.mean, 3), "still": round(found.still.mean, 3), "contrast": round(contrast, 1)}


def optimised(frames: list[np.ndarray], style: Path, steps: int) -> list[np.ndarray]:
    """Each frame alone, from the frame itself."""
    import torch

    from mien.data.pictures import read_picture
    from mien.models.vgg_features import load as vgg
    from mien.runtime import choose
    from mien.tasks.stylize.painting import How, Painter

    def tensor(image: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255

    net, made, look = vgg(average=True), [], tensor(read_picture(style))
    for number, frame in enumerate(frames):
        painter = Painter(tensor(frame), [look], [], How(steps=steps), net, choose(precision="fp32"))
        *_, last = painter.run()
        made.append((painter.picture(last)[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
        print("optimised", number, flush=True)
    return made


def large(model: str, style: Path, side: int, small: int) -> dict[str, object]:
    """A large picture in tiles, in this process, and tiles against the whole at `small` pixels."""
    import tempfile

    import torch
    from PIL import Image

    from mien.runtime import peak
    from mien.tasks.stylize.forward import forward_source
    from mien.tasks.stylize.whole import Look, kept
    from mien.tiled import apply

    found, how = opened(model, style, signing=False)
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8))
    rows: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        picture = np.array(coarse.resize((side, side), Image.Resampling.BICUBIC)).astype(np.int16)
        picture += random.integers(-16, 17, (side, side, 1), np.int16)
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(Path(folder, "a.jpg"), quality=92)
        del picture
        began, used = time.perf_counter(), time.process_time()
        done = forward_source(Path(folder, "a.jpg"), Path(folder, "b.jpg"), how)
        rows[f"{side} pixels"] = {"tiles": getattr(done, "tiles", 0), "passes": getattr(done, "passes", 0),
                                  "seconds": round(time.perf_counter() - began, 1),
                                  "of_the_processor": round(time.process_time() - used, 1), "predicted": getattr(done, "predicted", 0),
                                  "peak_mb": round((peak() or 0) / 1e6)}  # fmt: skip
    x = torch.from_numpy(np.array(coarse.resize((small, small), Image.Resampling.BICUBIC))).permute(2, 0, 1)[None]
    found, how = opened(model, style, tile=256)
    look = Look(found, how)
    planned = look.plan(small, small)
    network = lambda part: found.stylizer(part.float() / 255, found.shares)
    with torch.inference_mode():
        whole = network(x)
        guess = apply(network, x, planned, how.runtime)
        with kept(found.stylizer, look.moments(planned, lambda top, bottom: x[..., top:bottom, :])):
            exact = apply(network, x, planned, how.runtime)
    rows[f"tiles against the whole, {small} pixels"] = {
        "tiles": planned.tiles, "largest": float((exact - whole).abs().max()),
        "each_tile_by_its_own": float((guess - whole).abs().max())}  # fmt: skip
    return rows


def apart(*arguments: str) -> dict[str, object]:
    """This script in a process of its own, for memory."""
    done = subprocess.run([sys.executable, __file__, *arguments, "--inner"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--style", type=Path, required=True)
    parser.add_argument("--model", default="mien-style")
    parser.add_argument("--any", default="mien-adain")
    parser.add_argument("--only", choices=("speed", "flicker", "large"))
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--side", type=int, default=160)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--large", type=int, default=4096)
    parser.add_argument("--inner", action="store_true")
    asked = parser.parse_args()
    models = [one for one in (asked.model, asked.any) if one]
    if asked.inner:
        job = {"speed": lambda: speed(models[0], asked.style, 5), "large": lambda: large(models[0], asked.style, asked.large, 512)}
        print(json.dumps(job[asked.only]()))
        return
    before, here = load(), Path(__file__).parent / "results" / "stylize_video.json"
    result: dict[str, Any] = json.loads(here.read_text()) if here.exists() else {}
    for part in ("speed", "large"):
        if asked.only in (None, part):
            for model in models:
                line = [str(asked.video), "--style", str(asked.style), "--only", part, "--model", model, "--any", ""]
                result.setdefault(part, {})[model] = apart(*line, "--large", str(asked.large)) | origin(before)
                print(part, model, result[part][model], flush=True)
    if asked.only in (None, "flicker"):
        found = flicker(models, asked.style, asked.video, asked.frames, asked.side, asked.steps)
        result["flicker"] = result.get("flicker", {}) | found | origin(before)
    here.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
