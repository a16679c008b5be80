"""A gallery in one SQLite file: readers beside a writer (write-ahead log), synced commits, deleted bytes zeroed, a backup beside."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mien.data.files import atomic
from mien.gallery.store import TABLES, Row, Store
from mien.gallery.types import Check

if TYPE_CHECKING:
    import numpy as np

HEADER = b"SQLite format 3\0"
APPLICATION = 0x4D49454E  # "MIEN" in the file's header: what `file gallery.db` and we know it by
TYPES = {"bytes": "BLOB", "id": "INTEGER PRIMARY KEY AUTOINCREMENT"}  # a number is never given twice, so a deleted one stays deleted
WAIT = 30.0
"""Seconds to wait for another process that writes."""
SMALL = 64 << 20
"""Bytes up to which a file is checked when opened and backed up at every close after a change; larger ones once a day."""
DAY = 86400.0


def backup_of(path: Path) -> Path:
    """Where the backup of the gallery at `path` lies."""
    return path.with_name(path.name + ".backup")


class Sqlite(Store):
    """See `Store`."""

    beyond = "copies made elsewhere, exports, and blocks a disk has freed but not overwritten are not looked at"

    def __init__(self, path: Path, create: bool):
        self.path = path
        self.place = str(path)
        self._depth = 0
        self._changed = False
        _at_the_door(path, create)
        with self._in_words():
            self._db = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        (application,), (tables,) = (self._db.execute(sql).fetchone() for sql in
                                     ("PRAGMA application_id", "SELECT count(*) FROM sqlite_schema"))
        if tables and application != APPLICATION:
            raise ValueError(f"{self.path}: a SQLite database, but not a gallery")
        if self.path.stat().st_size <= SMALL and (fault := _soundness(self._db)) != "ok":
            raise sqlite3.DatabaseError(fault)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        if not tables:
            with self.writing():
                for table in TABLES:
                    self._db.execute(table.format(**TYPES))
                self._db.execute(f"PRAGMA application_id = {APPLICATION}")

    def prepare(self, size: int, sealed: bool) -> None:
        """Nothing: SQLite does not search vectors."""

    def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows."""
        with self._in_words():
            return self._db.execute(sql, values).fetchall()

    def stream(self, sql: str, values: Sequence[object] = (), rows: int = 16384) -> Iterator[list[Row]]:
        """All rows, some at a time."""
        with self._in_words(), closing(self._db.execute(sql, values)) as cursor:
            while some := cursor.fetchmany(rows):
                yield some

    def write(self, sql: str, values: Sequence[object] = ()) -> None:
        """One statement inside `writing()`."""
        with self._in_words():
            self._db.execute(sql, values)

    def write_many(self, sql: str, values: Iterable[Sequence[object]]) -> None:
        """One statement for each of the values, inside `writing()`."""
        with self._in_words():
            self._db.executemany(sql, values)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction; see `Store.writing`."""
        if self._depth == 0:
            with self._in_words():
                self._db.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
            if self._depth == 1:
                with self._in_words():
                    self._db.execute("COMMIT")
                self._changed = True
        except BaseException:
            if self._depth == 1 and self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        finally:
            self._depth -= 1

    def take(self, table: str, count: int) -> int:
        """The first of `count` numbers never used before; inserting the rows moves SQLite's own counter on."""
        rows = self.read("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return (rows[0][0] if rows else 0) + 1

    def placed(self, ids: Sequence[int], vectors: np.ndarray) -> None:
        """Nothing: SQLite does not search vectors."""

    def unplaced(self, ids: Sequence[int]) -> int:
        """Nothing: SQLite does not search vectors."""
        return 0

    def index(self) -> None:
        """None: the gallery keeps one in memory."""

    def scrub(self) -> list[Check]:
        """Rewrite the file without its free pages, empty the log, renew the backup."""
        with self._in_words():
            self._db.execute("VACUUM")
        busy = self.read("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]
        self.backup()
        found = "another process is reading the old state; forget again, or close it" if busy else ""
        return [Check("database rewritten, write-ahead log emptied", not busy, found), Check("backup renewed", True)]

    def files(self) -> list[Path]:
        """The database and whatever lies beside it under its name: log, backup, a broken one put aside."""
        named = [file for file in self.path.parent.iterdir() if file.name.startswith(self.path.name) and file.is_file()]
        return sorted([*named, *self._drafts()])

    def _drafts(self) -> list[Path]:
        """Backups that a crash left half made."""
        return [file for file in self.path.parent.iterdir() if file.name.startswith(f".{self.path.name}.") and ".part" in file.name]

    def backup(self) -> Path:
        """A copy at one moment, checked before it takes the old one's place."""
        target = backup_of(self.path)
        # as a writer, so that no other process forgets somebody between the copy and its renaming
        with self.writing(), self._in_words(), atomic(target) as draft:
            for stale in self._drafts():
                stale.unlink(missing_ok=True)
            _private(draft)
            # read through a second connection: SQLite does not copy from one that holds the write lock
            with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(draft)) as copy:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
                if (fault := _soundness(copy)) != "ok":
                    raise sqlite3.DatabaseError(fault)
        self._changed = False
        return target

    def faults(self) -> list[str]:
        """What SQLite's own checks say, and whether the backup is there and sound."""
        found = [str(row[0]) for row in self.read("PRAGMA integrity_check") if row[0] != "ok"]
        found += [f"{row[0]} {row[1]} belongs to a {row[2]} that is not there" for row in self.read("PRAGMA foreign_key_check")]
        backup = backup_of(self.path)
        if not backup.exists():
            return [*found, f"{backup}: no backup yet"]
        try:
            with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
                found += [f"{backup}: {row[0]}" for row in copy.execute("PRAGMA quick_check") if row[0] != "ok"]
        except sqlite3.DatabaseError as error:
            found.append(f"{backup}: {error}")
        return found

    def close(self) -> None:
        """Renew the backup where something changed, and close."""
        try:
            if self._changed and self._backup_due():
                self.backup()
        finally:
            self._changed = False
            self._db.close()

    def _backup_due(self) -> bool:
        backup = backup_of(self.path)
        return self.path.stat().st_size <= SMALL or not backup.exists() or time.time() - backup.stat().st_mtime > DAY

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            code = getattr(error, "sqlite_errorname", "") or ""
            if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise RuntimeError(f"{self.path}: another process has been writing for {WAIT:.0f} s; try again") from error
            if code.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
                raise OSError(f"{self.path}: cannot be written here ({error}); a gallery needs a folder it can write to") from error
            if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
                raise OSError(f"{self.path}: {error}; nothing that was confirmed is lost") from error
            if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or not code:
                raise ValueError(_broken(self.path, str(error))) from error
            raise


def recover(path: str | Path) -> Path:
    """Put a broken gallery (and its log) aside as NAME.broken and the last backup in its place; returns where the broken one went."""
    path = Path(path)
    backup, aside = backup_of(path), path.with_name(path.name + ".broken")
    if not backup.exists():
        raise ValueError(f"{backup}: there is no backup to recover from")
    for suffix in ("-shm", "-wal", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    with atomic(path) as draft:
        _private(draft)
        draft.write_bytes(backup.read_bytes())
    return aside


def _soundness(db: sqlite3.Connection) -> str:
    """"ok", or the first fault SQLite finds in the pages."""
    return db.execute("PRAGMA quick_check(1)").fetchone()[0]


def _at_the_door(path: Path, create: bool) -> None:
    if path.is_dir():
        raise ValueError(f"{path}: a folder; a gallery is one file (for instance {path / 'gallery.db'})")
    if not path.exists():
        if not create:
            raise ValueError(f"{path}: no gallery here")
        path.parent.mkdir(parents=True, exist_ok=True)
        _private(path)
    with path.open("rb") as file:
        start = file.read(len(HEADER))
    if start and start != HEADER:
        raise ValueError(_broken(path, "it does not begin like a SQLite database") if backup_of(path).exists()
                         else f"{path}: not a gallery (it does not begin like a SQLite database)")


def _private(path: Path) -> None:
    """An empty file for its owner alone: faces are nobody else's business. SQLite gives its log the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _broken(path: Path, fault: str) -> str:
    fault = " ".join(fault.split())
    backup = backup_of(path)
    if not backup.exists():
        return f"{path}: the database is damaged ({fault}) and there is no backup beside it; restore it from your own backups"
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(backup.stat().st_mtime))
    return (f"{path}: the database is damaged ({fault}); the last good backup is {backup} of {made}: "
            f"mien recognize recover --gallery {path} puts it in place and the damaged file aside")
