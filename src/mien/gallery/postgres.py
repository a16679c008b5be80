"""A gallery in PostgreSQL with pgvector, for many machines; one gallery a database, its tables in the schema `mien`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np

from mien.gallery.store import TABLES, Row, Store
from mien.gallery.types import Check

if TYPE_CHECKING:
    import psycopg

TYPES = {"bytes": "BYTEA", "id": "BIGINT PRIMARY KEY"}
NUMBERED = ("person", "record", "removed", "log")
LOCK = 0x6D69656E  # "mien": one writer at a time, so that numbers are committed in order and an index can follow them
SCAN_TO = 100_000
"""Vectors up to which every one is compared; above, the nearest by the graph (HNSW)."""
GRAPH_SIZE = 2000
"""pgvector's graph takes vectors of at most so many numbers."""
EFFORT = (200, 1000)
"""Candidates of the graph's search (hnsw.ef_search): at least, and the most pgvector allows."""
ROUNDING = 1e-5
"""Of a distance in float32, as a part of it."""


class Postgres(Store):
    """See `Store`."""

    beyond = "the server's write-ahead log and its backups keep old states until its administrator prunes them"

    def __init__(self, url: str):
        try:
            import psycopg
        except ImportError:
            raise RuntimeError("a gallery in PostgreSQL needs psycopg: pip install 'mien[postgres]'") from None
        self.place = _without_password(url)
        self._size = 0
        self._depth = 0
        self._error = psycopg.Error
        try:
            self._db: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True, connect_timeout=10)
        except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
            raise OSError(f"{self.place}: no connection ({_line(error)})") from None
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._run("SET search_path = mien, public")
        self._run("SET client_min_messages = warning")
        if self._run("SELECT 1 FROM pg_tables WHERE schemaname = 'mien' AND tablename = 'meta'"):
            return
        with self._db.transaction():
            self._run("SELECT pg_advisory_xact_lock(?)", (LOCK,))
            self._run("CREATE EXTENSION IF NOT EXISTS vector")
            self._run("CREATE SCHEMA IF NOT EXISTS mien")
            for table in TABLES:
                self._run(table.format(**TYPES))
            for table in NUMBERED:
                self._run(f"CREATE SEQUENCE IF NOT EXISTS {table}_number")

    def prepare(self, size: int, sealed: bool) -> None:
        """Where vectors stand in the clear, the server searches them."""
        self._size = 0 if sealed else size
        if not self._size or self._run("SELECT 1 FROM pg_tables WHERE schemaname = 'mien' AND tablename = 'place'"):
            return
        with self.writing():
            self.write(f"CREATE TABLE IF NOT EXISTS place (record BIGINT PRIMARY KEY, at vector({size}) NOT NULL)")
            if size <= GRAPH_SIZE:
                self.write("CREATE INDEX IF NOT EXISTS place_near ON place USING hnsw (at vector_l2_ops)")

    def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows."""
        return self._run(sql, values)

    def stream(self, sql: str, values: Sequence[object] = (), rows: int = 16384) -> Iterator[list[Row]]:
        """All rows, some at a time, by a cursor on the server."""
        with self._in_words(), self._db.transaction(), self._db.cursor(name="mien") as cursor:
            cursor.execute(_dialect(sql), values)
            while some := cursor.fetchmany(rows):
                yield some

    def write(self, sql: str, values: Sequence[object] = ()) -> None:
        """One statement inside `writing()`."""
        self._run(sql, values)

    def write_many(self, sql: str, values: Iterable[Sequence[object]]) -> None:
        """One statement for each of the values, inside `writing()`."""
        with self._in_words(), self._db.cursor() as cursor:
            cursor.executemany(_dialect(sql), values)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction; see `Store.writing`."""
        self._depth += 1
        try:
            with self._in_words(), self._db.transaction():
                if self._depth == 1:
                    self._run("SELECT pg_advisory_xact_lock(?)", (LOCK,))
                yield
        finally:
            self._depth -= 1

    def take(self, table: str, count: int) -> int:
        """The first of `count` numbers never used before."""
        name = f"{table}_number"
        return self._run("SELECT setval(?, nextval(?) + ? - 1)", (name, name, max(count, 1)))[0][0] - max(count, 1) + 1

    def placed(self, ids: Sequence[int], vectors: np.ndarray) -> None:
        """Into the server's index."""
        if self._size:
            self.write_many("INSERT INTO place (record, at) VALUES (?, ?::vector)",
                            [(id, str(vector.tolist())) for id, vector in zip(ids, vectors, strict=True)])

    def unplaced(self, ids: Sequence[int]) -> int:
        """Out of the server's index."""
        if not self._size:
            return 0
        return len(self._run("DELETE FROM place WHERE record = ANY(?) RETURNING record", (list(ids),)))

    def index(self) -> Pgvector | None:
        """The server's own search; None where the vectors are sealed."""
        return Pgvector(self) if self._size else None

    def scrub(self) -> list[Check]:
        """Rewrite the tables and their indexes without what was deleted."""
        for table in ("person", "record", "image", "log", *(["place"] if self._size else [])):
            self._run(f"VACUUM FULL {table}")
        return [Check("tables and indexes rewritten (VACUUM FULL)", True)]

    def files(self) -> list[Path]:
        """None that can be read from here."""
        return []

    def backup(self) -> None:
        """Nothing: a server is backed up by pg_dump or its own archive."""

    def faults(self) -> list[str]:
        """Vectors that the server's index lacks, or holds too many."""
        if not self._size:
            return []
        lacks = self._run("SELECT count(*) FROM record r WHERE NOT EXISTS (SELECT 1 FROM place p WHERE p.record = r.id)")[0][0]
        stray = self._run("SELECT count(*) FROM place p WHERE NOT EXISTS (SELECT 1 FROM record r WHERE r.id = p.record)")[0][0]
        counts = {"are not in the index": lacks, "are in the index alone": stray}
        return [f"{count} vectors {what}" for what, count in counts.items() if count]

    def close(self) -> None:
        """Give the connection back."""
        self._db.close()

    def nearest(self, query: np.ndarray, count: int, exact: bool) -> list[Row]:
        """Records and distances, nearest first."""
        least, most = EFFORT
        way = "enable_indexscan = off" if exact else f"hnsw.ef_search = {min(max(2 * count, least), most)}"
        with self._in_words(), self._db.transaction():
            self._run(f"SET LOCAL {way}")
            return self._run("SELECT record, at <-> ?::vector AS far FROM place ORDER BY far LIMIT ?", (str(query.tolist()), count))

    def highest(self) -> int:
        """The highest number in the index: never less than how many it holds, and known at once."""
        return self._run("SELECT coalesce(max(record), 0) FROM place")[0][0]

    def _run(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        with self._in_words():
            cursor = self._db.execute(_dialect(sql), values or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            code = error.sqlstate or ""
            if code in ("0A000", "58P01") and "vector" in str(error):
                raise RuntimeError(f"{self.place}: the server has no pgvector (Debian: postgresql-*-pgvector)") from None
            if code == "42501":
                raise OSError(f"{self.place}: this user may not do that ({_line(error)})") from None
            raise RuntimeError(f"{self.place}: {_line(error)}") from error


class Pgvector:
    """The server's search as an `Index`; it is up to date by itself."""

    error = 0.0

    def __init__(self, store: Postgres):
        self._store = store

    @property
    def exact(self) -> bool:
        """By the highest number given, not a count, which would take as long as the search."""
        return self._store.highest() <= SCAN_TO

    def __len__(self) -> int:
        return self._store.read("SELECT count(*) FROM place")[0][0]

    def add(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Nothing: rows are added with the records."""

    def remove(self, ids: np.ndarray) -> int:
        """Nothing: rows are deleted with the records."""
        return 0

    def search(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Index`; distances a little too small, so that the true ones are never below them."""
        far, ids = np.full((len(queries), count), np.inf, np.float32), np.full((len(queries), count), -1, np.int64)
        exact = self.exact or count > EFFORT[1]
        for row, query in enumerate(queries):
            for column, (id, distance) in enumerate(self._store.nearest(query, count, exact)):
                far[row, column], ids[row, column] = distance * (1 - ROUNDING), id
        return far, ids


def _dialect(sql: str) -> Any:
    return sql.replace("%", "%%").replace("?", "%s") if "?" in sql else sql


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url.split("?")[0]
    return urlunsplit((parts.scheme, parts.netloc.replace(f":{parts.password}@", "@"), parts.path, "", ""))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
