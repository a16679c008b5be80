"""A gallery as one zip file that anything can read, and back.

    gallery.json      {"format": "mien gallery", "version": 1, "space": {...}, "notes": {...}, "people": [{"name", "consent", "added",
                      "keep_until", "records": [{"row", "source", "quality", "crop", "picture"}]}]}
    vectors.npy       (N, D) float32, little-endian; "row" counts in it
    crops/000000.jpg  the aligned face of row 0, where there is one
    pictures/000000   the photo's file, where it was kept

Not encrypted, whatever the gallery is. The audit log stays where it is.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mien.data.files import atomic
from mien.gallery.types import Person, Record
from mien.types import Space

if TYPE_CHECKING:
    from mien.gallery.gallery import Gallery

FORMAT, VERSION = "mien gallery", 1
HEADER = 4096
"""More than the header of an npy file takes."""


def export(gallery: Gallery, path: Path) -> Path:
    """Write everything but the log."""
    people, vectors = [], []
    with gallery.lock, atomic(path) as draft, zipfile.ZipFile(draft, "w") as archive:
        for person in gallery.people():
            rows = []
            for record in gallery.records(person.name):
                row = len(vectors)
                vectors.append(record.vector)
                names = {"crop": f"crops/{row:06d}.jpg", "picture": f"pictures/{row:06d}"}
                for key, data in (("crop", record.crop), ("picture", record.picture)):
                    if data:
                        archive.writestr(names[key], data)  # stored: JPEG does not get smaller
                    else:
                        names[key] = ""
                rows.append({"row": row, "source": record.source, "quality": record.quality, **names})
            people.append({"name": person.name, "consent": person.consent, "added": person.added, "keep_until": person.keep_until,
                           "records": rows})
        keys = [row[0] for row in gallery.store.read("SELECT key FROM note ORDER BY key")]
        about = {"format": FORMAT, "version": VERSION, "space": asdict(gallery.space),
                 "notes": {key: gallery.noted(key) for key in keys}, "people": people}
        archive.writestr("gallery.json", json.dumps(about, indent=1, ensure_ascii=False), zipfile.ZIP_DEFLATED)
        array = io.BytesIO()
        np.save(array, np.stack(vectors) if vectors else np.empty((0, gallery.space.size), "<f4"), allow_pickle=False)
        archive.writestr("vectors.npy", array.getvalue())
        gallery.log("export", "", f"{len(people)} people, {len(vectors)} vectors")
    return path


def import_(gallery: Gallery, path: Path) -> list[Person]:
    """Add everybody in one transaction; vectors that a person has already, and settings that are there, stay as they are."""
    with gallery.lock, _opened(path) as archive, gallery.store.writing():
        about, vectors = _read(gallery, path, archive)
        known = {person.name for person in gallery.people()}
        people = []
        for each in about["people"]:
            held = {record.vector.tobytes() for record in gallery.records(each["name"])} if each["name"] in known else set()
            records = [Record(vectors[row["row"]], str(row["source"]), _part(archive, row["crop"]), _part(archive, row["picture"]),
                              float(row["quality"])) for row in each["records"] if vectors[row["row"]].tobytes() not in held]
            if records:
                people.append(gallery.put(each["name"], records, consent=each["consent"], keep_until=each["keep_until"],
                                          added=each["added"]))
        for key, value in about["notes"].items():
            if gallery.noted(key) is None:
                gallery.note(key, value)
        gallery.log("import", "", f"{len(people)} people")
    return people


def space_of(path: Path) -> Space:
    """Whose vectors are in an exported file. ValueError where it is none."""
    with _opened(path) as archive:
        return Space(**_about(archive, path)["space"])


def _about(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    about = json.loads(archive.read("gallery.json"))
    if about["format"] != FORMAT or about["version"] > VERSION:
        raise ValueError(f"{path}: format {about['format']!r} {about['version']}; this mien reads {FORMAT!r} {VERSION}")
    return about


def _read(gallery: Gallery, path: Path, archive: zipfile.ZipFile) -> tuple[dict[str, Any], np.ndarray]:
    about = _about(archive, path)
    space = Space(**about["space"])
    if space.key != gallery.space.key:
        raise ValueError(f"{path} holds vectors of {space.model} (key {space.key}), the gallery those of {gallery.space.model} "
                         f"(key {gallery.space.key}): they cannot be compared")
    rows = sum(len(each["records"]) for each in about["people"])
    if archive.getinfo("vectors.npy").file_size > rows * space.size * 4 + HEADER:
        raise ValueError(f"{path}: vectors.npy is larger than its {rows} rows of {space.size} numbers")
    vectors = np.load(io.BytesIO(archive.read("vectors.npy")), allow_pickle=False)
    if vectors.shape != (rows, space.size):
        raise ValueError(f"{path}: vectors.npy is {vectors.shape}, gallery.json says ({rows}, {space.size})")
    return about, vectors.astype("<f4")


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    return archive.read(name) if name else b""


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except (zipfile.BadZipFile, KeyError, IndexError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not an exported gallery ({error})") from error
