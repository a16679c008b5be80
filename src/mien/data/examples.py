"""Labelled pictures for training: IDX, Parquet, NumPy files and folders by class become one kind of array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from mien.data.arrays import array_parts
from mien.data.class_folders import folder_parts
from mien.data.idx import idx_parts
from mien.data.kept import kept
from mien.data.partition import load_partition, partition, save_partition
from mien.data.pile import Pile
from mien.data.sources import natural
from mien.data.tables import table_parts

__all__ = ["CIFAR10", "Examples", "load_partition", "partition", "parts", "read_examples", "save_partition"]

Part = Literal["train", "dev", "test", "all"]
FORMATS = (idx_parts, table_parts, array_parts, folder_parts)
"""Tried in this order; each gives the parts of a source, or None where it is of another kind."""
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""Names of the labels 0..9, which its files do not hold."""


@dataclass(frozen=True)
class Examples:
    """Pictures and what is on them."""

    images: np.ndarray
    """(N, H, W, C) uint8, C = 1 or 3."""
    labels: np.ndarray
    """(N,) int64: places in `classes`."""
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: np.ndarray) -> Examples:
        """Only these, in this order."""
        return Examples(self.images[indices], self.labels[indices], self.classes)


def read_examples(path: Path, part: Part = "train", size: int | None = None, channels: Literal[1, 3] | None = None) -> Examples:
    """The training pictures of a data set ("train"), its "test" or "dev" pictures, or "all" of them.

    A source that has no parts is all "train". Classes are those of the whole data set, in natural order, whichever part is
    read. `size`: pixels a side (shorter side resized, centre cropped); needed where sizes differ. `channels`: 3 makes colour of
    grey, 1 grey of colour, None: 1 where every picture is grey. A decoded Parquet table is kept in the cache folder.
    Raises ValueError with what was found and what was expected.
    """
    path = Path(path)
    piles = _piles(path)
    classes, numbers = _numbered(path, piles)
    wanted = list(piles) if part == "all" else [part]
    if any(one not in piles for one in wanted):
        raise ValueError(f"{path} has no {part} pictures, only {' and '.join(piles)}")
    arrays = [as_channels(decoded(piles[one], size), channels) for one in wanted]
    if len({array.shape[1:] for array in arrays}) > 1:
        found = " and ".join(f"{one} {' x '.join(map(str, array.shape[1:]))}" for one, array in zip(wanted, arrays, strict=True))
        raise ValueError(f"{path}: the parts have different sizes: {found}; give a size and a number of channels")
    images = np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
    labels = np.concatenate([numbers[one] for one in wanted])
    if part == "train" and len(np.unique(labels)) < 2:
        raise ValueError(f"{path} has training pictures of one class only ({classes[labels[0]]}), expected two or more")
    return Examples(images, labels, classes)


def parts(path: Path) -> tuple[str, ...]:
    """Which of train, test and dev the data set at `path` brings with it; nothing is decoded."""
    return tuple(_piles(Path(path)))


def _piles(path: Path) -> Mapping[str, Pile]:
    if not path.exists():
        raise ValueError(f"{path} does not exist, expected a data set")
    for find in FORMATS:
        piles = find(path)
        if piles:
            break
    else:
        raise ValueError(f"{path} is no data set: expected a folder of class folders, the MNIST files, Parquet or NumPy files")
    if "train" not in piles:
        raise ValueError(f"{path} has {' and '.join(piles)} pictures, but none for training")
    for part, pile in piles.items():
        if not len(pile.labels):
            raise ValueError(f"{path} has no {part} pictures at all")
    return piles


def _numbered(path: Path, piles: Mapping[str, Pile]) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Names of the classes and, for each part, (N,) int64 numbers of them."""
    known = piles["train"].names
    values = np.unique(np.concatenate([pile.labels for pile in piles.values()]))
    if known is not None:
        if values.max() >= len(known):
            raise ValueError(f"{path} has the label {values.max()}, but names for {len(known)} classes only")
        return known, {part: pile.labels.astype(np.int64) for part, pile in piles.items()}
    order = np.array(sorted(values.tolist(), key=lambda one: natural(str(one))))
    if len(order) < 2:
        raise ValueError(f"{path} has one class only ({order[0]}), expected two or more")
    place = {value: number for number, value in enumerate(order.tolist())}
    numbers = {part: np.array([place[value] for value in pile.labels.tolist()], np.int64) for part, pile in piles.items()}
    return tuple(str(value) for value in order), numbers


def decoded(pile: Pile, size: int | None) -> np.ndarray:
    """Its pictures, from the cache where they may be kept. ValueError where there are as many as labels are not."""
    images = kept(pile, size) if pile.keep else pile.read(size)
    if len(images) != len(pile.labels):
        raise ValueError(f"{pile.files[0]} has {len(images)} images, but there are {len(pile.labels)} labels ({pile.files[-1].name})")
    return images


def as_channels(images: np.ndarray, channels: int | None) -> np.ndarray:
    """(N, H, W, C) -> the same in 1 or 3 channels; None: grey where all of them are."""
    if channels is None:
        grey = images.shape[3] == 3 and all((one == one[..., :1]).all() for one in images)
        return np.ascontiguousarray(images[..., :1]) if grey else images
    if channels == images.shape[3]:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=3)
    grey = images[..., 0] * np.float32(0.299) + images[..., 1] * np.float32(0.587) + images[..., 2] * np.float32(0.114)
    return (grey + np.float32(0.5)).astype(np.uint8)[..., None]
