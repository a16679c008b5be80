"""A picture of 100 megapixels enlarged to 400: the memory and time it takes, what was predicted, and whether it is right.

    python benchmarks/upscale_huge.py --data DATA/sr [--width 11000 --height 9100] [--work FOLDER]

A mosaic of the pictures in DATA/sr is written as PNG, `mien upscale --scale 2` enlarges it in a process of its own, and reports the
most memory that process held. The result, in the precision that the machine is quickest in, is opened again, and squares of the input
in the middle and at two corners are enlarged in one piece, without tiles, in fp32, and compared with it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from machine import load, origin

SCALE, SQUARE = 2, 256
SETS = ("bsd100", "set14", "set5", "t91")
ENLARGE = """
import json, sys
from mien.cli import main
from mien.runtime import peak
code = main(sys.argv[1:])
print(json.dumps({"peak": peak(), "code": code}))
"""
"""Run as `python -c`: what the command says, then a line with the most bytes that the process held."""


def mosaic(folder: Path, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: columns of 512 pixels, filled with the pictures one below the other, each column from another on."""
    from mien.data.pictures import read_picture

    paths = [path for name in SETS for path in sorted((folder / name).glob("*.webp"))]
    pictures = [read_picture(path)[:, :512] for path in paths]
    whole = np.empty((height, width, 3), np.uint8)
    for number, left in enumerate(range(0, width, 512)):
        column, top, place = whole[:, left:left + 512], 0, 17 * number
        while top < height:
            one = pictures[place % len(pictures)]
            part = column[top:top + len(one)]
            part[:] = np.pad(one, ((0, 0), (0, 512 - one.shape[1]), (0, 0)), "symmetric")[:len(part), :part.shape[1]]
            top, place = top + len(one), place + 1
    return whole


def difference(source: Path, made: Path) -> list[int]:
    """The largest difference in 8-bit levels of each square: in the middle, at the first corner and at the last."""
    import torch
    from PIL import Image

    from mien.data.rows import read_rows
    from mien.models.enlargers import opened

    Image.MAX_IMAGE_PIXELS = None  # mien reads no picture as large as this one, which it wrote
    small, large = read_rows(source), np.asarray(Image.open(made))
    assert large.shape[:2] == (SCALE * small.height, SCALE * small.width), large.shape
    enlarger, found = opened("fast", SCALE), []
    halo = enlarger.halo
    for share in (0.5, 0.0, 1.0):
        top, left = (int(share * (length - SQUARE)) for length in (small.height, small.width))
        above, before = min(halo, top), min(halo, left)
        around = small.band(top - above, min(top + SQUARE + halo, small.height))[:, left - before:left + SQUARE + halo]
        x = torch.from_numpy(np.ascontiguousarray(around)).permute(2, 0, 1)[None] / 255
        with torch.inference_mode():
            y = (enlarger(x)[0].clamp(0, 1) * 255).round().permute(1, 2, 0).numpy().astype(int)
        wanted = y[SCALE * above:][:SCALE * SQUARE, SCALE * before:][:, :SCALE * SQUARE]
        got = large[SCALE * top:SCALE * (top + SQUARE), SCALE * left:SCALE * (left + SQUARE)].astype(int)
        found.append(int(np.abs(wanted - got).max()))
    return found


def measured(data: Path, width: int, height: int, work: Path) -> dict[str, Any]:
    """One run."""
    source, made = work / "mosaic.png", work / "enlarged.png"
    make = [sys.executable, __file__, "--data", str(data), "--width", str(width), "--height", str(height), "--mosaic", str(source)]
    subprocess.run(make, check=True)  # elsewhere: a child is counted as large as its parent was
    began = time.perf_counter()
    words = ["upscale", str(source), "--out", str(made), "--scale", str(SCALE), "--json"]
    done = subprocess.run([sys.executable, "-c", ENLARGE, *words], stdout=subprocess.PIPE, text=True, check=True)
    wall = time.perf_counter() - began
    told, held = map(json.loads, done.stdout.strip().splitlines())
    assert held["code"] == 0, held
    assert (told["width"], told["height"]) == (SCALE * width, SCALE * height), told
    return {"input": [width, height], "output": [told["width"], told["height"]], "model": told["model"], "tiles": told["tiles"],
            "predicted bytes": told["memory"], "peak bytes": held["peak"], "predicted seconds": told["predicted"],
            "seconds": told["seconds"], "wall with the start": round(wall, 1),
            "bytes of the files": [source.stat().st_size, made.stat().st_size],
            "largest difference from untiled, levels of 255": difference(source, made)}  # fmt: skip


def main() -> None:
    """One JSON object, into results/ as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder with set5, set14, bsd100 and t91")
    parser.add_argument("--width", type=int, default=11_000)
    parser.add_argument("--height", type=int, default=9_100)
    parser.add_argument("--work", type=Path, help="where the pictures are kept; by default they are thrown away")
    parser.add_argument("--mosaic", type=Path, help="write the mosaic there, and nothing else")
    given = parser.parse_args()
    if given.mosaic:
        from PIL import Image

        Image.fromarray(mosaic(given.data, given.width, given.height)).save(given.mosaic, compress_level=1)
        return
    before = load()
    with TemporaryDirectory() as folder:
        table = measured(given.data, given.width, given.height, given.work or Path(folder))
    text = json.dumps(table | origin(before), indent=2)
    Path(__file__).with_name("results").joinpath("upscale_huge.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
