"""Are faces found that were bent by a tool the inspector never saw? Train on two warpers (and the brush), test on the third.

    python benchmarks/tamper_unseen.py PACK --out RUNS --steps 1600     # PACK: mien.tasks.inspect.making, pairs

For each of the three warpers one inspector learns from the faces that it did not bend, from random weights and for as many steps as
one that learns from all; about 16 minutes each on a CPU core. Then both look at the same faces of test people, half of them bent by
that tool with all sliders uniform in [-1, 1], not compressed afterwards, in the size they have. The bundled inspector learnt three
times as long: the comparison is between the two, their level is not its. Intervals are of 95 % and draw people.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from machine import load, origin
from mien.faces.reshape.warpers import WARPERS
from mien.progress import Progress
from mien.tasks.inspect.looking import NAME, Looker
from mien.tasks.inspect.making import PLAIN, Made, Maker, stacked
from mien.tasks.inspect.measuring import Answers, asked, detected
from mien.tasks.inspect.originals import Originals, opened

ALL, LARGE = "all", 352
"""The run that saw every tool; pixels of a crop from which on the size is about the one that was asked for."""


def learnt(pack: Path, runs: Path, tool: str, steps: int) -> Path:
    """The weights of a run without `tool`, trained where they are missing."""
    file = runs / tool / f"{NAME}.safetensors"
    if not file.is_file():
        without = [] if tool == ALL else ["--without", tool]
        command = [sys.executable, "-m", "mien.tasks.inspect.training", str(pack), "--out", str(file.parent), "--steps", str(steps)]
        subprocess.run([*command, *without, "--export"], check=True)
    return file


def bent(originals: Originals, tool: str, count: int) -> list[Made]:
    """Faces of test people, half of them bent by `tool`; the same people and sliders whatever the tool."""
    maker = Maker(originals, None, "test", replace(PLAIN, worn=False, warpers=(tool,)))
    return [maker.make(np.random.default_rng((5, i))) for i in range(count)]


def figures(looker: Looker, made: list[Made]) -> dict[str, object]:
    """Of all, and of the large ones."""
    answers = Answers.together([asked(looker, [stacked([one])], np.array([one.person])) for one in made])
    sizes = np.array([len(one.x) for one in made])
    return {"all": asdict(detected(answers)), "large": asdict(detected(answers.chosen(sizes >= LARGE)))}


def main() -> None:
    """One JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="where the runs are, or are written")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--faces", type=int, default=500)
    parser.add_argument("--tools", nargs="+", choices=WARPERS, default=list(WARPERS), help="those left out, one at a time (all)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    before = load()
    files = {tool: learnt(given.pack, given.out, tool, given.steps) for tool in (ALL, *given.tools)}
    originals = opened(given.pack / "faces")
    result = {}
    with Progress("look", total=len(given.tools)) as bar:
        for tool in given.tools:
            made = bent(originals, tool, given.faces)
            result[tool] = {"seen": figures(Looker(files[ALL]), made), "unseen": figures(Looker(files[tool]), made)}
            bar.advance()
    print(json.dumps({"steps": given.steps, "faces": given.faces, "by tool": result} | origin(before), indent=2))


if __name__ == "__main__":
    main()
