"""The gallery: people, their vectors, who is near; the same over every store."""

from __future__ import annotations

import difflib
import json
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from mien.gallery.crypt import Cipher
from mien.gallery.index import EXACT_TO, Cells, Exact, Index
from mien.gallery.store import Store
from mien.gallery.types import Entry, Hit, Person, Receipt, Record, iso
from mien.types import Space

NAME_LENGTH = 200
SAMPLE = 160_000
"""Vectors that cells are found with."""
AT_ONCE = 500
"""Rows asked for by number in one statement."""


class Gallery:
    """An open gallery; `open_gallery` makes one. Safe to use from several threads; a context manager."""

    def __init__(self, store: Store, space: Space, cipher: Cipher, exact_to: int = EXACT_TO):
        self.store = store
        self.space = space
        self.cipher = cipher
        self.exact_to = exact_to
        self.lock = threading.RLock()
        self._index: Index | None = None
        self._seen = (0, 0)  # the last record and the last removal that the index knows of

    def __enter__(self) -> Gallery:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        """Vectors, of everybody."""
        with self.lock:
            return self.store.read("SELECT count(*) FROM record")[0][0]

    @property
    def encrypted(self) -> bool:
        """True: names, vectors, pictures and log subjects are sealed."""
        return self.cipher.sealed

    # People

    def enroll(self, name: str, records: Sequence[Record], *, consent: str = "", keep_days: float | None = None) -> Person:
        """Add vectors to a person, new or known, in one transaction: on disk when this returns.

        Args:
            name: Up to 200 characters; spelled as given, without spaces around.
            records: At least one; vectors of the gallery's size.
            consent: Who agreed to what, and when; empty: what stands there stays.
            keep_days: Days from now until the person is no longer recognised; None: what stands there stays.
        """
        if keep_days is not None and not keep_days > 0:
            raise ValueError(f"keep_days is {keep_days}: a number of days above 0")
        until = iso(datetime.now(UTC) + timedelta(days=keep_days)) if keep_days is not None else ""
        with self.lock, self.store.writing():
            person = self.put(name, records, consent=consent, keep_until=until)
            self.log("enroll", person.name, f"{len(records)} vectors")
        return person

    def put(self, name: str, records: Sequence[Record], *, consent: str = "", keep_until: str = "", added: str = "") -> Person:
        """As `enroll`, within the caller's transaction, with times as given and no line in the log."""
        from mien.gallery.rows import write_person, write_records

        name = clean_name(name)
        vectors = self._vectors(np.stack([record.vector for record in records]) if records else np.empty((0, 0)))
        with self.lock, self.store.writing():
            who = write_person(self, self._find(name), name, consent, keep_until, added)
            write_records(self, who, records, vectors)
            return self._people("WHERE p.id = ?", (who,))[0]

    def people(self) -> list[Person]:
        """Everybody, by name."""
        with self.lock:
            return sorted(self._people(), key=lambda person: (person.name.casefold(), person.name))

    def person(self, name: str) -> Person:
        """One; ValueError names those with the nearest names."""
        with self.lock:
            return self._people("WHERE p.id = ?", (self.number(name),))[0]

    def records(self, name: str) -> list[Record]:
        """All of a person's, with crops and pictures, oldest first."""
        with self.lock:
            return self._records("WHERE r.person = ?", (self.number(name),))

    def record(self, id: int) -> Record:
        """The one a hit came from."""
        with self.lock:
            found = self._records("WHERE r.id = ?", (id,))
        if not found:
            raise ValueError(f"{self.store.place}: no record {id}; it may have been forgotten")
        return found[0]

    def rename(self, name: str, new: str) -> Person:
        """Another name for the same person, in the log too; a name that is taken is refused."""
        from mien.gallery.journal import rewrite_log

        new = clean_name(new)
        with self.lock, self.store.writing():
            who = self.number(name)
            if self._find(new) not in (None, who):
                raise ValueError(f"{new} is already in {self.store.place}; forget one of the two, or enroll into the other")
            self.store.write("UPDATE person SET tag = ?, name = ?, updated = ? WHERE id = ?",
                             (self.cipher.tag(new), self.cipher.seal(new.encode(), "person", who, "name"), iso(), who))
            rewrite_log(self, clean_name(name), new)
            return self._people("WHERE p.id = ?", (who,))[0]

    def forget(self, name: str) -> Receipt:
        """Delete a person everywhere, and prove it."""
        from mien.gallery.erase import erase

        with self.lock:
            return erase(self, [self.number(name)])[0]

    def expire(self, now: datetime | None = None) -> list[Receipt]:
        """Forget everybody whose time is over."""
        from mien.gallery.erase import erase

        with self.lock:
            rows = self.store.read("SELECT id FROM person WHERE keep_until <> '' AND keep_until <= ?", (iso(now),))
            return erase(self, [row[0] for row in rows]) if rows else []

    # Search

    def search(self, vectors: np.ndarray, k: int = 5) -> list[list[Hit]]:
        """The k nearest people to each of (Q, D), best first, each by their nearest vector; distances are exact."""
        from mien.gallery.search import nearest

        if k < 1:
            raise ValueError(f"k is {k}: at least 1")
        queries = self._vectors(vectors)
        with self.lock:
            return nearest(self, self.index(), queries, k)

    def index(self) -> Index:
        """The search index, loaded at the first call and brought up to date with what any process changed since."""
        if self._index is None:
            self._index = self.store.index() or self._new_index()
        if isinstance(self._index, (Exact, Cells)):
            self._catch_up(self._index)
        return self._index

    def drop(self, records: Sequence[int]) -> int:
        """Take records out of this process's index, where one is loaded; how many it held."""
        return self._index.remove(np.array(records, np.int64)) if isinstance(self._index, (Exact, Cells)) else 0

    def _new_index(self) -> Index:
        count = len(self)
        if count <= self.exact_to:
            return Exact(self.space.size)
        step = max(1, count // SAMPLE)
        rows = self.store.stream("SELECT id, person, vector FROM record WHERE id % ? = 0", (step,))
        return Cells(np.concatenate([self._opened(some)[1] for some in rows]), count)

    def _catch_up(self, index: Index) -> None:
        seen, removed = self._seen
        last, gone = self.store.read("SELECT (SELECT max(id) FROM record), (SELECT max(id) FROM removed)")[0]
        if (gone or 0) > removed:
            rows = self.store.read("SELECT record FROM removed WHERE id > ? AND id <= ?", (removed, gone))
            index.remove(np.array([row[0] for row in rows], np.int64))
            removed = gone
        if (last or 0) > seen:
            sql = "SELECT id, person, vector FROM record WHERE id > ? AND id <= ? ORDER BY id"
            for some in self.store.stream(sql, (seen, last), rows=2048):  # few, so that loading takes little more than the index does
                index.add(*self._opened(some))
            seen = last
        self._seen = (seen, removed)

    def _opened(self, rows: list[tuple[Any, ...]]) -> tuple[np.ndarray, np.ndarray]:
        """Rows of id, person, vector -> ids (N,) int64, vectors (N, D) float32."""
        blobs = [self.cipher.open(vector, "record", id, who, "vector") for id, who, vector in rows]
        return (np.array([row[0] for row in rows], np.int64),
                np.frombuffer(b"".join(blobs), "<f4").reshape(len(rows), self.space.size))

    # Settings, log, copies

    def note(self, key: str, value: object) -> None:
        """Keep a small setting (anything JSON holds) with the gallery; None takes it away."""
        with self.lock, self.store.writing():
            self.store.write("DELETE FROM note WHERE key = ?", (key,))
            if value is not None:
                self.store.write("INSERT INTO note (key, value) VALUES (?, ?)",
                                 (key, self.cipher.seal(json.dumps(value).encode(), "note", key)))

    def noted(self, key: str) -> Any:
        """What `note` kept, or None."""
        with self.lock:
            rows = self.store.read("SELECT value FROM note WHERE key = ?", (key,))
            return json.loads(self.cipher.open(rows[0][0], "note", key)) if rows else None

    def log(self, action: str, subject: str = "", detail: str = "") -> None:
        """One line in the audit log: now, the operating system's user, what was asked of whom."""
        from mien.gallery.journal import write_log

        write_log(self, action, subject, detail)

    def audit(self, last: int = 50) -> list[Entry]:
        """The newest lines of the log, oldest first."""
        from mien.gallery.journal import read_log

        return read_log(self, last)

    def export(self, path: str | Path) -> Path:
        """Everything but the log in one zip file of JSON, npy and JPEG, not encrypted; see `mien.gallery.archive`."""
        from mien.gallery.archive import export

        return export(self, Path(path))

    def import_(self, path: str | Path) -> list[Person]:
        """Add what `export` wrote, in one transaction; vectors that a person already has are left out."""
        from mien.gallery.archive import import_

        return import_(self, Path(path))

    def check(self) -> list[str]:
        """What is wrong, in words; empty: nothing."""
        from mien.gallery.journal import faults

        return faults(self)

    def backup(self) -> Path | None:
        """Renew the backup beside the file now; None for PostgreSQL, which has its own."""
        with self.lock:
            return self.store.backup()

    def close(self) -> None:
        """Renew the backup where something changed, and close."""
        with self.lock:
            self._index = None
            self.store.close()

    # Rows to dataclasses

    def number(self, name: str) -> int:
        """The database's number of a person."""
        name = clean_name(name)
        if (found := self._find(name)) is not None:
            return found
        names = [person.name for person in self._people()]
        folded = {each.casefold(): each for each in names}
        near = [folded[each] for each in difflib.get_close_matches(name.casefold(), folded, 3, 0.5)]
        hint = f"; the nearest names: {', '.join(near)}" if near else f"; it knows {len(names)} people" if names else "; it is empty"
        raise ValueError(f"{name} is not in {self.store.place}{hint}")

    def rows(self, ids: Iterable[int], columns: str, where: str = "", values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Columns of record r joined with person p, for some records."""
        wanted, found = list(ids), []
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start: start + AT_ONCE]
            marks = ", ".join("?" * len(some))
            found += self.store.read(f"SELECT {columns} FROM record r JOIN person p ON p.id = r.person "
                                     f"WHERE r.id IN ({marks}) {where}", (*some, *values))
        return found

    def _find(self, name: str) -> int | None:
        rows = self.store.read("SELECT id FROM person WHERE tag = ?", (self.cipher.tag(name),))
        return rows[0][0] if rows else None

    def _people(self, where: str = "", values: Sequence[object] = ()) -> list[Person]:
        rows = self.store.read(f"SELECT p.id, p.name, p.consent, p.added, p.updated, p.keep_until, "
                               f"(SELECT count(*) FROM record r WHERE r.person = p.id) FROM person p {where}", values)
        return [Person(self.cipher.open(name, "person", id, "name").decode(), count, added, updated,
                       self.cipher.open(consent, "person", id, "consent").decode(), until)
                for id, name, consent, added, updated, until, count in rows]

    def _records(self, where: str, values: Sequence[object]) -> list[Record]:
        rows = self.store.read(f"SELECT r.id, r.person, r.vector, r.source, i.crop, i.picture, r.quality FROM record r "
                               f"LEFT JOIN image i ON i.record = r.id {where} ORDER BY r.id", values)
        opened = self.cipher.open
        return [Record(np.frombuffer(opened(vector, "record", id, who, "vector"), "<f4"),
                       opened(source, "record", id, who, "source").decode(), opened(crop or b"", "record", id, who, "crop"),
                       opened(picture or b"", "record", id, who, "picture"), quality, id)
                for id, who, vector, source, crop, picture, quality in rows]

    def _vectors(self, vectors: np.ndarray) -> np.ndarray:
        found = np.asarray(vectors)
        if found.ndim != 2 or found.shape[1] != self.space.size or not len(found):
            raise ValueError(f"vectors of shape {found.shape}: this gallery takes (at least 1, {self.space.size})")
        if not np.isfinite(found).all():
            raise ValueError("a vector holds numbers that are not finite; the picture it came from gave none")
        return np.ascontiguousarray(found, "<f4")


def clean_name(name: str) -> str:
    """A name without spaces around, its letters composed (NFC), so that one name is one sequence of bytes."""
    clean = unicodedata.normalize("NFC", name).strip()
    if not clean:
        raise ValueError("an empty name")
    if len(clean) > NAME_LENGTH or any(unicodedata.category(letter) == "Cc" for letter in clean):
        raise ValueError(f"{clean[:40]!r}: a name is one line of at most {NAME_LENGTH} characters")
    return clean
