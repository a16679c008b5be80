"""Fakes whose truth is known: faces reshaped by three tools and a brush, swapped, or left alone, all worn alike.

    python -m mien.tasks.inspect.making DATA --out PACK                  # DATA: a folder with faces/ and video/

A fake is made at the size the face has in its picture, worn, and looked at in that size, in the order of the world outside: bringing
all faces to one size would resample the traces of a tool away. PACK/faces holds the originals; PACK/dev... and PACK/test... hold made
faces as `mien.tasks.inspect.pack` reads them, a folder for each size.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data import wear
from mien.data.warp import transform, warp
from mien.faces.inspected import STEP, square
from mien.faces.reshape.brush import random_strokes, stroked_field
from mien.faces.reshape.sampling import KERNELS, sampled
from mien.faces.reshape.sliders import NAMES, Sliders, random_sliders
from mien.faces.reshape.warpers import WARPERS, reshaped_field
from mien.models.inspector import RESHAPED, SWAPPED
from mien.progress import Progress
from mien.tasks.inspect.originals import MARGIN, Originals, gather
from mien.tasks.inspect.pack import Batch
from mien.tasks.inspect.pack import write as pack_write
from mien.tasks.inspect.swapping import Swapped, swap_all

SHRINK = 4
"""Pixels of a crop for one of the field."""


@dataclass(frozen=True)
class Recipe:
    """What is made, and how often."""

    shares: tuple[float, float, float] = (0.4, 0.4, 0.2)
    """Of originals, reshaped and swapped faces."""
    warpers: tuple[str, ...] = tuple(WARPERS)
    strokes: float = 0.15
    """Of the reshaped ones, the share that a brush has bent by hand."""
    few: float = 0.15
    """The share with two to eight sliders moved instead of all."""
    still: float = 0.6
    """The share whose background stays."""
    turned: float = 0.15
    """Of all, originals too: the share that was turned and scaled a little first, so that resampling alone proves nothing."""
    strength: float = 1.0
    """Times every displacement of a slider."""
    worn: bool = True
    qualities: tuple[int, int] | None = None
    """Worn only by being saved as a JPEG of a quality between these two."""

    def steps(self, random: np.random.Generator) -> list[wear.Step]:
        """What a face goes through after it was made."""
        if self.qualities is not None:
            return [partial(wear.jpeg, quality=int(random.integers(self.qualities[0], self.qualities[1] + 1)))]
        return wear.chain(random) if self.worn else []


PLAIN = Recipe((0.5, 0.5, 0), strokes=0, few=0, turned=0)
"""The reference's own question: original, or all sliders uniform in [-1, 1]."""
WEIGHTS = {"generated": 0.4, "frames347": 0.22, "stills": 0.05, "portraits": 0.05, "lfw100": 0.1, "johns": 0.05, "video": 0.2}
"""How often a source is drawn from: more than its people, fewer than its pictures."""


@dataclass(frozen=True)
class Made:
    """One face as a network gets it, and the truth about it."""

    x: np.ndarray
    """(S, S, 3) uint8."""
    label: int
    field: np.ndarray
    """(2, S / 4, S / 4) float32, in pixels of the crop; 0 unless reshaped."""
    before: np.ndarray | None
    """(S, S, 3) uint8, where asked for: the same frame, worn the same way, of what was not reshaped."""
    person: str
    how: str
    """mls, tps, liquify, brush; network, pasted; or nothing."""
    quality: int | None = None
    """Of the JPEG that it was worn by last, as a file would tell it; None where that was no JPEG."""


