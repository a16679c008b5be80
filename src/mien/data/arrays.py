"""Data sets as NumPy arrays: one .npz, or a folder of .npy files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from mien.data.pile import Pile, joined_parts

WORDS = {"images": ("images", "image", "x", "X", "data"), "labels": ("labels", "label", "y", "Y", "targets")}
PARTS = {"train": ("train",), "dev": ("dev", "val"), "test": ("test",)}


def array_parts(source: Path) -> dict[str, Pile] | None:
    """Parts of an .npz (`images`, `labels`; `x_train`, `y_test`; `train_images`, ...; `classes` for names), or of a folder of
    .npy files with such names; None for another source.
    """
    if source.is_dir():
        loaders = {path.stem: (path, _loader(path)) for path in sorted(source.glob("*.npy"))}
    elif source.suffix == ".npz":
        loaders = _members(source)
    else:
        return None
    if not loaders:
        return None
    found: dict[str, dict[str, tuple[Path, Callable[[], np.ndarray]]]] = {}
    for part, kind, name in _spellings():
        if name in loaders:
            found.setdefault(part, {}).setdefault(kind, loaders[name])
    if not found:
        raise ValueError(f"{source} holds {', '.join(loaders)}; expected images and labels, or x_train, y_train, x_test and y_test")
    names = tuple(str(one) for one in loaders["classes"][1]()) if "classes" in loaders else None
    return joined_parts(source, found, names)


def _spellings() -> list[tuple[str, str, str]]:
    """Part, kind and name of an array."""
    plain = [("train", kind, word) for kind, words in WORDS.items() for word in words]
    return plain + [(part, kind, name) for part, ends in PARTS.items() for kind, words in WORDS.items()
                    for word in words for end in ends for name in (f"{word}_{end}", f"{end}_{word}")]


def _members(source: Path) -> Mapping[str, tuple[Path, Callable[[], np.ndarray]]]:
    try:
        with np.load(source) as archive:
            return {name: (source, _loader(source, name)) for name in archive.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{source} is not a whole .npz file: {error}") from None


def _loader(path: Path, name: str | None = None) -> Callable[[], np.ndarray]:
    def load() -> np.ndarray:
        try:
            loaded = np.load(path)
            if name is None:
                return loaded
            with loaded:
                return loaded[name]
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path}{f', {name}' if name else ''} cannot be read as an array: {error}") from None

    return load
