import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from mien.cli import main
from mien.faces.faceset import open_set


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eileen Collins three times and Grace Hopper once, both public domain, and one picture without a face."""
    cbook = pytest.importorskip("matplotlib.cbook")
    folder = tmp_path_factory.mktemp("photos")
    eileen = data.astronaut()[:280, 90:370]
    for index in range(3):
        Image.fromarray(np.roll(eileen, 5 * index, axis=0)).save(folder / f"eileen{index}.png")
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        Image.open(file).convert("RGB").save(folder / "grace.png")
    Image.new("RGB", (100, 80), "white").save(folder / "wall.png")
    return folder


@pytest.fixture(scope="module")
def faces(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "set"
    assert main(["faces", "extract", str(photos), "--out", str(out), "--size", "96"]) == 0
    return out


def answer(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> dict:
    capsys.readouterr()
    assert main(["faces", *map(str, words), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_extract_says_who_was_found(photos: Path, faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = answer(capsys, "extract", photos, "--out", faces, "--size", 96)
    assert (said["faces"], said["sources"], said["size"]) == (4, 4, 96)
    assert [one["faces"] for one in said["people"]] == [3, 1]
    assert main(["faces", "extract", str(photos), "--out", str(faces), "--size", "96"]) == 0
    assert "4 faces from 4 files, 2 people:\n  person 0: 3 faces in 3 tracks" in capsys.readouterr().out


@pytest.mark.parametrize(("by", "column", "sign"), [("sharpness", "sharpness", -1), ("pose", "yaw", 1), ("size", "size", -1)])
def test_sort_puts_the_index_in_order(
    faces: Path, capsys: pytest.CaptureFixture[str], by: str, column: str, sign: int
) -> None:
    assert answer(capsys, "sort", faces, "--by", by)["faces"] == 4
    values = np.array(open_set(faces).column(column)) * sign
    assert (np.diff(values) >= 0).all()
    assert answer(capsys, "sort", faces)["by"] == "identity"
    assert open_set(faces).column("person") == [0, 0, 0, 1]


def test_keep_one_person_and_put_all_back(photos: Path, faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = answer(capsys, "keep", faces, "--like", photos / "eileen0.png", photos / "eileen1.png")
    assert (said["kept"], said["aside"]) == (3, 1)
    assert all("eileen" in source for source in open_set(faces).active().column("source"))
    # extraction and sorting leave it at that
    answer(capsys, "extract", photos, "--out", faces, "--size", 96)
    answer(capsys, "sort", faces)
    assert len(open_set(faces).active()) == 3
    assert answer(capsys, "keep", faces, "--all")["kept"] == 4
    assert len(open_set(faces).active()) == 4


def test_keep_takes_the_largest_of_several_faces(
    photos: Path, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = Image.new("RGB", (900, 560), "white")
    pair.paste(Image.open(photos / "eileen0.png").resize((560, 560)), (0, 0))
    pair.paste(Image.open(photos / "grace.png").resize((260, 300)), (600, 100))
    pair.save(tmp_path / "pair.png")
    assert main(["faces", "keep", str(faces), "--like", str(tmp_path / "pair.png")]) == 0
    out, err = capsys.readouterr()
    assert "3 faces kept, 1 set aside" in out
    assert "shows 2 faces: the largest is taken" in err
    assert main(["faces", "keep", str(faces), "--all"]) == 0


def test_bad_input_is_said_in_one_line(
    photos: Path, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wall, eileen = photos / "wall.png", tmp_path / "mirrored.png"
    Image.open(photos / "eileen0.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(eileen)
    cases = {
        ("keep", faces): "--like",
        ("keep", faces, "--all", "--like", eileen): "both",
        ("keep", faces, "--like", wall): "no face in",
        ("keep", faces, "--like", eileen, "--threshold", 0): "above 0",
        ("keep", faces, "--like", eileen, "--threshold", 0.001): "nothing was changed",
        ("sort", photos): "expected a face set",
        ("show", faces, "--columns", 0): "1 to 100",
        ("show", faces, "--out", photos / "sheet.tga"): "cannot write .tga",
        ("extract", wall, "--out", faces.parent / "none"): "no face in 1 pictures",
    }
    for words, why in cases.items():
        assert why in answer(capsys, *words, code=2)["error"]
    assert len(open_set(faces).active()) == 4


def test_show_draws_everybody(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = answer(capsys, "show", faces, "--columns", 2)
    assert (said["shown"], said["faces"], said["people"]) == (4, 4, 2)
    with Image.open(said["sheet"]) as sheet:
        page = np.asarray(sheet)
    shown = open_set(faces)
    # two headings, two rows of the first person and one of the second; the first cell is the first face
    assert page.shape[:2] == (4 + 2 * 26 + 3 * 130, 4 + 2 * 116)
    assert abs(page[30:142, 4:116].mean() - shown.crop(0).mean()) < 6
