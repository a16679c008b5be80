"""Made faces in pairs: each fake beside what it was, in the same frame and worn the same way, so the trace alone tells them apart.

    python -m mien.tasks.inspect.pairs PACK --count 8000      # PACK/train-208, train-224...; PACK/faces is there

From a few hundred people a network would sooner learn who was reshaped than what reshaping looks like; of a pair it cannot.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.models.inspector import ORIGINAL, RESHAPED, SWAPPED
from mien.progress import Progress
from mien.tasks.inspect.making import Made, Maker, Recipe, kept_by_size
from mien.tasks.inspect.originals import opened
from mien.tasks.inspect.swapping import swap_all

SWAPS, FRESH, SAVED = 0.2, 0.3, 0.3
"""Of the pairs, the share with a swapped face; the share that is not worn, where traces are easiest to learn; the share that is saved
as a JPEG and nothing else, as most photos are."""
QUALITIES = (70, 100)


class Pairs:
    """Draws pairs of one part's people; what it draws is a function of the generator."""

    def __init__(self, worn: Maker, fresh: Maker, saved: Maker) -> None:
        """Makers of the same faces: one that wears them, one that does not, one that only saves them as a JPEG."""
        self.worn, self.fresh, self.saved = worn, fresh, saved

    @classmethod
    def of(cls, pack: Path, part: str = "train", without: str = "") -> Pairs:
        """From PACK/faces; `without` a tool that bends no face here: mls, tps, liquify or brush."""
        originals = opened(pack / "faces")
        swapped = swap_all(originals, pack / "faces")
        whole = Recipe()
        tools = tuple(name for name in whole.warpers if name != without)
        recipe = replace(whole, warpers=tools, strokes=whole.strokes * (without != "brush"))
        recipes = recipe, replace(recipe, worn=False), replace(recipe, qualities=QUALITIES)
        return cls(*(Maker(originals, swapped, part, one) for one in recipes))

    def two(self, random: np.random.Generator) -> tuple[Made, Made]:
        """A fake, then what it was, both of one size; of a swapped face the original in the same frame."""
        how = random.random()
        maker = self.fresh if how < FRESH else self.saved if how < FRESH + SAVED else self.worn
        row = maker.choose(random)[0]
        label = SWAPPED if random.random() < SWAPS and row in maker.fakes else RESHAPED
        fake = maker.make(random, label, row, before=True)
        assert fake.before is not None
        return fake, replace(fake, x=fake.before, label=ORIGINAL, field=np.zeros_like(fake.field), how="")

    def made(self, random: np.random.Generator, count: int) -> list[Made]:
        """`count` faces, an even number: fake, original, fake, original..."""
        return [one for _ in range(count // 2) for one in self.two(random)]


def main() -> None:
    """Write pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--without", default="", metavar="TOOL", help="no face bent by mls, tps, liquify or brush")
    given = parser.parse_args()
    pairs = Pairs.of(given.pack, "train", given.without)
    with Progress("pairs", total=given.count, unit="faces") as bar:
        made: list[Made] = []
        while len(made) < given.count:
            made += pairs.two(np.random.default_rng((11, len(made))))
            bar.advance(2)
    kept_by_size(given.pack, "train", made)


if __name__ == "__main__":
    main()
