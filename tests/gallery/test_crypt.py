"""Sealed galleries: nothing legible on disk, nothing changed unnoticed."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from galleries import KEY, SPACE, record

from mien.gallery import new_key, open_gallery, read_key
from mien.gallery.crypt import Sealed, _derive

SECRETS = ("Annabel", "at the door", "agreed in writing", "asked by the guard")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    where = tmp_path / "gallery.db"
    with open_gallery(where, SPACE, key=KEY) as gallery:
        for name in ("Annabel", "Bo"):
            some = [record(1.25, -3.5, 7.75, source="at the door", crop=b"the crop of it", picture=b"the photo of it")]
            gallery.enroll(name, some, consent="agreed in writing")
        gallery.log("identify", "Annabel", "asked by the guard")
        gallery.note("calibration", {"threshold": 0.625})
    return where


def test_the_derived_keys_are_those_of_rfc_5869() -> None:
    assert _derive(KEY, "salt", b"purpose") == HKDF(SHA256(), 32, b"salt", b"purpose").derive(KEY)


def test_nothing_legible_is_on_disk(path: Path) -> None:
    with open_gallery(path, key=KEY) as gallery:
        plain = [text.encode() for text in SECRETS]
        plain += [gallery.records("Annabel")[0].vector[:3].tobytes(), b"the crop of it", b"the photo of it", b"0.625"]
        gallery.log("verify", "Annabel")  # so that the write-ahead log is not empty
        for file in path.parent.iterdir():
            data = file.read_bytes()
            assert [text for text in plain if text in data] == []


def test_the_right_key_opens_it_all(path: Path) -> None:
    with open_gallery(path, SPACE, key=KEY) as gallery:
        [found] = gallery.records("Annabel")
        assert (found.source, found.crop, found.picture, list(found.vector[:3])) == (
            "at the door", b"the crop of it", b"the photo of it", [1.25, -3.5, 7.75])
        assert gallery.person("Annabel").consent == "agreed in writing"
        assert gallery.audit(1)[0].detail == "asked by the guard"
        assert gallery.check() == []


def test_another_key_none_and_a_short_one_are_refused(path: Path) -> None:
    for key, words in ((bytes(32), "does not fit"), (None, "needs its key"), (b"short", "32 bytes")):
        with pytest.raises(ValueError, match=words), open_gallery(path, key=key):
            pass


@pytest.mark.parametrize("sql", [
    "UPDATE record SET vector = CAST(substr(vector, 1, 20) || x'00000000' || substr(vector, 25) AS BLOB) WHERE id = 1",
    "UPDATE record SET vector = (SELECT vector FROM record WHERE id = 2) WHERE id = 1",
    "UPDATE record SET person = 3 - person",
    "UPDATE record SET vector = x'00' WHERE id = 1",
])
def test_a_vector_changed_or_moved_is_noticed(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(sql)
    with open_gallery(path, key=KEY) as gallery:
        with pytest.raises(ValueError, match=r"record 1 \d vector: its ciphertext was changed or moved"):
            gallery.search(record(1).vector[None])
        assert any("record 1" in fault for fault in gallery.check())


@pytest.mark.parametrize("sql", [
    "UPDATE person SET name = (SELECT name FROM person WHERE id = 2) WHERE id = 1",
    "UPDATE person SET name = consent",
    "UPDATE log SET subject = detail",
    "UPDATE image SET crop = picture",
])
def test_texts_and_pictures_moved_are_noticed(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(sql)
    with open_gallery(path, key=KEY) as gallery:
        assert any("changed or moved" in fault for fault in gallery.check())


def test_the_same_text_is_never_the_same_ciphertext() -> None:
    cipher = Sealed(KEY, "gallery")
    assert len({cipher.seal(b"Annabel", "person", 1, "name") for _ in range(50)}) == 50
    assert cipher.seal(b"", "person", 1, "consent") == b""


def test_a_key_is_read_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    for content in (KEY, KEY.hex().encode() + b"\n", base64.b64encode(KEY)):
        file.write_bytes(content)
        assert read_key(file) == KEY
    monkeypatch.setenv("GALLERY_KEY", KEY.hex())
    assert read_key("env:GALLERY_KEY") == KEY
    file.write_text(new_key())
    assert len(read_key(file)) == 32


def test_what_is_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sesame")
    for where, words in ((tmp_path / "key", "no key of 32 bytes"), (tmp_path / "none", "cannot be read"), ("env:NO_SUCH", "NO_SUCH")):
        with pytest.raises(ValueError, match=words):
            read_key(where)


def test_an_export_is_open_and_comes_back_sealed(path: Path, tmp_path: Path) -> None:
    with open_gallery(path, key=KEY) as gallery:
        archive = gallery.export(tmp_path / "out" / "people.zip")
    with open_gallery(tmp_path / "in" / "gallery.db", SPACE, key=bytes(32)) as other:
        assert [person.name for person in other.import_(archive)] == ["Annabel", "Bo"]
        assert json.dumps(other.noted("calibration")) == '{"threshold": 0.625}'
    assert not any(b"Annabel" in file.read_bytes() for file in (tmp_path / "in").iterdir())
