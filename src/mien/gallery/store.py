"""What a gallery asks of a database, and the tables: the same in SQLite and PostgreSQL but for the names of types."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.gallery.types import Check

if TYPE_CHECKING:
    import numpy as np

    from mien.gallery.index import Index

SCHEMA = 1
"""Raised where the tables change; a gallery with a higher number is refused."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS note (key TEXT PRIMARY KEY, value {bytes} NOT NULL)",
    "CREATE TABLE IF NOT EXISTS person (id {id}, tag {bytes} NOT NULL UNIQUE, name {bytes} NOT NULL, consent {bytes} NOT NULL, "
    "added TEXT NOT NULL, updated TEXT NOT NULL, keep_until TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS record (id {id}, person BIGINT NOT NULL REFERENCES person (id), vector {bytes} NOT NULL, "
    "source {bytes} NOT NULL, quality DOUBLE PRECISION NOT NULL)",
    "CREATE INDEX IF NOT EXISTS record_person ON record (person)",
    # apart from the vectors, so that reading all vectors does not read all pictures
    "CREATE TABLE IF NOT EXISTS image (record BIGINT PRIMARY KEY REFERENCES record (id), crop {bytes} NOT NULL, "
    "picture {bytes} NOT NULL)",
    # numbers of deleted records: how an index in another process learns of it
    "CREATE TABLE IF NOT EXISTS removed (id {id}, record BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS log (id {id}, at TEXT NOT NULL, who {bytes} NOT NULL, action TEXT NOT NULL, subject {bytes} NOT NULL, "
    "detail {bytes} NOT NULL)",
)

Row = tuple[Any, ...]


class Store(ABC):
    """One connection, used under the gallery's lock. SQL is written with ? for its values."""

    place: str
    """As the user named it, without a password."""
    beyond: str
    """Where deleted data may live on out of our reach: said in every receipt."""

    @abstractmethod
    def prepare(self, size: int, sealed: bool) -> None:
        """Called once a gallery's vectors and whether they are sealed are known."""

    @abstractmethod
    def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows."""

    @abstractmethod
    def stream(self, sql: str, values: Sequence[object] = (), rows: int = 16384) -> Iterator[list[Row]]:
        """All rows, some at a time."""

    @abstractmethod
    def write(self, sql: str, values: Sequence[object] = ()) -> None:
        """One statement inside `writing()`."""

    @abstractmethod
    def write_many(self, sql: str, values: Iterable[Sequence[object]]) -> None:
        """One statement for each of the values, inside `writing()`."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[None]:
        """A transaction, one writer at a time: on disk when the block ends, undone where it fails. May be nested."""

    @abstractmethod
    def take(self, table: str, count: int) -> int:
        """The first of `count` numbers never used before for rows of `table`; inside `writing()`."""

    @abstractmethod
    def placed(self, ids: Sequence[int], vectors: np.ndarray) -> None:
        """Called inside `writing()` with new vectors, for a store that searches by itself."""

    @abstractmethod
    def unplaced(self, ids: Sequence[int]) -> int:
        """Called inside `writing()` before vectors are deleted; how many entries of the store's own index went."""

    @abstractmethod
    def index(self) -> Index | None:
        """The store's own search, or None: then the gallery keeps an index in memory."""

    @abstractmethod
    def scrub(self) -> list[Check]:
        """Make what was deleted unreadable in every file of the store."""

    @abstractmethod
    def files(self) -> list[Path]:
        """Files to be searched for what was deleted; empty where they lie on another machine."""

    @abstractmethod
    def backup(self) -> Path | None:
        """Renew the backup that lies beside; None where the server is backed up by its own means."""

    @abstractmethod
    def faults(self) -> list[str]:
        """What the database itself says is wrong."""

    @abstractmethod
    def close(self) -> None:
        """Give the connection back."""