def turned(image: np.ndarray, landmarks: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rotated by up to a degree and a half about the middle and enlarged until no corner is empty, as people straighten photos."""
    angle, sides = np.radians(random.uniform(-1.5, 1.5)), (image.shape[1], image.shape[0])
    scale = np.cos(angle) + abs(np.sin(angle)) * max(sides) / min(sides) + random.uniform(0, 0.015)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array(sides) / 2
    matrix = np.hstack([linear, (middle - linear @ middle)[:, None]])
    return warp(image, matrix, sides), transform(matrix, landmarks).astype(np.float32)


def some_sliders(random: np.random.Generator, few: float, strength: float) -> Sliders:
    """All of them uniform in [-1, 1] times `strength`, or with a chance of `few` only two to eight."""
    amounts = np.array(astuple(random_sliders(random)))
    if random.random() < few:
        amounts[random.permutation(len(NAMES))[int(random.integers(2, 9)):]] = 0
    return Sliders(*(amounts * strength).clip(-1, 1).tolist())


def bent(landmarks: np.ndarray, height: int, width: int, recipe: Recipe, random: np.random.Generator) -> tuple[np.ndarray, str]:
    """(68, 2) in a picture -> the backward field (2, H, W) of a random reshaping, and its tool."""
    chance = random.random()
    if chance < recipe.strokes:
        return stroked_field(random_strokes(landmarks, random), height, width), "brush"
    how = recipe.warpers[random.integers(len(recipe.warpers))]
    amounts = some_sliders(random, recipe.few, recipe.strength)
    return reshaped_field(landmarks, amounts, height, width, how, bool(random.random() < recipe.still)), how


def frame(size: int, random: np.random.Generator) -> tuple[int, int, int]:
    """The square (x0, y0, side) of a kept crop that is looked at: the inspected one, moved and scaled a little; whole steps of 16."""
    side = max(min(round(size / MARGIN * random.uniform(0.96, 1.05) / STEP) * STEP, size // STEP * STEP), STEP)
    x0, y0 = ((size - side) / 2 + random.uniform(-0.02, 0.02, 2) * size).round().clip(0, size - side).astype(int)
    return int(x0), int(y0), side


def framed(image: np.ndarray, x0: int, y0: int, side: int, size: int) -> np.ndarray:
    """That square as `mien.faces.inspected.cut` would show it: (size, size, 3) uint8."""
    part = np.ascontiguousarray(image[y0:y0 + side, x0:x0 + side])
    return part if side == size else np.asarray(Image.fromarray(part).resize((size, size), Image.Resampling.BICUBIC))


def framed_field(field: np.ndarray, x0: int, y0: int, side: int, size: int) -> np.ndarray:
    """A field (2, P, P) seen through the same frame: (2, size / 4, size / 4) float32 in pixels of the crop, means of its pixels."""
    small, box = (size // SHRINK, size // SHRINK), (x0, y0, x0 + side, y0 + side)
    parts = [np.asarray(Image.fromarray(part).resize(small, Image.Resampling.BOX, box)) for part in field]
    return np.stack(parts) * np.float32(size / side)


class Maker:
    """Draws fakes and originals of one part's people; what it draws is a function of the generator."""

    def __init__(self, originals: Originals, swapped: Swapped | None, part: str, recipe: Recipe | None = None,
                 size: int | None = None) -> None:
        """`part`: train, dev or test; without `swapped` faces their share is drawn from the other two.

        size: pixels that every crop is resized to; None: as many as the face has, a multiple of 16.
        """
        self.originals, self.swapped, self.size = originals, swapped, size
        self.recipe = recipe or Recipe()
        self.rows = np.flatnonzero(originals.part == part)
        if not len(self.rows):
            raise ValueError(f"no faces for {part!r}: expected train, dev or test")
        sources = np.array([person.split("/")[0] for person in originals.person[self.rows]])
        _, place, count = np.unique(originals.person[self.rows], return_inverse=True, return_counts=True)
        weight = 1 / np.sqrt(count[place])  # of two people, who has four times the pictures is drawn twice as often
        for name in np.unique(sources):
            weight[sources == name] *= WEIGHTS[name] / weight[sources == name].sum()
        self.weight = np.cumsum(weight / weight.sum())
        self.fakes: dict[int, np.ndarray] = {}
        if swapped is not None:
            order = np.argsort(swapped.of, kind="stable")
            places = np.split(order, np.flatnonzero(np.diff(swapped.of[order])) + 1)
            self.fakes = {int(swapped.of[p[0]]): p for p in places if len(p)}

    def choose(self, random: np.random.Generator) -> tuple[int, int]:
        """A row, and what is made of it."""
        row = int(self.rows[np.searchsorted(self.weight, random.random(), side="right").clip(max=len(self.rows) - 1)])
        shares = np.cumsum(np.array(self.recipe.shares) * [1, 1, row in self.fakes])
        return row, int(np.searchsorted(shares, random.random() * shares[-1], side="right").clip(max=SWAPPED))

    def make(self, random: np.random.Generator, label: int | None = None, row: int | None = None, before: bool = False) -> Made:
        """One face: of a random kind and person unless told. `before`: with what it was, for measuring an undo."""
        chosen, kind = self.choose(random)
        row, label = chosen if row is None else row, kind if label is None else label
        crop, how = self.originals.crop(row), ""
        was = crop
        if label == SWAPPED:
            assert self.swapped is not None
            place = int(self.fakes[row][random.integers(len(self.fakes[row]))])
            crop, how = self.swapped.crop(place), str(self.swapped.how[place])
        size, (x1, y1, x2, y2) = len(crop), self.originals.inside[row]
        image, was, points = crop[y1:y2, x1:x2], was[y1:y2, x1:x2], self.originals.landmarks[row] - np.array([x1, y1], np.float32)
        landmarks = points
        if random.random() < self.recipe.turned:
            seed = int(random.integers(2**31))
            image, landmarks = turned(image, points, np.random.default_rng(seed))
            was = turned(was, points, np.random.default_rng(seed))[0] if label == SWAPPED and before else image
        look, fake = frame(size, random), image
        seen_size = self.size or look[2]
        told = np.zeros((2, seen_size // SHRINK, seen_size // SHRINK), np.float32)
        if label == RESHAPED:
            field, how = bent(landmarks, y2 - y1, x2 - x1, self.recipe, random)
            fake = sampled(image, field, list(KERNELS)[random.choice(len(KERNELS), p=(0.4, 0.4, 0.2))])
            field = np.pad(field, ((0, 0), (y1, size - y2), (x1, size - x2)))
            told = framed_field(field, *look, seen_size)
        steps = self.recipe.steps(random)

        def seen(picture: np.ndarray) -> np.ndarray:
            whole = square(wear.worn(picture, steps), -int(x1), -int(y1), size)
            return framed(whole, *look, seen_size)

        before_it = seen(was) if before else None
        return Made(seen(fake), label, told, before_it, str(self.originals.person[row]), how, wear.saved_at(steps))


def write(maker: Maker, pack: Path, part: str, count: int, seed: int) -> None:
    """`count` made faces as files, each a function of its number."""
    with Progress(part, total=count) as bar:
        made = []
        for i in range(count):
            made.append(maker.make(np.random.default_rng((seed, i))))
            bar.advance()
    kept_by_size(pack, part, made)


def kept_by_size(pack: Path, part: str, made: Sequence[Made]) -> None:
    """Folders PACK/PART-SIZE of a pack, each with the faces of one size, in order."""
    sizes = [len(one.x) for one in made]
    for size in sorted(set(sizes)):
        some = [one for one in made if len(one.x) == size]
        pack_write(pack / f"{part}-{size}", stacked(some), [one.person for one in some], [one.how for one in some])


def stacked(made: Sequence[Made]) -> Batch:
    """Made faces of one size in arrays."""
    return Batch(x=np.stack([one.x for one in made]), label=np.array([one.label for one in made]),
                 field=np.stack([one.field for one in made]))  # fmt: skip


def main() -> None:
    """Find faces, swap them, and make dev and test faces of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    for name, count in (("dev", 480), ("test", 1500)):
        parser.add_argument(f"--{name}", type=int, default=count, help=f"made faces to write ({count})")
    given = parser.parse_args()
    originals = gather(given.data, given.out / "faces")
    swapped = swap_all(originals, given.out / "faces")
    for seed, name in enumerate(("dev", "test"), 2):
        write(Maker(originals, swapped, name), given.out, name, getattr(given, name), seed)


if __name__ == "__main__":
    main()
