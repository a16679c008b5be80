"""A pack of made faces as files: PACK/train and PACK/dev (people of dev are in no training face), read without loading it whole.

In each folder x.npy (N, S, S, 3) uint8 RGB, label.npy (N,) int64, field.npy (N, 2, S / 4, S / 4) float16 in pixels of the crop,
person.npy and how.npy (N,) text: whose face, and the tool that bent it. Faces of other sizes are in folders of their own: train-208,
train-224... are all parts of train.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TypedDict

import numpy as np

from mien.data.files import atomic

SMALL = ("label", "person", "how")
NAMES = ("x", "field", *SMALL)


class Batch(TypedDict):
    """What a training step, or a measurement, takes."""

    x: np.ndarray
    """(B, S, S, 3) uint8 RGB."""
    label: np.ndarray
    """(B,) int64, places in `mien.models.inspector.CLASSES`."""
    field: np.ndarray
    """(B, 2, S / 4, S / 4) float32, in pixels of the crop."""


class Part:
    """One part of a pack; pictures stay in the file until they are drawn."""

    def __init__(self, pack: Path, part: str, without: str = "") -> None:
        """`without`: a tool whose faces are never drawn, to learn how its traces look to who has not seen any.

        Raises ValueError where the pack has no such part or its arrays do not fit each other.
        """
        folders = sorted(path for path in pack.glob(f"{part}*") if (path / "x.npy").is_file())
        if not folders:
            raise ValueError(f"no {part}/x.npy in {pack}: make a pack first")
        self.tables = [{name: np.load(folder / f"{name}.npy", mmap_mode="r" if name == "x" else None) for name in NAMES}
                       for folder in folders]  # fmt: skip
        for folder, table in zip(folders, self.tables, strict=True):
            lengths = {name: len(table[name]) for name in NAMES}
            if len(set(lengths.values())) > 1:
                raise ValueError(f"the arrays in {folder} differ in length ({lengths}): make the pack again")
        self.starts = np.cumsum([0] + [len(table["label"]) for table in self.tables])
        self.label, self.person, self.how = (np.concatenate([table[name] for table in self.tables]) for name in SMALL)
        self.sizes = np.repeat([table["x"].shape[1] for table in self.tables], np.diff(self.starts))
        """(N,) pixels of each face's side."""
        self.drawn = np.concatenate([np.arange(start, end - 1, 2) for start, end in pairwise(self.starts)])  # faces come in pairs
        if without:
            self.drawn = self.drawn[(self.how[self.drawn] != without) & (self.how[self.drawn + 1] != without)]

    def __len__(self) -> int:
        return int(self.starts[-1])

    def at(self, places: np.ndarray) -> Batch:
        """The faces at these places (B,), all of one size."""
        which = np.searchsorted(self.starts, places, side="right") - 1
        rows = [(self.tables[table], place - self.starts[table]) for table, place in zip(which, places, strict=True)]
        return {"x": np.stack([table["x"][row] for table, row in rows]), "label": self.label[places].astype(np.int64),
                "field": np.stack([table["field"][row] for table, row in rows]).astype(np.float32)}  # fmt: skip

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """So many faces of one size at random, by twos that follow each other: a fake and its original, as `pairs` writes them.

        A size comes as often as there are faces of it.
        """
        alike = self.drawn[self.sizes[self.drawn] == self.sizes[self.drawn[rng.integers(len(self.drawn))]]]
        first = alike[rng.integers(0, len(alike), -(-count // 2))]
        return self.at(np.stack([first, first + 1], 1).ravel()[:count])

    def batches(self, size: int = 16) -> Iterator[Batch]:
        """All of them in order; those of a batch are of one size."""
        for start, end in pairwise(self.starts):
            for first in range(start, end, size):
                yield self.at(np.arange(first, min(first + size, end)))


def write(folder: Path, batch: Batch, person: list[str], how: list[str] | None = None) -> None:
    """A folder of a pack (PACK/train, say) from arrays that fit into memory."""
    columns = {"x": batch["x"], "label": batch["label"].astype(np.int64), "field": batch["field"].astype(np.float16),
               "person": np.array(person), "how": np.array(how or [""] * len(person))}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        with atomic(folder / f"{name}.npy") as draft, draft.open("wb") as file:
            np.save(file, columns[name])
