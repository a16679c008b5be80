"""Forgetting: rows, index, log, files; then the proof that nothing is left."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mien.gallery.journal import mentions, rewrite_log
from mien.gallery.proof import occurrences, pieces
from mien.gallery.types import Check, Receipt, iso

if TYPE_CHECKING:
    from mien.gallery.gallery import Gallery

NAMELESS = "(forgotten)"
SHORTEST = 4
"""Bytes of a name that is looked for in files: shorter ones meet by chance."""
LEFT = ("SELECT name, consent, added, updated, keep_until FROM person", "SELECT vector, source FROM record",
        "SELECT at, who, action, subject, detail FROM log", "SELECT key, value FROM note", "SELECT crop, picture FROM image")
"""All that may hold text, in the order it stands in the file."""


@dataclass(frozen=True)
class Gone:
    """What a person left, before it is deleted."""

    number: str
    name: str
    records: tuple[int, ...]
    blobs: tuple[bytes, ...]
    """Vectors, crops and pictures as stored: in an encrypted gallery their ciphertexts."""
    crops: int
    pictures: int
    bytes: int


def erase(gallery: Gallery, people: Sequence[int]) -> list[Receipt]:
    """Delete people by their numbers; one receipt each."""
    gone, entries, lines = [], [], []
    with gallery.store.writing():
        for who in people:
            gone.append(_look(gallery, who))
            entries.append(_delete(gallery, who, gone[-1].records))
            lines.append(rewrite_log(gallery, gone[-1].name, NAMELESS))
            gallery.log("forget", NAMELESS, f"receipt {gone[-1].number}")
    dropped = [gallery.drop(person.records) for person in gone]
    common = gallery.store.scrub()
    texts = _texts(gallery)
    return [Receipt(person.number, person.name, iso(), len(person.records), person.crops, person.pictures, rows + kept, count,
                    person.bytes, (*common, *_prove(gallery, person, texts)), gallery.store.beyond)
            for person, rows, kept, count in zip(gone, entries, dropped, lines, strict=True)]


def _look(gallery: Gallery, who: int) -> Gone:
    read = gallery.store.read
    name = gallery.cipher.open(read("SELECT name FROM person WHERE id = ?", (who,))[0][0], "person", who, "name").decode()
    records = read("SELECT id, vector FROM record WHERE person = ?", (who,))
    images = read("SELECT crop, picture FROM image WHERE record IN (SELECT id FROM record WHERE person = ?)", (who,))
    crops, pictures = ([bytes(row[column]) for row in images if row[column]] for column in (0, 1))
    blobs = (*(bytes(row[1]) for row in records), *crops, *pictures)
    number = f"{iso()[:10].replace('-', '')}-{secrets.token_hex(4)}"
    return Gone(number, name, tuple(row[0] for row in records), blobs, len(crops), len(pictures), sum(map(len, blobs)))


def _delete(gallery: Gallery, who: int, records: Sequence[int]) -> int:
    """All rows of a person; how many of the store's own index."""
    write = gallery.store.write
    write("DELETE FROM image WHERE record IN (SELECT id FROM record WHERE person = ?)", (who,))
    rows = gallery.store.unplaced(records)
    write("DELETE FROM record WHERE person = ?", (who,))
    write("DELETE FROM person WHERE id = ?", (who,))
    first = gallery.store.take("removed", len(records))
    gallery.store.write_many("INSERT INTO removed (id, record) VALUES (?, ?)", enumerate(records, first))
    return rows


def _prove(gallery: Gallery, gone: Gone, texts: list[tuple[str, str]]) -> list[Check]:
    """Look for a person in rows, in the index, in what is said of others, and in the bytes of the files."""
    left = gallery.rows(gone.records, "r.id")
    tag = gallery.store.read("SELECT count(*) FROM person WHERE tag = ?", (gallery.cipher.tag(gone.name),))[0][0]
    indexed = gallery.drop(gone.records)
    pattern = mentions(gone.name)
    places = [place for place, text in texts if pattern.search(text)]
    told = f"still in {len(places)}: {'; '.join(places[:3])}" if places else ""
    return [Check("no row of the person, their vectors or pictures", not left and not tag),
            Check("no entry in the search index", not indexed),
            Check("name in no other entry, setting or log line", not places, told),
            *_scan(gallery, gone, gallery.store.files())]


def _scan(gallery: Gallery, gone: Gone, files: list[Path]) -> list[Check]:
    """The files' bytes; in an encrypted gallery those are of ciphertexts, and the name is looked for as it must never have stood."""
    if not files:
        return []
    name = gone.name.encode()
    needles = {piece for blob in gone.blobs for piece in pieces(blob)} | ({name} if len(name) >= SHORTEST else set())
    found = []
    for file in files:
        counts = occurrences(file, needles)
        if name in counts and counts[name] <= _explained(gallery, name):
            del counts[name]  # part of other people's names or sources, as "Anna" is of "Annabel"
        if counts:
            found.append(f"{file.name} holds {'the name' if name in counts else 'bytes of vectors or pictures'}")
    if found and _shared(gallery, gone):
        found.append("the same photo is kept with somebody else, too")
    what = f"{len(needles)} pieces of vectors, pictures and name looked for in {', '.join(file.name for file in files)}"
    return [Check(what, not found, "; ".join(found))]


def _explained(gallery: Gallery, name: bytes) -> int:
    """How often a name stands in the rows left, columns side by side as in the file: "Ann 1" also where "Ann" meets "1 May"."""
    if gallery.encrypted:
        return 0
    rows = (row for sql in LEFT for some in gallery.store.stream(sql) for row in some)
    return sum(b"".join(cell.encode() if isinstance(cell, str) else bytes(cell) for cell in row).count(name) for row in rows)


def _shared(gallery: Gallery, gone: Gone) -> bool:
    sql = "SELECT (SELECT count(*) FROM record WHERE vector = ?) + (SELECT count(*) FROM image WHERE crop = ? OR picture = ?)"
    return any(gallery.store.read(sql, (blob, blob, blob))[0][0] for blob in gone.blobs)


def _texts(gallery: Gallery) -> list[tuple[str, str]]:
    """Every text that is still there, with the place it stands in."""
    texts = [(f"the name of {person.name}", person.name) for person in gallery.people()]
    texts += [(f"the consent of {person.name}", person.consent) for person in gallery.people() if person.consent]
    for some in gallery.store.stream("SELECT id, person, source FROM record"):
        texts += [(f"the source of record {id}", gallery.cipher.open(source, "record", id, who, "source").decode())
                  for id, who, source in some if source]
    texts += [(f"the setting {key}", gallery.cipher.open(value, "note", key).decode())
              for key, value in gallery.store.read("SELECT key, value FROM note")]
    for entry in gallery.audit(1 << 31):
        texts += [(f"the log of {entry.at}", text) for text in (entry.who, entry.subject, entry.detail) if text]
    return texts
