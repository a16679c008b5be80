"""Archives in groups: what is looked at again, what is remembered, and what a person is told."""

import csv
import hashlib
import json
import multiprocessing
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from mien.data.pictures import read_picture
from mien.faces.probe import Probe, Quality, Unread
from mien.tasks.recognize.archive import clustered, numbered
from mien.tasks.recognize.clustered import Clustered
from mien.types import Face, Space
from mien.weights import locate

SPACE = Space("fake", "weights", "aligner", "preprocessing", 16)


def person(name: str) -> np.ndarray:
    """(16,) vectors of two people lie about 2 apart; `~` in between is somebody alike, 0.55 away."""
    digits = hashlib.sha256(name.rstrip("~").encode()).digest()[:16]
    unit = np.frombuffer(digits, np.uint8) - 127.5
    return unit / np.linalg.norm(unit) * 1.4 + (0.55 * np.eye(16)[0] if name.endswith("~") else 0)


class Reader:
    """In these photos stands who is in them: `anna bob`; `bob!` is blurred, `carl~` nearly carl, `#` no picture."""

    def __init__(self, stop_after: int | None = None, stop: Callable[[], None] | None = None) -> None:
        self.looked: list[str] = []
        self.stop_after, self.stop = stop_after, stop

    def photos(self, paths: Iterable[Path]) -> Iterator[tuple[Path, list[Probe] | Unread]]:
        for path in paths:
            if self.stop and len(self.looked) == self.stop_after:
                self.stop()
            self.looked.append(path.name)
            text = path.read_text()
            names = text.partition("\n")[0].split()
            yield path, Unread(f"{path} is damaged or cut off: no end") if "#" in text else [self.probe(one, text) for one in names]

    def probe(self, name: str, text: str) -> Probe:
        rng = np.random.default_rng(len(text))
        vector = person(name.rstrip("!")) + 0.02 * rng.normal(size=16)
        face = Face((1.0, 2.0, 31.0, 42.5), 0.9, np.zeros((68, 2), np.float32))
        quality = Quality(40, 1.0 if "!" in name else 90, 0, 0, 0)
        return Probe(face, quality, np.full((160, 160, 3), 90, np.uint8), vector.astype(np.float32))


