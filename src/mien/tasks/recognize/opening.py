"""Which gallery is meant, and opening it with the network it was made with."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from mien.faces.describe import space
from mien.faces.probe import Prober
from mien.faces.search import Search
from mien.gallery import Gallery, open_gallery, read_key

NAME = "MIEN_GALLERY"
MODEL = "dlib-face"


def place(given: str) -> str:
    """The gallery asked for, else the one MIEN_GALLERY names, else the user's own."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return given or os.environ.get(NAME) or str(data / "mien" / "gallery.db")


def opened(given: str, key: str, model: str = "", create: bool = False) -> Gallery:
    """An existing gallery, or (`create`) one for `model`; expired people are forgotten on the way.

    Raises ValueError where there is none, or it holds vectors of another network than `model`.
    """
    where = place(given)
    secret = read_key(key) if key else None
    there = "://" in where or Path(where).exists()
    if not there and not create:
        raise ValueError(f"there is no gallery at {where}: mien recognize enroll NAME PHOTO makes one, --gallery names another")
    gallery = open_gallery(where, space(model or MODEL) if model or not there else None, key=secret, create=create)
    gallery.expire()
    return gallery


def into(file: Path, given: str, key: str) -> Gallery:
    """The gallery to import `file` into: an existing one, or one made for the vectors that are in it."""
    from mien.gallery.archive import space_of

    where = place(given)
    secret = read_key(key) if key else None
    return open_gallery(where, space_of(Path(file)), key=secret)


def prober(gallery: Gallery, search: Search = "everybody", device: str = "cpu", dtype: torch.dtype = torch.float32) -> Prober:
    """What makes vectors that belong into this gallery. ValueError where it was made with a network or alignment not here now."""
    held = gallery.space
    now = space(held.model)
    if now.key != held.key:
        raise ValueError(f"the gallery holds vectors of {held.model} made otherwise ({held.aligner}; {held.preprocessing}): "
                         "enroll the people anew into another gallery, from their photos")  # fmt: skip
    return Prober(held.model, device, dtype, search)
