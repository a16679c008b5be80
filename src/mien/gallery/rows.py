"""Enrolment as rows: every value sealed to the row and column it goes into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mien.gallery.types import Record, iso

if TYPE_CHECKING:
    from mien.gallery.gallery import Gallery


def write_person(gallery: Gallery, who: int | None, name: str, consent: str, keep_until: str, added: str) -> int:
    """A new person (None), or what is said of a known one; empty texts change nothing. Returns the number."""
    write, seal, now = gallery.store.write, gallery.cipher.seal, iso()
    if who is None:
        who = gallery.store.take("person", 1)
        sealed = seal(name.encode(), "person", who, "name"), seal(consent.encode(), "person", who, "consent")
        write("INSERT INTO person (id, tag, name, consent, added, updated, keep_until) VALUES (?, ?, ?, ?, ?, ?, ?)",
              (who, gallery.cipher.tag(name), *sealed, added or now, now, keep_until))
        return who
    write("UPDATE person SET updated = ? WHERE id = ?", (now, who))
    if consent:
        write("UPDATE person SET consent = ? WHERE id = ?", (seal(consent.encode(), "person", who, "consent"), who))
    if keep_until:
        write("UPDATE person SET keep_until = ? WHERE id = ?", (keep_until, who))
    return who


def write_records(gallery: Gallery, who: int, records: Sequence[Record], vectors: np.ndarray) -> None:
    """A person's new records; vectors: theirs as (N, D) float32, little-endian."""
    seal = gallery.cipher.seal
    first = gallery.store.take("record", len(records))
    numbered = [*enumerate(records, first)]
    gallery.store.write_many("INSERT INTO record (id, person, vector, source, quality) VALUES (?, ?, ?, ?, ?)", [
        (id, who, seal(vector.tobytes(), "record", id, who, "vector"), seal(record.source.encode(), "record", id, who, "source"),
         float(record.quality)) for (id, record), vector in zip(numbered, vectors, strict=True)])
    gallery.store.write_many("INSERT INTO image (record, crop, picture) VALUES (?, ?, ?)", [
        (id, seal(record.crop, "record", id, who, "crop"), seal(record.picture, "record", id, who, "picture"))
        for id, record in numbered if record.crop or record.picture])
    gallery.store.placed([id for id, _ in numbered], vectors)
