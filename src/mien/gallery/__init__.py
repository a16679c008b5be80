"""Vectors of people under their names: enrolled, searched, forgotten; in a SQLite file or in PostgreSQL."""

from mien.gallery.crypt import new_key, read_key
from mien.gallery.gallery import Gallery
from mien.gallery.open import open_gallery
from mien.gallery.sqlite import recover
from mien.gallery.types import Check, Entry, Hit, Person, Receipt, Record

__all__ = ["Check", "Entry", "Gallery", "Hit", "Person", "Receipt", "Record", "new_key", "open_gallery", "read_key", "recover"]
