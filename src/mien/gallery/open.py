"""Opening a gallery: which store, whose vectors, which key."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from pathlib import Path

from mien.gallery.crypt import Cipher, Plain, Sealed
from mien.gallery.gallery import Gallery
from mien.gallery.index import EXACT_TO
from mien.gallery.sqlite import Sqlite
from mien.gallery.store import SCHEMA, Store
from mien.types import Space

SERVER = ("postgresql://", "postgres://")
LOCK = b"mien gallery"


def open_gallery(where: str | Path, space: Space | None = None, *, key: bytes | None = None, create: bool = True,
                 exact_to: int = EXACT_TO) -> Gallery:
    """The gallery in a file or at postgresql://..., made where there is none.

    Args:
        where: Path of a SQLite file, or the URL of a PostgreSQL database with pgvector.
        space: What its vectors are of; another gallery is refused. None: whatever it holds, and none is made.
        key: 32 bytes (`read_key`); a gallery made with a key needs it ever after, one made without takes none.
        create: False: only an existing one.
        exact_to: Vectors up to which the search compares every one.

    Raises:
        ValueError: not a gallery, a damaged one, one of another space or a newer schema, a wrong or missing key.
        OSError: it cannot be read or written there.
    """
    store = _store(where, create and space is not None)
    try:
        about = _about(store)
        if not about:
            if space is None or not create:
                raise ValueError(f"{store.place}: an empty database, no gallery yet")
            about = _found(store, space, key)
        held, cipher = _space(store, about, space), _cipher(store, about, key)
        store.prepare(held.size, cipher.sealed)
        return Gallery(store, held, cipher, exact_to)
    except BaseException:
        store.close()
        raise


def _about(store: Store) -> dict[str, str]:
    return {key: value for key, value in store.read("SELECT key, value FROM meta")}


def _found(store: Store, space: Space, key: bytes | None) -> dict[str, str]:
    """Make the gallery, unless another process did so just now."""
    with store.writing():
        if about := _about(store):
            return about
        about = {"schema": str(SCHEMA), "id": uuid.uuid4().hex, "space": json.dumps(asdict(space))}
        cipher = Sealed(key, about["id"]) if key is not None else Plain(about["id"])
        about["lock"] = cipher.seal(LOCK, "lock").hex() if cipher.sealed else ""
        store.write_many("INSERT INTO meta (key, value) VALUES (?, ?)", [*about.items()])
        return about


def _store(where: str | Path, create: bool) -> Store:
    if str(where).startswith(SERVER):
        from mien.gallery.postgres import Postgres

        return Postgres(str(where))
    if "://" in str(where):
        raise ValueError(f"{where}: a gallery is a file or at postgresql://...")
    return Sqlite(Path(where), create)


def _space(store: Store, about: dict[str, str], wanted: Space | None) -> Space:
    if int(about.get("schema", SCHEMA + 1)) > SCHEMA:
        raise ValueError(f"{store.place}: made by a newer mien (schema {about.get('schema')}, this one reads {SCHEMA}); update mien")
    held = Space(**json.loads(about["space"]))
    if wanted is not None and wanted.key != held.key:
        raise ValueError(f"{store.place} holds vectors of {_said(held)}, not of {_said(wanted)}: they cannot be compared; "
                         f"use that network, or enroll into another gallery")
    return held


def _cipher(store: Store, about: dict[str, str], key: bytes | None) -> Cipher:
    lock = bytes.fromhex(about["lock"])
    if key is None:
        if lock:
            raise ValueError(f"{store.place}: an encrypted gallery; it needs its key")
        return Plain(about["id"])
    if not lock:
        raise ValueError(f"{store.place}: this gallery is not encrypted; leave the key out, or import its export into a new one")
    cipher = Sealed(key, about["id"])
    try:
        cipher.open(lock, "lock")
    except ValueError:
        raise ValueError(f"{store.place}: the key does not fit this gallery") from None
    return cipher


def _said(space: Space) -> str:
    return (f"{space.model} ({space.size} numbers, {space.aligner}, {space.preprocessing}, weights {space.weights[:8]}; "
            f"key {space.key})")
