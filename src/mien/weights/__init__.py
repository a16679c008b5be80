"""Weights: a card for every network, and the loader. Nothing is ever unpickled; importing this imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien.weights.catalog import Card, Origin, Score, card, cards
from mien.weights.sources import cache_folder, fetch, find, locate, verify

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Card", "Origin", "Score", "cache_folder", "card", "cards", "fetch", "find", "load", "locate", "verify"]


def load(name: str) -> dict[str, Tensor]:
    """The tensors of `name`, on the CPU. Raises ValueError for an unknown name or a file that holds no plain tensors
    (a .tflite or .onnx program: use `locate`), RuntimeError where the file is missing or not the one of the card.
    """
    from safetensors.torch import load_file

    found = card(name)
    if found.format == "safetensors":
        return load_file(locate(name))
    if found.format == "dat" or found.tensors:
        return _converted(found)
    raise ValueError(f"{name} is a .{found.format} program, not a set of tensors: use mien.weights.locate({name!r})")


def _converted(found: Card) -> dict[str, Tensor]:
    """The tensors of a dlib or ONNX file, parsed once and kept in the cache; the hash in the name ties them to their source."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file

    from mien.data.files import atomic
    from mien.weights import dlib_format, onnx_format

    converted = cache_folder() / f"{found.name}.{found.sha256[:12]}.safetensors"
    try:
        return load_file(converted)
    except (FileNotFoundError, SafetensorError):  # absent, or cut short: made (again) from its verified source
        data = locate(found.name).read_bytes()
        tensors = onnx_format.renamed(onnx_format.read(data), found.tensors) if found.tensors else dlib_format.read(data)
        with atomic(converted) as draft:
            save_file(tensors, draft, metadata={"source": found.file, "sha256": found.sha256})
        return tensors
