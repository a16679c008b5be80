"""The audit log, and what is wrong with a gallery in words."""

from __future__ import annotations

import getpass
import os
import re
from typing import TYPE_CHECKING

import numpy as np

from mien.gallery.types import Entry, iso

if TYPE_CHECKING:
    from mien.gallery.gallery import Gallery

TOLD = 5
"""Faults of one kind that are told one by one."""


def current_user() -> str:
    """The operating system's name of who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an entry, as in many containers
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def write_log(gallery: Gallery, action: str, subject: str, detail: str) -> None:
    """One line, now."""
    seal = gallery.cipher.seal
    with gallery.lock, gallery.store.writing():
        id = gallery.store.take("log", 1)
        values = (id, iso(), seal(current_user().encode(), "log", id, "who"), action, seal(subject.encode(), "log", id, "subject"),
                  seal(detail.encode(), "log", id, "detail"))
        gallery.store.write("INSERT INTO log (id, at, who, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)", values)


def read_log(gallery: Gallery, last: int) -> list[Entry]:
    """The newest lines, oldest first."""
    opened = gallery.cipher.open
    with gallery.lock:
        rows = gallery.store.read("SELECT id, at, who, action, subject, detail FROM log ORDER BY id DESC LIMIT ?", (last,))
    return [Entry(at, opened(who, "log", id, "who").decode(), action, opened(subject, "log", id, "subject").decode(),
                  opened(detail, "log", id, "detail").decode()) for id, at, who, action, subject, detail in reversed(rows)]


def mentions(name: str) -> re.Pattern[str]:
    """The name as a word of its own, in any case: Ann, but not Anna."""
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)


def rewrite_log(gallery: Gallery, name: str, instead: str) -> int:
    """Put another word for a name wherever the log mentions it; returns how many lines that changed. Inside `writing()`."""
    pattern, changed = mentions(name), []
    for id, *blobs in gallery.store.read("SELECT id, subject, detail FROM log"):
        places = [("log", id, "subject"), ("log", id, "detail")]
        old = [gallery.cipher.open(blob, *place).decode() for place, blob in zip(places, blobs, strict=True)]
        new = [pattern.sub(lambda _: instead, text) for text in old]
        if new != old:
            changed.append((*(gallery.cipher.seal(text.encode(), *place) for place, text in zip(places, new, strict=True)), id))
    gallery.store.write_many("UPDATE log SET subject = ?, detail = ? WHERE id = ?", changed)
    return len(changed)


def faults(gallery: Gallery) -> list[str]:
    """What the database says of itself, what cannot be opened, and what makes no sense."""
    with gallery.lock:
        found = gallery.store.faults()
        wrong = []
        for some in gallery.store.stream("SELECT id, person, vector, source FROM record"):
            for id, who, vector, source in some:
                try:
                    numbers = np.frombuffer(gallery.cipher.open(vector, "record", id, who, "vector"), "<f4")
                    gallery.cipher.open(source, "record", id, who, "source").decode()
                except ValueError as error:
                    wrong.append(str(error))
                    continue
                if len(numbers) != gallery.space.size or not np.isfinite(numbers).all():
                    wrong.append(f"record {id}: not a vector of {gallery.space.size} finite numbers")
        for some in gallery.store.stream("SELECT i.record, r.person, i.crop, i.picture FROM image i JOIN record r ON r.id = i.record",
                                         rows=64):
            for id, who, *blobs in some:
                for column, blob in zip(("crop", "picture"), blobs, strict=True):
                    try:
                        gallery.cipher.open(blob, "record", id, who, column)
                    except ValueError as error:
                        wrong.append(str(error))
        try:
            lone = [person.name for person in gallery.people() if not person.vectors]
            read_log(gallery, 1 << 31)
        except ValueError as error:
            wrong.append(str(error))
        else:
            wrong += [f"{name}: no vector, so never recognised" for name in lone]
    more = [f"and {len(wrong) - TOLD} more of the kind"] if len(wrong) > TOLD else []
    return found + wrong[:TOLD] + more
