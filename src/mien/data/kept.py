"""Decoded once: the pictures of a data set as one .npy in the user's cache folder, until one of its files changes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from mien.data.cache import cache_folder
from mien.data.files import atomic
from mien.data.pile import Pile
from mien.progress import say

LEAST = 1_000_000
"""Bytes of encoded pictures from which keeping them decoded is worth a file."""


def kept(pile: Pile, size: int | None) -> np.ndarray:
    """`pile.read(size)`, from the cache where the same files were decoded before."""
    path = cache_folder("data") / f"{_key(pile, size)}.npy"
    if path.is_file():
        try:
            return np.load(path)
        except (ValueError, EOFError, OSError):
            say(f"{path} is damaged: the pictures are decoded again")
    images = pile.read(size)
    if sum(file.stat().st_size for file in pile.files) >= LEAST:
        try:
            with atomic(path) as draft:
                np.save(draft, images)
        except OSError as error:
            say(f"the decoded pictures are not kept ({error})")
    return images


def _key(pile: Pile, size: int | None) -> str:
    """Of where the files are, how long and how old."""
    facts = hashlib.sha256(f"1 {size}".encode())
    for file in pile.files:
        stat = file.stat()
        facts.update(f"\n{Path(file).resolve()} {stat.st_size} {stat.st_mtime_ns}".encode())
    return facts.hexdigest()[:24]