def make(folder: Path, photos: dict[str, str]) -> Path:
    for number, (name, text) in enumerate(photos.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n" + "." * number)
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return make(tmp_path / "archive", {
        "a1.jpg": "anna", "a2.jpg": "anna bob", "sub/a3.jpg": "anna carl", "b2.jpg": "bob", "b3.jpg": "bob!", "c2.jpg": "carl~",
        "empty.jpg": "", "torn.jpg": "#",
    })  # fmt: skip


def run(archive: Path, *, reader: Reader | None = None, **asked: list[str] | float | Path) -> Clustered:
    out = asked.pop("out", archive.parent / "out")
    return clustered(archive, out, looks=lambda: reader or Reader(), within=SPACE, **asked)  # pyright: ignore[reportArgumentType]


def people(found: Clustered) -> dict[str, list[str]]:
    return {group.name: sorted(Path(photo).stem for photo in group.photos) for group in found.groups}


def face(found: Clustered, photo: str, number: int = 1) -> str:
    with (found.out / "groups.csv").open() as file:
        return next(row["id"] for row in csv.DictReader(file) if row["photo"] == photo and row["id"].endswith(f"-{number}"))


def test_an_archive_becomes_groups(archive: Path) -> None:
    found = run(archive)
    assert people(found) == {"g1": ["a1", "a2", "a3"], "g2": ["a2", "b2"], "g3": ["c2"], "g4": ["a3"], "poor": ["b3"]}
    left_out = {one.photo: one.why for one in found.left_out}
    assert left_out == {"empty.jpg": "no face", "torn.jpg": "is damaged or cut off: no end"}
    assert (found.photos, found.looked, found.faces) == (8, 8, 8)
    assert sorted(path.relative_to(found.out).as_posix() for path in found.out.rglob("*") if path.is_file()) == sorted(found.files)
    assert "8 faces in 8 photos (8 looked at now), 4 groups, 2 of one face; 1 too poor" in str(found)
    with (found.out / "groups.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert list(rows[0].values()) == ["a1.jpg", "1.0", "2.0", "31.0", "42.5", face(found, "a1.jpg"), "g1"]
    assert face(found, "a1.jpg") == hashlib.sha256((archive / "a1.jpg").read_bytes()).hexdigest()[:10] + "-1"
    assert read_picture(found.out / "sheet.jpg").shape[1] > 900


def test_only_what_is_new_or_changed_is_looked_at(archive: Path) -> None:
    first, reader = run(archive), Reader()
    again = run(archive, reader=reader)
    assert reader.looked == ["torn.jpg"]  # a photo that could not be read may have been copied in full since
    assert again.groups == first.groups

    make(archive, {"new.jpg": "dora"})
    (archive / "b2.jpg").write_text("bob\nretouched")
    (archive / "a1.jpg").rename(archive / "renamed.jpg")
    os.utime(archive / "a2.jpg")  # touched, the same within
    (archive / "sub" / "a3.jpg").unlink()
    reader = Reader()
    now = run(archive, reader=reader)
    assert sorted(reader.looked) == ["b2.jpg", "new.jpg", "torn.jpg"]
    assert people(now) == {"g1": ["a2", "renamed"], "g2": ["a2", "b2"], "g3": ["c2"], "g5": ["new"], "poor": ["b3"]}
    assert sorted(path.name for path in (now.out / "faces").iterdir()) == crops(now)


def test_a_lost_crop_is_made_again(archive: Path) -> None:
    found, reader = run(archive), Reader()
    (found.out / "faces" / f"{face(found, 'b2.jpg')}.jpg").unlink()
    assert run(archive, reader=reader).groups == found.groups
    assert sorted(reader.looked) == ["b2.jpg", "torn.jpg"]


def test_copies_are_one_face(archive: Path) -> None:
    shutil.copy(archive / "a1.jpg", archive / "z_copy.jpg")
    shutil.copy(archive / "torn.jpg", archive / "z_torn.jpg")
    reader = Reader()
    found = run(archive, reader=reader)
    assert "z_copy.jpg" not in reader.looked
    assert (found.faces, found.photos) == (8, 10)
    assert people(found)["g1"] == ["a1", "a2", "a3", "z_copy"]
    assert [one.photo for one in found.left_out] == ["empty.jpg", "torn.jpg", "z_torn.jpg"]
    assert face(found, "a1.jpg") == face(found, "z_copy.jpg")


def test_stopped_and_gone_on(archive: Path) -> None:
    def ctrl_c() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(archive, reader=Reader(3, ctrl_c))
    reader = Reader()
    run(archive, reader=reader)
    assert len(reader.looked) == 5


def crops(found: Clustered) -> list[str]:
    return sorted(Path(file).name for file in found.files if "/" in file)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_killed_and_gone_on(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.tasks.recognize.looking.SAVE", 0.0)
    reader = Reader(4, lambda: os._exit(9))
    killed = multiprocessing.get_context("fork").Process(target=run, args=(archive,), kwargs={"reader": reader})
    killed.start()
    killed.join()
    assert killed.exitcode == 9
    reader = Reader()
    found = run(archive, reader=reader)
    assert len(reader.looked) == 4
    assert people(found)["g1"] == ["a1", "a2", "a3"]
    assert sorted(path.name for path in (found.out / "faces").iterdir()) == crops(found)


def test_what_was_said_outlives_the_run(archive: Path) -> None:
    found = run(archive)
    carl, alike, anna = face(found, "sub/a3.jpg", 2), face(found, "c2.jpg"), face(found, "a1.jpg")
    assert people(run(archive, same=[carl, alike]))["g3"] == ["a3", "c2"]
    assert people(run(archive))["g3"] == ["a3", "c2"]
    parted = run(archive, different=[anna, face(found, "a2.jpg")])
    group = {one: group.name for group in parted.groups for one in group.ids}
    assert group[anna] != group[face(found, "a2.jpg")]
    assert people(run(archive)) == people(parted)
    (found.out / "archive.parquet").unlink()  # what was said outlives what was seen
    assert sorted(people(run(archive)).values()) == sorted(people(parted).values())
    lines = (found.out / "links.json").read_text().splitlines()
    assert f'    ["{carl}", "{alike}"]' in lines
    assert json.loads("\n".join(lines)) == {"same": [[carl, alike]], "different": [[anna, face(found, "a2.jpg")]]}


def test_groups_are_said_to_be_the_same(archive: Path) -> None:
    run(archive)
    found = run(archive, same=["g3", "g1"])
    assert people(found)["g1"] == ["a1", "a2", "a3", "c2"]
    with pytest.raises(ValueError, match="--different was given the group g1, expected faces"):
        run(archive, different=["g1", "g2"])


def test_a_poor_face_that_somebody_knows(archive: Path) -> None:
    found = run(archive)
    assert people(run(archive, same=[face(found, "b3.jpg"), face(found, "b2.jpg")])) == {
        "g1": ["a1", "a2", "a3"], "g2": ["a2", "b2", "b3"], "g3": ["c2"], "g4": ["a3"],
    }  # fmt: skip


def test_two_faces_in_a_photo_are_two_people_unless_said(tmp_path: Path) -> None:
    archive = make(tmp_path / "archive", {"mirror.jpg": "anna anna", "a.jpg": "anna"})
    found = run(archive)
    assert sorted(group.faces for group in found.groups) == [1, 2]
    both = run(archive, same=[face(found, "mirror.jpg", 1), face(found, "mirror.jpg", 2)])
    assert people(both) == {"g1": ["a", "mirror"]}


def test_changing_ones_mind(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(archive)
    one, other, third = face(found, "a1.jpg"), face(found, "a2.jpg"), face(found, "c2.jpg")
    run(archive, different=[one, other])
    assert people(run(archive, same=[other, one]))["g1"] == ["a1", "a2", "a3"]
    assert f"taken back: {one} and {other} are different" in capsys.readouterr().err
    run(archive, same=[one, third])
    before = (found.out / "links.json").read_text()
    told = rf"{third} and {other} are said to be different, and the same \({third} = {one} = {other}\).*links.json"
    with pytest.raises(ValueError, match=told):
        run(archive, different=[third, other])
    assert (found.out / "links.json").read_text() == before


def test_links_to_faces_that_are_gone(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(archive)
    carl, alike = face(found, "sub/a3.jpg", 2), face(found, "c2.jpg")
    run(archive, same=[carl, alike])
    photo = (archive / "c2.jpg").read_text()
    (archive / "c2.jpg").unlink()
    run(archive)
    assert f"no longer there are ignored: {alike}" in capsys.readouterr().err
    (archive / "c2.jpg").write_text(photo)
    assert ["a3", "c2"] in people(run(archive)).values()


def test_numbers_stay_with_the_most_faces() -> None:
    assert numbered(np.array([0, 1, 1, 2, -1]), [-1] * 5, 0).tolist() == [2, 1, 1, 3, 0]
    # group 0 brings most of 7; what was split off gets a number nobody had, though 8 is free
    assert numbered(np.array([0, 0, 0, 1, 1, 2]), [7, 7, 9, 7, -1, -1], 9).tolist() == [7, 7, 7, 10, 10, 11]
    # of two that merge the larger's number stays
    assert numbered(np.array([0, 0, 0]), [2, 5, 5], 5).tolist() == [5, 5, 5]


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open += [tag] if tag not in ("img", "meta") else []
        self.links += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_leads_to_crops_and_photos(tmp_path: Path) -> None:
    archive = make(tmp_path / "<b>&", {"it's <odd> #1?.jpg": "anna", "a 2.jpg": "anna bob", "t.jpg": "#<script>", "b.jpg": "bob bob~"})
    found = run(archive, out=tmp_path / "here" / "out")
    text = (found.out / "index.html").read_text()
    page = Page(text)
    assert page.open == []
    assert "<script" not in text
    files = {unquote(link) for link in page.links if not link.startswith("#")}
    assert {Path(os.path.normpath(found.out / file)) for file in files} == {
        *(found.out / file for group in found.groups for file in group.files),
        *(archive / name for name in ("it's <odd> #1?.jpg", "a 2.jpg", "b.jpg")),
    }
    assert all((found.out / file).is_file() for file in files)
    assert set(re.findall(r"<code>([0-9a-f]{10}-\d+)</code>", text)) == {one for group in found.groups for one in group.ids}


def test_neighbouring_groups_are_asked_about(archive: Path) -> None:
    found = run(archive)
    text = (found.out / "index.html").read_text()
    assert "Perhaps the same" in text
    assert "--same g3 g4</pre>" in text
    run(archive, different=[face(found, "c2.jpg"), face(found, "sub/a3.jpg", 2)])
    assert "Perhaps the same" not in (found.out / "index.html").read_text()


def test_out_within_the_archive(archive: Path) -> None:
    first = run(archive, out=archive / "groups")
    make(first.out, {"holiday.jpg": "eve"})
    reader = Reader()
    assert run(archive, out=archive / "groups", reader=reader).faces == first.faces
    assert run(archive, out=archive.parent / "elsewhere", reader=reader).faces == first.faces
    assert "holiday.jpg" not in reader.looked


def test_photos_are_left_as_they_are(archive: Path) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in archive.rglob("*.jpg")}

    before = state()
    run(archive)
    assert state() == before


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"threshold": 0.0}, "threshold of 0.0, expected a distance above 0"),
        ({"threshold": float("nan")}, "threshold of nan"),
        ({"same": ["abc-1"]}, "--same names abc-1, which is no face here"),
        ({"same": ["g77", "g1"]}, "--same names g77, which is no face here"),
        ({"different": ["poor", "g1"]}, "--different names poor"),
    ],
)
def test_bad_requests(archive: Path, asked: dict[str, list[str]], complaint: str) -> None:
    run(archive)
    with pytest.raises(ValueError, match=complaint):
        run(archive, **asked)


