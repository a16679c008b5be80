"""Fakes whose truth is known: faces reshaped by three tools and a brush, swapped, or left alone, all worn alike.

    python -m mien.tasks.inspect.making DATA --out PACK                  # DATA: a folder with faces/ and video/
    python -m mien.tasks.inspect.making DATA --out PACK --train 4000     # also as files what `Maker.draw` makes as it goes

A fake is made at the size the face has in its picture and then worn and framed, in the order of the world outside; so the traces of
a tool are as coarse or as fine as they would be. PACK/faces holds the originals; PACK/dev and PACK/test hold made faces: x.npy (N, S,
S, 3) uint8, label.npy (N,) int64, field.npy (N, 2, S / 4, S / 4) float16 in pixels of the crop, person.npy, how.npy (N,) text.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from PIL import Image

from mien.data import wear
from mien.data.files import atomic
from mien.data.warp import transform, warp
from mien.faces.inspected import SIZE, square
from mien.faces.reshape.brush import random_strokes, stroked_field
from mien.faces.reshape.sampling import KERNELS, sampled
from mien.faces.reshape.sliders import NAMES, Sliders, random_sliders
from mien.faces.reshape.warpers import WARPERS, reshaped_field
from mien.progress import Progress
from mien.tasks.inspect.originals import MARGIN, Originals, gather
from mien.tasks.inspect.swapping import Swapped, swap_all

ORIGINAL, RESHAPED, SWAPPED = range(3)
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


class Batch(TypedDict):
    """Made faces in arrays."""

    x: np.ndarray
    """(B, S, S, 3) uint8."""
    label: np.ndarray
    """(B,) int64."""
    field: np.ndarray
    """(B, 2, S / 4, S / 4) float16."""
    person: np.ndarray
    """(B,) text."""
    how: np.ndarray
    """(B,) text."""


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
    """The square (x0, y0, side) of a kept crop that is looked at: the inspected one, moved and scaled a little."""
    side = min(round(size / MARGIN * random.uniform(0.96, 1.05)), size)
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
                 size: int = SIZE) -> None:
        """`part`: train, dev or test; without `swapped` faces their share is drawn from the other two."""
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
        if label == SWAPPED:
            assert self.swapped is not None
            place = int(self.fakes[row][random.integers(len(self.fakes[row]))])
            crop, how = self.swapped.crop(place), str(self.swapped.how[place])
        size, (x1, y1, x2, y2) = len(crop), self.originals.inside[row]
        image, landmarks = crop[y1:y2, x1:x2], self.originals.landmarks[row] - np.array([x1, y1], np.float32)
        if random.random() < self.recipe.turned:
            image, landmarks = turned(image, landmarks, random)
        look, fake = frame(size, random), image
        told = np.zeros((2, self.size // SHRINK, self.size // SHRINK), np.float32)
        if label == RESHAPED:
            field, how = bent(landmarks, y2 - y1, x2 - x1, self.recipe, random)
            fake = sampled(image, field, list(KERNELS)[random.choice(len(KERNELS), p=(0.4, 0.4, 0.2))])
            field = np.pad(field, ((0, 0), (y1, size - y2), (x1, size - x2)))
            told = framed_field(field, *look, self.size)
        steps = wear.chain(random) if self.recipe.worn else []

        def seen(picture: np.ndarray) -> np.ndarray:
            whole = square(wear.worn(picture, steps), -int(x1), -int(y1), size)
            return framed(whole, *look, self.size)

        return Made(seen(fake), label, told, seen(image) if before else None, str(self.originals.person[row]), how)

    def draw(self, random: np.random.Generator, count: int) -> Batch:
        """So many faces in arrays."""
        made = [self.make(random) for _ in range(count)]
        return {"x": np.stack([m.x for m in made]), "label": np.array([m.label for m in made]),
                "field": np.stack([m.field for m in made]).astype(np.float16), "person": np.array([m.person for m in made]),
                "how": np.array([m.how for m in made])}  # fmt: skip

    def batches(self, size: int, seed: int = 0) -> Iterator[Batch]:
        """Without end."""
        step = 0
        while True:
            yield self.draw(np.random.default_rng((seed, step)), size)
            step += 1


def write(maker: Maker, folder: Path, count: int, seed: int) -> None:
    """`count` made faces as files."""
    with Progress(folder.name, total=count) as bar:
        made = []
        for i in range(count):
            made.append(maker.draw(np.random.default_rng((seed, i)), 1))
            bar.advance()
    for name in Batch.__annotations__:
        column = np.concatenate([batch[name] for batch in made])
        with atomic(folder / f"{name}.npy") as draft, draft.open("wb") as file:
            np.save(file, column)


def main() -> None:
    """Find faces, swap them, and make dev and test faces of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    for name, count in (("train", 0), ("dev", 480), ("test", 1500)):
        parser.add_argument(f"--{name}", type=int, default=count, help=f"made faces to write ({count})")
    given = parser.parse_args()
    originals = gather(given.data, given.out / "faces")
    swapped = swap_all(originals, given.out / "faces")
    for seed, name in enumerate(("train", "dev", "test"), 1):
        if count := getattr(given, name):
            write(Maker(originals, swapped, name), given.out / name, count, seed)


if __name__ == "__main__":
    main()
