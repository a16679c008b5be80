"""Vectors of people under their names: enrolled, searched, forgotten; in a SQLite file or in PostgreSQL."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mien.gallery.types import Check, Entry, Hit, Person, Receipt, Record

if TYPE_CHECKING:
    from mien.gallery.crypt import new_key, read_key
    from mien.gallery.gallery import Gallery
    from mien.gallery.open import open_gallery
    from mien.gallery.sqlite import recover

__all__ = ["Check", "Entry", "Gallery", "Hit", "Person", "Receipt", "Record", "new_key", "open_gallery", "read_key", "recover"]
_HOMES = {"Gallery": "gallery", "new_key": "crypt", "open_gallery": "open", "read_key": "crypt", "recover": "sqlite"}


def __getattr__(name: str) -> Any:
    """What needs numpy comes on first use."""
    if name in _HOMES:
        return getattr(import_module(f"mien.gallery.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