def test_one_face_is_no_link(archive: Path) -> None:
    anna = face(run(archive), "a1.jpg")
    with pytest.raises(ValueError, match=f"--different was given {anna} {anna}, expected two faces or more"):
        run(archive, different=[anna, anna])


def test_bad_folders(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "bare").mkdir()
    make(tmp_path / "faceless", {"x.jpg": "", "y.jpg": "#"})
    make(tmp_path / "films", {"x.mp4": ""})
    for folder, complaint in (
        (tmp_path / "none", "does not exist, expected a folder of photos"),
        (archive / "a1.jpg", "is a file, expected a folder of photos"),
        (tmp_path / "bare", "holds no picture"),
        (tmp_path / "films", "holds no photo .videos: 1."),
        (tmp_path / "faceless", "no face in 2 photos .* expected at least one; x.jpg: no face"),
    ):
        with pytest.raises(ValueError, match=complaint):
            run(folder)
        assert not out.exists()
    with pytest.raises(ValueError, match="is a file, expected a folder for the groups"):
        run(archive, out=archive / "a1.jpg")
    with pytest.raises(ValueError, match="expected two folders"):
        run(archive, out=archive)


def test_the_groups_of_another_archive_or_model(archive: Path, tmp_path: Path) -> None:
    found = run(archive)
    other = make(tmp_path / "other", {"o.jpg": "otto"})
    with pytest.raises(ValueError, match=r"holds the groups of .*archive, of whose 7 photos none is below .*other"):
        run(other)
    moved = archive.rename(tmp_path / "moved")
    assert run(moved).groups == found.groups
    other_space = Space("fake", "other weights", "aligner", "preprocessing", 16)
    with pytest.raises(ValueError, match="holds faces described with weights weights, found other weights now"):
        clustered(moved, found.out, looks=Reader, within=other_space)


