"""Weights: a card for every network, and the loader. Nothing is unpickled but plain tensors, by torch's reader that knows nothing
else, and of a file whose hash is the card's; importing this imports no torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mien.weights.catalog import Card, Origin, Preprocessing, Score, card, cards
from mien.weights.sources import cache_folder, fetch, find, locate, verify

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Card", "Origin", "Preprocessing", "Score", "cache_folder", "card", "cards", "fetch", "find", "here", "load", "locate",
           "take", "verify"]  # fmt: skip


def load(name: str) -> dict[str, Tensor]:
    """The tensors of `name`, on the CPU. Raises ValueError for an unknown name or a file that holds no plain tensors
    (a .tflite or .onnx program: use `locate`), RuntimeError where the file is missing or not the one of the card.
    """
    from safetensors.torch import load_file

    from mien.weights.eight_bits import unsqueeze

    found = card(name)
    if found.format == "dat" or found.tensors:
        return _converted(found)
    if found.format == "safetensors":
        return unsqueeze(load_file(locate(name)))
    raise ValueError(f"{name} is a .{found.format} program, not a set of tensors: use mien.weights.locate({name!r})")


def here(name: str) -> Path | None:
    """The file that `load` would read without a network: the card's own, or the tensors taken from it; None where neither is here."""
    found = card(name)
    kept = _kept(found)
    return find(name) or (kept if kept.is_file() else None)


def take(name: str, path: Path) -> Path:
    """Keep in the cache what `load` needs of a file that a person has, which may be deleted then.

    RuntimeError where it is not the card's file, whatever it is called; ValueError where there is none.
    """
    from mien.data.files import atomic

    found = card(name)
    if not path.is_file():
        raise ValueError(f"there is no file {path}; expected the one of the card {name}: {found.obtain or found.file}")
    verify(path, found, f"get {found.obtain or found.file}")
    if found.tensors:
        _convert(found, path)
        return _kept(found)
    with atomic(cache_folder() / found.file) as draft:
        draft.write_bytes(path.read_bytes())
    return cache_folder() / found.file


def _kept(found: Card) -> Path:
    return cache_folder() / f"{found.name}.{found.sha256[:12]}.safetensors"


def _converted(found: Card) -> dict[str, Tensor]:
    """The wanted tensors of a file, parsed once and kept in the cache; the hash in the name ties them to their source."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(_kept(found))
    except (FileNotFoundError, SafetensorError):  # absent, or cut short: made (again) from its verified source
        return _convert(found, locate(found.name))


def _convert(found: Card, path: Path) -> dict[str, Tensor]:
    from safetensors.torch import save_file

    from mien.data.files import atomic

    tensors = _read(found, path)
    with atomic(_kept(found)) as draft:
        save_file(tensors, draft, metadata={"source": found.file, "sha256": found.sha256})
    return tensors


def _read(found: Card, path: Path) -> dict[str, Tensor]:
    """By the card's names, where it has some."""
    import torch
    from safetensors import safe_open

    from mien.weights import dlib_format, onnx_format
    from mien.weights.names import renaming

    if found.format == "safetensors":  # only what is wanted: the rest may be most of it
        with safe_open(str(path), framework="pt") as file:
            return {new: file.get_tensor(old) for old, new in renaming(file.keys(), found.tensors).items()}
    if found.format == "dat":
        return dlib_format.read(path.read_bytes())
    tensors = torch.load(path, weights_only=True) if found.format == "pth" else onnx_format.read(path.read_bytes())
    return {new: tensors[old].contiguous() for old, new in renaming(tensors, found.tensors).items()}
