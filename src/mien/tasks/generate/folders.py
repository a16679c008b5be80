"""Any number of pictures as single files: a group is drawn, written and forgotten, so that memory does not grow with their number."""

from __future__ import annotations

import time

from mien.data.pictures import write_picture
from mien.progress import Progress
from mien.provenance.manifest import GENERATED, sign
from mien.tasks.generate.asked import Asked, coloured_pixels, opened
from mien.tasks.generate.drawing import groups
from mien.tasks.generate.labels import numbers
from mien.tasks.generate.results import Scattered

FEW = 10_000
"""Pictures up to which they lie in one folder; of more, a thousand lie in a folder each."""


def scatter(asked: Asked, count: int) -> Scattered:
    """Write `count` PNG files, 0000000.png and on, below the folder `asked.out`, which is new or empty. ValueError as for sheets."""
    if asked.out.is_dir() and any(asked.out.iterdir()):
        raise ValueError(f"{asked.out} holds files already, expected a new or an empty folder")
    if asked.complete is not None:
        raise ValueError("completed pictures go on a sheet: --out NAME.png")
    net, plan = opened(asked.model)
    labels = numbers(asked.label, plan, asked.model)
    net.to(asked.runtime.device)
    asked.out.mkdir(parents=True, exist_ok=True)
    began, drawing, place = time.perf_counter(), 0.0, 0
    with Progress("draw", total=count, unit="pictures") as bar:
        drawings = groups(net, plan, count, asked.seed, labels)
        while True:
            before = time.perf_counter()
            drawn = next(drawings, None)
            drawing += time.perf_counter() - before
            if drawn is None:
                break
            for pixels in coloured_pixels(drawn, asked.zoom):
                name = f"{place:07}.png"
                path = asked.out / name if count <= FEW else asked.out / f"{place // 1000:04}" / name
                write_picture(path, pixels)
                if asked.signing:
                    sign(path, path, title=name, action=f"drawn by a neural network from the seed {asked.seed}",
                         model=f"mien generate {asked.model}", identity=asked.signer, source_type=GENERATED)  # fmt: skip
                place += 1
            bar.advance(len(drawn))
    return Scattered(asked.out, asked.model, plan.network, count, plan.side * asked.zoom, asked.seed, round(drawing, 3),
                     round(time.perf_counter() - began, 3), asked.signing)  # fmt: skip


