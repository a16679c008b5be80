"""What a grown decoder adds: a model at 128 pixels and one grown from it to 256, both seen in windows of 256 pixels.

    python benchmarks/swap_grown.py SMALL LARGE DATA [--frames 40:60] [--sheet PICTURE]

SMALL and LARGE are models of `mien swap train` of the people in DATA/video/wda_*.mp4, named as the files are, that have not learnt
from these frames; LARGE by `--size 256 --start SMALL`. Each person's frames are restored by the person's own decoder, and drawn as
the other person; what SMALL draws is enlarged bicubically. SSIM and PSNR inside the face; fine detail as a share of the real frames',
and the distance of power spectra in dB (`mien.metrics.sharpness`). Milliseconds: of the processor, for one face, one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from machine import load, origin
from mien.data.pictures import write_picture
from mien.metrics.sharpness import fine_detail
from mien.metrics.similarity import psnr, ssim
from mien.models.swap_model import load_model
from mien.runtime import choose
from mien.tasks.swap.convert import Drawer
from mien.tasks.swap.score import Look, looks
from swap_adversary import batch, windows

HERE = Path(__file__).parent
SIDE = 256


def drawn(draw: Drawer, shown: list[Look], to: str) -> np.ndarray:
    """(N, SIDE, SIDE, 3) uint8."""
    made = draw(windows(shown, draw.size)[0], to)
    return np.stack([np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for one in made])


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("small", type=Path)
    parser.add_argument("large", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--frames", default="40:60")
    parser.add_argument("--sheet", type=Path)
    given, before = parser.parse_args(), load()
    torch.set_num_threads(1)
    clips = {path.stem: list(looks([path], given.frames)) for path in sorted((given.data / "video").glob("wda_*.mp4"))}
    runtime, found, rows = choose("cpu"), {}, {name: [windows(shown[:1], SIDE)[0][0]] for name, shown in clips.items()}
    for label, path in (("small", given.small), ("large", given.large)):
        model = load_model(path)
        draw, told = Drawer(model, next(iter(model.people)), runtime), {}
        for name, other in (list(clips), list(clips)[::-1]):
            real, mask = windows(clips[name], SIDE)
            mask = (mask > 0.5).float()
            x, faces = batch(real), windows(clips[name], draw.size)[0]
            began = time.process_time()
            draw(faces, name)
            spent = (time.process_time() - began) / len(faces)
            parts: dict[str, Any] = {"milliseconds": round(1000 * spent, 1)}
            for what, to in (("restored", name), ("swapped", other)):
                made = drawn(draw, clips[name], to)
                rows[name].append(made[0])
                detail, spectrum = fine_detail(batch(made), x, mask)
                parts[what] = {"detail": round(detail, 4), "spectrum_db": round(spectrum, 2)}
                if what == "restored":
                    parts[what] |= {"ssim": round(float(ssim(batch(made), x, mask).mean()), 4),
                                    "psnr": round(float(psnr(batch(made), x, mask).mean()), 2)}  # fmt: skip
            told[name] = parts
        found[label] = {"size": draw.size, "steps": model.record.get("steps"), "seconds": model.record.get("seconds"), **told}
    result = {"protocol": (__doc__ or "").split("\n\n")[2].replace("\n", " "), **found, **origin(before)}
    if given.sheet:
        write_picture(given.sheet, np.concatenate([np.concatenate(row, 1) for row in rows.values()]))
    text = json.dumps(result, indent=1)
    (HERE / "results" / "swap_grown.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
