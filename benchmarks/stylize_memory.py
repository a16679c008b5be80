"""The memory that a large picture takes while it is painted: the most a process holds over a few steps in full size.

    python benchmarks/stylize_memory.py [--side 4096] [--tiles 1]

Memory is the same for every tile, so by default only the largest of each pass is computed (`--tiles 0`: all of them, which takes
an hour); everything else is as it is in `mien stylize`: the content's maps for the whole picture, its gradient, L-BFGS with as many
pairs as it remembers at this size, the finished picture. Content and style are noise.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from machine import load, origin


def main() -> None:
    """One JSON object, into results/ as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--tiles", type=int, default=1)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    from mien.models.vgg_features import load as load_vgg
    from mien.runtime import choose, peak
    from mien.tasks.stylize import tiles
    from mien.tasks.stylize.asking import pixels
    from mien.tasks.stylize.painting import How, Painter

    before, cut, counts = load(), tiles.cut, []

    def fewer(*args, **more):
        found = cut(*args, **more)
        counts.append(len(found))
        size = lambda tile: (tile.rows.last - tile.rows.first) * (tile.columns.last - tile.columns.first)
        return sorted(found, key=size, reverse=True)[: given.tiles or None]

    tiles.cut = fewer
    made = torch.Generator().manual_seed(0)
    content = torch.rand(1, 3, given.side, given.side, generator=made)
    how = How(steps=3, scales=1)
    style = torch.rand(1, 3, 512, 512, generator=made)
    painter = Painter(content, [style], [], how, load_vgg(average=True), choose("cpu", "fp32"))
    objective = tiles.tiled

    def touched(net, wanted, *rest):
        for maps in wanted.content.values():
            maps.nan_to_num_().clamp_(0, 1e4)  # memory that nothing was written to does not count
        return objective(net, wanted, *rest)

    painter.run.__func__.__globals__["tiled"] = touched
    began, costs, pairs, last = time.process_time(), [], 0, None
    for moment in painter.run():
        costs.append(moment.cost.total)
        pairs = sum(name.startswith("moved") for name in moment.state)
        last = moment
    assert last is not None
    pixels(painter.picture(last))
    table = {"side": given.side, "tiles of a pass": counts[0], "computed": given.tiles or counts[0], "steps": how.steps,
             "pairs": pairs, "peak bytes": peak(), "seconds": time.process_time() - began}  # fmt: skip
    text = json.dumps(table | origin(before), indent=2)
    Path(__file__).with_name("results").joinpath("stylize_memory.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