def test_damaged_files(archive: Path) -> None:
    out = run(archive).out
    (out / "links.json").write_text('{"same": [[1, 2]]}')
    with pytest.raises(ValueError, match=r"links\.json is damaged .*mend or remove it"):
        run(archive)
    (out / "links.json").unlink()
    (out / "archive.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(ValueError, match=r"archive\.parquet is damaged .* remove it"):
        run(archive)


def test_a_folder_that_cannot_be_written_to_is_found_out_at_once(archive: Path) -> None:
    reader = Reader()
    (archive.parent / "out").mkdir()
    (archive.parent / "out" / "archive.parquet").mkdir()
    with pytest.raises(OSError, match=r"archive\.parquet"):
        run(archive, reader=reader)
    assert reader.looked == []


def test_real_photos(data_dir: Path, tmp_path: Path) -> None:
    try:
        locate("dlib-face")
    except OSError as error:
        pytest.skip(f"the weights cannot be had: {error}")
    names = ("obama.jpg", "obama2.jpg", "biden.jpg", "two_people.jpg")
    for name in names:
        (tmp_path / "archive").mkdir(exist_ok=True)
        shutil.copy(data_dir / "faces" / "portraits" / name, tmp_path / "archive")
    found = clustered(tmp_path / "archive", tmp_path / "out")
    assert people(found)["g1"] == ["obama", "obama2", "two_people"]
    assert people(found)["g2"] == ["biden", "two_people"]
    assert read_picture(found.out / found.groups[0].files[0]).shape == (160, 160, 3)
