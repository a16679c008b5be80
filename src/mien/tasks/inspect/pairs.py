"""Made faces in pairs: each fake beside what it was, in the same frame and worn the same way, so the trace alone tells them apart.

    python -m mien.tasks.inspect.pairs PACK --count 8000      # PACK/train, train1, train2...; PACK/faces is there

From a few hundred people a network would sooner learn who was reshaped than what reshaping looks like; of a pair it cannot.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.progress import Progress
from mien.tasks.inspect.making import Made, Maker, Recipe
from mien.tasks.inspect.originals import opened
from mien.tasks.inspect.pack import Batch, write
from mien.tasks.inspect.swapping import swap_all

ORIGINAL, RESHAPED, SWAPPED = range(3)
SWAPS, FRESH = 0.2, 0.4
"""Of the pairs, the share with a swapped face, and the share that is not worn: there the traces are easiest to learn."""
FOLDER = 1000
"""Faces in one folder, so that they fit into memory while they are made."""


class Pairs:
    """Draws pairs of one part's people; what it draws is a function of the generator."""

    def __init__(self, worn: Maker, fresh: Maker) -> None:
        """Two makers of the same faces: one that wears them, one that does not."""
        self.worn, self.fresh = worn, fresh

    @classmethod
    def of(cls, pack: Path, part: str = "train", without: str = "") -> Pairs:
        """From PACK/faces; `without` a tool that bends no face here: mls, tps, liquify or brush."""
        originals = opened(pack / "faces")
        swapped = swap_all(originals, pack / "faces")
        whole = Recipe()
        tools = tuple(name for name in whole.warpers if name != without)
        recipe = replace(whole, warpers=tools, strokes=whole.strokes * (without != "brush"))
        return cls(*(Maker(originals, swapped, part, replace(recipe, worn=worn)) for worn in (True, False)))

    def two(self, random: np.random.Generator) -> tuple[Made, Made]:
        """A fake, then what it was; of a swapped face the original in a frame of its own."""
        maker = self.fresh if random.random() < FRESH else self.worn
        row = maker.choose(random)[0]
        if random.random() < SWAPS and row in maker.fakes:
            return maker.make(random, SWAPPED, row), maker.make(random, ORIGINAL, row)
        fake = maker.make(random, RESHAPED, row, before=True)
        assert fake.before is not None
        return fake, replace(fake, x=fake.before, label=ORIGINAL, field=np.zeros_like(fake.field), how="")

    def made(self, random: np.random.Generator, count: int) -> list[Made]:
        """`count` faces, an even number: fake, original, fake, original..."""
        return [one for _ in range(count // 2) for one in self.two(random)]

    def draw(self, random: np.random.Generator, count: int) -> Batch:
        """The same in arrays."""
        return stacked(self.made(random, count))


def stacked(made: list[Made]) -> Batch:
    """Made faces in arrays."""
    return Batch(x=np.stack([one.x for one in made]), label=np.array([one.label for one in made]),
                 field=np.stack([one.field for one in made]).astype(np.float16))  # fmt: skip


def main() -> None:
    """Write pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--without", default="", metavar="TOOL", help="no face bent by mls, tps, liquify or brush")
    given = parser.parse_args()
    pairs = Pairs.of(given.pack, "train", given.without)
    with Progress("pairs", total=given.count, unit="faces") as bar:
        for number, start in enumerate(range(0, given.count, FOLDER)):
            made: list[Made] = []
            while len(made) < min(FOLDER, given.count - start):
                made += pairs.two(np.random.default_rng((11, number, len(made))))
                bar.advance(2)
            write(given.pack / f"train{number or ''}", stacked(made), [one.person for one in made], [one.how for one in made])


if __name__ == "__main__":
    main()
