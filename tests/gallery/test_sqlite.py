"""One file: what a crash, a damaged disk and other processes do to it."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from galleries import KEY, SPACE, record

from mien.gallery import Record, open_gallery, recover
from mien.gallery.sqlite import backup_of
from mien.types import Space

ENROLLING = """
import sys
import numpy as np
from mien.gallery import Record, open_gallery
from mien.types import Space
with open_gallery(sys.argv[1], Space("tiny", "a" * 64, "eyes-1", "none", 8)) as gallery:
    for number in range(10000):
        gallery.enroll(f"Person {number}", [Record(np.full(8, number, np.float32), crop=b"c" * 5000)])
        print(number, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A gallery with two people and a backup."""
    where = tmp_path / "gallery.db"
    with open_gallery(where, SPACE) as gallery:
        for number, name in enumerate(("Annabel", "Bartholomew")):
            gallery.enroll(name, [Record(np.full(8, number, np.float32), crop=np.random.default_rng(number).bytes(20_000))])
    return where


@pytest.mark.parametrize("confirmed", [3, 25])
def test_killed_while_enrolling_nothing_confirmed_is_lost(tmp_path: Path, confirmed: int) -> None:
    where = tmp_path / "gallery.db"
    with subprocess.Popen([sys.executable, "-c", ENROLLING, str(where)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(confirmed)]
        child.send_signal(signal.SIGKILL)
        told += [int(line) for line in child.stdout.read().split()]  # what it still confirmed before it died
    with open_gallery(where, SPACE) as gallery:
        people = {person.name: person.vectors for person in gallery.people()}
        assert [people[f"Person {number}"] for number in told] == [1] * len(told)
        assert len(people) in (len(told), len(told) + 1)  # the last may be on disk and not told any more
        assert gallery.search(np.full((1, 8), told[-1], np.float32), 1)[0][0].distance == 0
        assert [fault for fault in gallery.check() if "no backup yet" not in fault] == []


def test_readers_go_on_beside_a_writer(path: Path) -> None:
    with open_gallery(path) as reader, open_gallery(path) as writer, writer.lock, writer.store.writing():
        writer.put("Carol", [record(7)])
        assert len(reader.people()) == 2
        assert reader.search(record(7).vector[None])[0][0].name != "Carol"


def test_the_backup_lies_beside_and_forgetting_reaches_it(path: Path) -> None:
    assert b"Annabel" in backup_of(path).read_bytes()
    with open_gallery(path) as gallery:
        receipt = gallery.forget("Annabel")
        assert receipt.proved, str(receipt)
    for file in path.parent.iterdir():
        assert b"Annabel" not in file.read_bytes()
    assert b"Bartholomew" in backup_of(path).read_bytes()


def test_a_copy_left_by_hand_under_the_gallerys_name_is_found(path: Path) -> None:
    (path.parent / "gallery.db.old").write_bytes(path.read_bytes())
    with open_gallery(path) as gallery:
        receipt = gallery.forget("Annabel")
    assert not receipt.proved
    assert "gallery.db.old holds the name" in str(receipt)


def test_the_same_photo_kept_with_somebody_else_is_told(path: Path) -> None:
    with open_gallery(path) as gallery:
        gallery.enroll("Carol", gallery.records("Annabel"))
        receipt = gallery.forget("Annabel")
    assert not receipt.proved
    assert "the same photo is kept with somebody else" in str(receipt)


def test_a_reader_in_the_old_state_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.gallery.sqlite.WAIT", 0.01)
    with open_gallery(path) as gallery, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM person").fetchone()
        receipt = gallery.forget("Annabel")
        assert not receipt.proved
        assert "another process is reading" in str(receipt)


@pytest.mark.parametrize("damage", [slice(0, 16), slice(100, 3000), slice(4096, 12000), slice(20, 40)])
def test_a_damaged_file_is_told_with_the_way_back(path: Path, damage: slice) -> None:
    data = bytearray(path.read_bytes())
    data[damage] = b"\xa5" * (damage.stop - damage.start)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"damaged .* the last good backup is .*recover") as told, open_gallery(path, SPACE):
        pass
    assert "\n" not in str(told.value)
    aside = recover(path)
    assert aside.read_bytes() == data
    with open_gallery(path, SPACE) as gallery:
        assert [person.name for person in gallery.people()] == ["Annabel", "Bartholomew"]
        assert gallery.check() == []


def test_without_a_backup_there_is_no_way_back(path: Path) -> None:
    backup_of(path).unlink()
    with open_gallery(path) as gallery:
        assert gallery.check() == [f"{backup_of(path)}: no backup yet"]
    with pytest.raises(ValueError, match="no backup"):
        recover(path)


def test_a_damaged_backup_is_found_by_the_check(path: Path) -> None:
    backup_of(path).write_bytes(b"nothing of the kind")
    with open_gallery(path) as gallery:
        assert any(str(backup_of(path)) in fault for fault in gallery.check())


def test_a_backup_is_not_replaced_by_a_damaged_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = backup_of(path).read_bytes()
    with open_gallery(path) as gallery:
        monkeypatch.setattr("mien.gallery.sqlite._soundness", lambda copy: "row 1 missing from index")
        with pytest.raises(ValueError, match="damaged"):
            gallery.backup()
    assert backup_of(path).read_bytes() == good
    assert sorted(file.name for file in path.parent.iterdir() if ".part" in file.name) == []


def test_what_is_no_gallery_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8" * 100)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE t (x)")
    cases = {tmp_path: "a folder", tmp_path / "photo.jpg": "not a gallery", tmp_path / "other.db": "but not a gallery",
             "mysql://host/db": "a gallery is a file or at postgresql"}
    for where, words in cases.items():
        with pytest.raises(ValueError, match=words), open_gallery(where, SPACE):
            pass
    for also in ({"space": None}, {"space": SPACE, "create": False}):
        with pytest.raises(ValueError, match="no gallery here"), open_gallery(tmp_path / "none.db", **also):
            pass
    assert not (tmp_path / "none.db").exists()


def test_where_nothing_can_be_written_it_is_said() -> None:
    with pytest.raises(OSError, match="/proc"), open_gallery("/proc/gallery.db", SPACE):
        pass


def test_a_gallery_of_another_network_is_refused_with_both_named(path: Path) -> None:
    with pytest.raises(ValueError, match=r"tiny.*not of huge"), open_gallery(path, Space("huge", "b" * 64, "eyes-1", "none", 8)):
        pass
    with open_gallery(path) as gallery:
        assert gallery.space == SPACE


def test_a_newer_schema_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    with pytest.raises(ValueError, match="newer mien"), open_gallery(path):
        pass


def test_a_key_where_none_is_needed_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="not encrypted"), open_gallery(path, key=KEY):
        pass


def test_only_the_owner_may_read(path: Path) -> None:
    for file in (path, backup_of(path)):
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
