"""What lies before a face, and what the swap from one photo makes of it.

    python benchmarks/swap_covered.py DATA --out RUN [--weights FILE ...]     # RUN: of mien.tasks.swap.quick.training

Pieces of other pictures are laid before 96 faces that are to become another person's (`mien.tasks.swap.quick.pairs.covered`). Of
what the bent photo differs from the frame, how much is taken over: inside those pieces, and beside them in the face. The people are
those of the training.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Generator

from machine import load, origin
from mien.faces.one_photo import network
from mien.models.one_photo import compose
from mien.tasks.swap.quick.pairs import Pairs, Portions, covered
from mien.tasks.swap.quick.training import final, material
from mien.weights.eight_bits import unsqueeze

HERE = Path(__file__).parent
FACES = 96


@torch.no_grad()
def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="beside the bundled ones")
    given, before = parser.parse_args(), load()
    torch.set_num_threads(1)
    pairs = Pairs(material(given.data, given.out), Portions(other=1.0, covered=0.0))
    shown = pairs.batch(FACES, Generator().manual_seed(5), torch.device("cpu"))
    frame, blob = covered(shown.frame, 1.0, Generator().manual_seed(6))
    places = {"before it": shown.mask * blob, "beside": shown.mask * (1 - blob) * (1 - shown.opened)}
    differ, found = (shown.photo - frame).abs().mean(1, keepdim=True), {}
    for file in (None, *given.weights):
        net = network()
        if file:
            net.load_state_dict({name: value.float() for name, value in unsqueeze(load_file(file)).items()})
        made = final(frame, *compose(frame, shown.photo, shown.mask, net(frame, shown.photo, shown.mask, shown.who)))
        changed = (made - frame).abs().mean(1, keepdim=True)
        found[str(file or "bundled")] = {name: round(float((changed * where).sum() / (differ * where).sum()), 3)
                                         for name, where in places.items()}  # fmt: skip
    text = json.dumps({"protocol": (__doc__ or "").split("\n\n")[2], "taken over": found, **origin(before)}, indent=1)
    (HERE / "results" / "swap_covered.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
