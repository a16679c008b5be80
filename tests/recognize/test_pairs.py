from pathlib import Path

import numpy as np
import pytest

from mien.data.pictures import write_picture
from mien.tasks.recognize.pairs import read_labelled


def picture(path: Path, value: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, np.full((4, 4, 3), value, np.uint8))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(["ann/ann_0001", "ann/ann_0002", "ann/ann_0010", "bob/bob_0001", "bob/bob_0002", "cat/cat_0001"]):
        picture(tmp_path / "people" / f"{name}.png", 10 * number)
    return tmp_path / "people"


def test_folder_by_person(folder: Path) -> None:
    found = read_labelled(folder)
    assert [path.stem for path in found.paths] == ["ann_0001", "ann_0002", "ann_0010", "bob_0001", "bob_0002", "cat_0001"]
    assert found.people == ("ann",) * 3 + ("bob",) * 2 + ("cat",)
    assert found.listed is None
    assert found.notes == ()


def test_folder_notes(folder: Path) -> None:
    (folder / "dan").mkdir()
    picture(folder / "stray.png", 200)
    (folder / "bob" / "again.png").write_bytes((folder / "ann" / "ann_0001.png").read_bytes())
    (folder / "bob" / "twice.png").write_bytes((folder / "bob" / "bob_0001.png").read_bytes())
    notes = read_labelled(folder).notes
    assert notes[0] == "1 folders hold no picture: dan"
    assert "1 pictures lie beside the people's folders" in notes[1]
    assert "1 pictures are there under two people's names" in notes[2]
    assert "1 pictures are there more than once under the same name" in notes[3]


def test_groups_beside_the_folders(folder: Path) -> None:
    (folder / "groups.csv").write_text("person,group\nann,x\nbob,y\ncat,x\n")
    assert read_labelled(folder).groups == ("x", "x", "x", "y", "y", "x")
    (folder / "groups.csv").write_text("person,group\nann,x\nbob,y\n")
    with pytest.raises(ValueError, match="names no group for cat"):
        read_labelled(folder)


def test_lfw_in_folds(folder: Path, tmp_path: Path) -> None:
    lines = ["2 1", "ann 1 10", "ann 1 bob 2", "bob 1 2", "cat 1 ann 2"]
    (tmp_path / "pairs.txt").write_text("\n".join("\t".join(line.split()) for line in lines) + "\n")
    found = read_labelled(tmp_path / "pairs.txt", folder)
    assert found.listed is not None
    assert found.listed.same.tolist() == [True, False, True, False]
    assert found.listed.fold is not None
    assert found.listed.fold.tolist() == [0, 0, 1, 1]
    assert [found.paths[place].stem for place in found.listed.second] == ["ann_0010", "bob_0002", "bob_0002", "ann_0002"]
    assert [found.people[place] for place in found.listed.first] == ["ann", "ann", "bob", "cat"]


def test_lfw_development_form(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "pairsDevTest.txt").write_text("1\nann 1 2\nann 1 bob 1\n")
    found = read_labelled(tmp_path / "pairsDevTest.txt", folder)
    assert found.listed is not None
    assert found.listed.fold is None
    assert found.listed.same.tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no pair list of LFW's form"),
        ("hello\n", "no pair list of LFW's form"),
        ("2\nann 1 2\n", "lists 1 pairs, but its first line says 1 x 2 x 2 = 4"),
        ("1\nann 1 2\nann 1\n", "line 3: found 'ann 1'"),
        ("1\nann 1 9\nann 1 bob 1\n", "ann_0009.jpg does not exist; the folder of pictures is given with --images"),
        ("1\nann one 2\nann 1 bob 1\n", "found 'one' where the number"),
        ("1\nann 1 2\nbob 1 2\n", "lists no different-person pair among 2"),
    ],
)
def test_lfw_that_is_wrong(folder: Path, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_labelled(tmp_path / "pairs.txt", folder)


@pytest.mark.parametrize(("name", "mark"), [("pairs.csv", ","), ("pairs.tsv", "\t"), ("excel.csv", ";")])
def test_table_of_pairs(folder: Path, name: str, mark: str) -> None:
    rows = ["a,b,same,group", "ann/ann_0001.png,ann/ann_0002.png,1,x", "ann/ann_0002.png,ann/ann_0010.png,yes,x",
            "ann/ann_0001.png,bob/bob_0001.png,0,y", "", "bob/bob_0001.png,cat/cat_0001.png,different,y"]  # fmt: skip
    (folder / name).write_text("\ufeff" + "\r\n".join(rows).replace(",", mark), encoding="utf-8")
    found = read_labelled(folder / name)
    assert found.listed is not None
    assert found.listed.same.tolist() == [True, True, False, False]
    assert found.listed.group == ("x", "x", "y", "y")
    # ann's three pictures are one person by way of the second
    assert found.people[0] == found.people[1] == found.people[2]
    assert len(set(found.people)) == 3
    assert not found.names_known


def test_table_of_pictures(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text("picture,person,group\nann/ann_0001.png,Ann,x\nann/ann_0002.png,Ann,x\nbob/bob_0001.png,Bob,y\n")
    found = read_labelled(table, folder)
    assert found.people == ("Ann", "Ann", "Bob")
    assert found.groups == ("x", "x", "y")
    assert found.names_known
    table.write_text("picture,person\nann/ann_0001.png,Ann\nann/ann_0001.png,Bob\n")
    with pytest.raises(ValueError, match="twice"):
        read_labelled(table, folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "columns of nothing; expected"),
        ("x,y\n1,2\n", "columns x, y; expected a, b, same"),
        ("a,b,same\n", "no line below its columns"),
        ("a,b,same\nann/ann_0001.png,ann/ann_0002.png\n", "line 2: found 2 cells, expected 3"),
        ("a,b,same\nann/ann_0001.png,ann/ann_0002.png,maybe\n", "found 'maybe' in the column same"),
        ("a,b,same\nann/ann_0001.png,ann/ann_0001.png,1\n", "line 2: a and b are the same picture"),
        ("a,b,same\nann/ann_0001.png,zed.png,1\n", r"line 2: .*zed\.png does not exist"),
        ("a,b,same\nann/ann_0001.png,bob/bob_0001.png,0\n", "lists no same-person pair among 1"),
        ("a,b,same\nann/ann_0001.png,ann/ann_0002.png,1\nann/ann_0002.png,ann/ann_0001.png,0\n", "but other lines"),
    ],
)
def test_tables_that_are_wrong(folder: Path, text: str, words: str) -> None:
    (folder / "pairs.csv").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_labelled(folder / "pairs.csv")


def test_sources_that_are_wrong(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere does not exist, expected a folder with"):
        read_labelled(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no folders, expected one for each person"):
        read_labelled(folder / "ann")
    with pytest.raises(ValueError, match="none of the forms"):
        read_labelled(folder / "ann" / "ann_0001.png")
    with pytest.raises(ValueError, match="--images goes with a list"):
        read_labelled(folder, folder)
    (folder / "pairs.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not text in UTF-8"):
        read_labelled(folder / "pairs.csv")
    picture(tmp_path / "one" / "ann" / "a.png", 1)
    with pytest.raises(ValueError, match=r"one person only \(ann\)"):
        read_labelled(tmp_path / "one")
    picture(tmp_path / "one" / "bob" / "a.png", 2)
    with pytest.raises(ValueError, match="one picture of everybody"):
        read_labelled(tmp_path / "one")
    (tmp_path / "none" / "ann").mkdir(parents=True)
    with pytest.raises(ValueError, match="none of its 1 folders holds a picture"):
        read_labelled(tmp_path / "none")
