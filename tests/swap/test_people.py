from pathlib import Path

import pytest
from PIL import Image
from portraits import eileen, grace, needs_networks

from mien.tasks.swap.people import gather, named
from mien.weights import find

described = pytest.mark.skipif(find("dlib-face") is None, reason="no dlib-face weights here")


def test_names_come_from_files_or_from_the_person(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "b.c").mkdir()
    people = named([str(tmp_path / "a.mp4"), f"bob={tmp_path / 'b.c'}"])
    assert people == {"a": tmp_path / "a.mp4", "bob": tmp_path / "b.c"}


def test_one_name_twice(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(ValueError, match=r"two people are called 'a'"):
        named([str(tmp_path / "a.mp4"), str(tmp_path / "a.mp4")])


def test_what_does_not_exist() -> None:
    with pytest.raises(ValueError, match=r"nowhere.mp4 does not exist"):
        named(["x=nowhere.mp4"])


@needs_networks
@described
def test_two_people_in_a_are_a_question(tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    for i in range(2):
        Image.fromarray(grace()).rotate(i).save(folder / f"grace{i}.png")
        Image.fromarray(eileen()).rotate(i).save(folder / f"eileen{i}.png")
    with pytest.raises(ValueError, match=r"both shows 2 people .*keep SET --like PHOTO"):
        gather("both", folder, tmp_path / "cache")


@needs_networks
@described
def test_a_folder_without_faces(tmp_path: Path) -> None:
    folder = tmp_path / "sky"
    folder.mkdir()
    Image.new("RGB", (200, 200), (90, 120, 200)).save(folder / "a.png")
    with pytest.raises(ValueError, match=r"face"):
        gather("sky", folder, tmp_path / "cache")


@needs_networks
@described
@pytest.mark.parametrize("there", [False, True])
def test_a_failed_training_leaves_no_empty_folder(tmp_path: Path, there: bool) -> None:
    from mien.tasks.swap.run import train

    Image.new("RGB", (200, 200), (90, 120, 200)).save(tmp_path / "sky.png")
    if there:
        (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match=r"no face in 1 pictures"):
        train([str(tmp_path / "sky.png")], out=tmp_path / "out", steps=1)
    assert sorted(path.name for path in tmp_path.rglob("*")) == (["out"] if there else []) + ["sky.png"]


@needs_networks
@described
def test_faces_found_before_the_failure_are_kept(tmp_path: Path) -> None:
    from mien.tasks.swap.run import train

    Image.fromarray(eileen()).save(tmp_path / "eileen.png")
    Image.new("RGB", (200, 200), (90, 120, 200)).save(tmp_path / "sky.png")
    with pytest.raises(ValueError, match=r"no face in 1 pictures"):
        train([str(tmp_path / "eileen.png"), str(tmp_path / "sky.png")], out=tmp_path / "out", steps=1)
    assert [path.name for path in (tmp_path / "out" / "faces").iterdir()] == ["eileen"]


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty"):
        gather("x", tmp_path / "empty", tmp_path / "cache")
