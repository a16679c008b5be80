"""`mien detect` and `mien detect train`, from files to files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toy import toy_set

from mien.cli import main
from mien.data.pictures import read_picture
from mien.data.video import VideoInfo, VideoWriter
from mien.models.detector import read_plan
from mien.tasks.detect import recipes
from mien.train.detect_session import learn_detector, prepare


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of two steps: it finds nothing in particular."""
    root = tmp_path_factory.mktemp("detect")
    recipe = replace(recipes.own(), batch=2, side=64, longest=96, watched="", average=0.0, proposals=20, epochs=0.6)
    learned = learn_detector(recipe, toy_set(root / "data"), root / "run")
    assert learned.names == ("red", "blue")
    assert set(learned.ap50) == {"red", "blue", "mean"}
    assert {path.name for path in (root / "run").iterdir()} >= {*learned.files} - {"curves.png"}
    return root / "run"


def test_the_card_says_what_it_is(run: Path) -> None:
    text = (run / "card.toml").read_text()
    assert 'kind = "detector"' in text
    assert "finds red, blue" in text
    assert "AP50 mean" in text
    assert read_plan(run / "model.safetensors").names == ("red", "blue")


def test_a_picture(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out, results = run.parent / "data" / "images" / "test1.png", tmp_path / "o.png", tmp_path / "r.json"
    goals = ["--out", str(out), "--results", str(results)]
    assert main(["detect", str(source), "--model", str(run), *goals, "--least", "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["width"], told["height"]) == (64, 64)
    assert told["found"]
    assert {"name", "score", "box"} <= set(told["found"][0])
    assert read_picture(out).shape == (64, 64, 3)
    rows = json.loads(results.read_text())
    assert len(rows) == len(told["found"])
    assert rows[0]["image_id"] == "test1"
    x, y, wide, tall = rows[0]["bbox"]
    assert [x, y, x + wide, y + tall] == pytest.approx(told["found"][0]["box"], abs=0.2)


def test_results_take_the_numbers_of_a_data_set(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, results = run.parent / "data", tmp_path / "r.json"
    table = json.loads((data / "test.json").read_text())
    table["categories"] = [{"id": 7, "name": "blue"}, {"id": 90, "name": "green"}]
    for one in table["annotations"]:
        one["category_id"] = 7
    (data / "images" / "other.json").write_text(json.dumps(table))
    goals = ["--model", str(run), "--results", str(results), "--like", str(data / "images" / "other.json"), "--least", "0"]
    try:
        assert main(["detect", str(data / "images" / "test2.png"), *goals, "--json"]) == 0
        told = capsys.readouterr()
        assert "does not have red: left out of the results" in told.err
        blue = [one for one in json.loads(told.out)["found"] if one["name"] == "blue"]
        rows = json.loads(results.read_text())
        assert len(rows) == len(blue)
        assert {(row["image_id"], row["category_id"]) for row in rows} == {(2, 7)}
        assert main(["detect", str(data / "images"), "--model", "faces", *goals[2:]]) == 2
        assert "does not have face, all that is looked for; it has blue, green" in capsys.readouterr().err
        assert main(["detect", str(data / "images"), "--like", str(data)]) == 2
        assert "no --results are asked for" in capsys.readouterr().err
    finally:
        (data / "images" / "other.json").unlink()


def test_a_folder_with_a_broken_file(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("RGB", (50, 700)).save(folder / "long.jpg")
    (folder / "broken.png").write_bytes(b"\x89PNG nothing")
    with VideoWriter(folder / "clip.mp4", VideoInfo(64, 48)) as clip:
        for number in range(3):
            clip.write(np.full((48, 64, 3), 40 * number, np.uint8), number * 512)
    assert main(["detect", str(folder), "--model", str(run), "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(Path(one["input"]).name for one in told["made"]) == ["clip.mp4", "long.jpg"]
    assert len(told["skipped"]) == 1
    assert (tmp_path / "out" / "clip.mp4").is_file()
    assert (tmp_path / "out" / "long.jpg").is_file()


@pytest.mark.parametrize(("more", "expected"), [
    (["--model", "nothing"], "no model 'nothing'"),
    (["--least", "2"], "a score of 2"),
    (["--scale", "0"], "a scale of 0"),
    (["--results", "r.txt"], "written as .json"),
    (["--out", "o.gif"], "cannot write .gif"),
])  # fmt: skip
def test_bad_input(run: Path, capsys: pytest.CaptureFixture[str], more: list[str], expected: str) -> None:
    model = [] if "--model" in more else ["--model", str(run)]
    assert main(["detect", str(run.parent / "data" / "images" / "test1.png"), *model, *more]) == 2
    assert expected in capsys.readouterr().err


def test_a_folder_is_not_its_own_output(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", str(tmp_path), "--model", str(run), "--out", str(tmp_path)]) == 2
    assert "the folder itself" in capsys.readouterr().err


def test_training_by_the_verb(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(run.parent / "data")
    assert main(["detect", "train", data, "--minutes", "0.005", "--side", "64", "--out", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reason"] == "minutes"
    assert main(["detect", "train", data, "--minutes", "0.005", "--side", "64", "--out", str(tmp_path / "run")]) == 2
    assert "--resume" in capsys.readouterr().err


def test_bad_recipes(run: Path, tmp_path: Path) -> None:
    data = run.parent / "data"
    with pytest.raises(ValueError, match="no class green"):
        prepare(replace(recipes.own(), names=("green",)), data)
    with pytest.raises(ValueError, match="trains a FastRCNN"):
        learn_detector(replace(recipes.own(), how="fast", watched="", tested=""), data, tmp_path / "x")
    with pytest.raises(ValueError, match="side cannot be 9"):
        replace(recipes.own(), side=9)


def test_one_class_of_several(run: Path) -> None:
    ready = prepare(replace(recipes.own(), names=("blue",), side=64, watched=""), run.parent / "data")
    assert ready.names == ("blue",)
    assert {label for _, truth in ready.train for label in truth.labels.tolist()} == {0}
    assert sum(len(truth) for _, truth in ready.train) == len(ready.train)


def test_going_on_from_another_model_keeps_all_but_the_last_layers(run: Path) -> None:
    from mien.models.detector import load
    from mien.train.detect_session import begun

    before, _ = load(run / "model.safetensors")
    after = begun(replace(recipes.own(), start=str(run)), ("x", "y", "z"))
    assert after.classify.out_features == 4
    assert (after.proposer.conv.weight == before.proposer.conv.weight).all()  # type: ignore[union-attr]


def test_earlier_generations_may_begin_with_the_same_convolutions(run: Path) -> None:
    from mien.models.detector import load
    from mien.models.localiser import Localiser
    from mien.train.detect_session import begun, convolutions

    before, _ = load(run / "model.safetensors")
    wanted = before.state_dict()["body.stages.1.0.0.weight"]
    for network, how, part in (("mien-fast", "fast", "body"), ("mien-rcnn", "rcnn", "features"), ("localiser", "one", "body")):
        after = begun(replace(recipes.own(), network=network, how=how, start=str(run)), ("red", "blue")).state_dict()  # type: ignore[arg-type]
        assert (after[f"{part}.stages.1.0.0.weight"] == wanted).all()
    with pytest.raises(ValueError, match="is a mien-detect"):
        convolutions(before.state_dict(), Localiser(2).hidden, "is a mien-detect")  # type: ignore[arg-type]


def test_a_network_on_vgg16_may_begin_with_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    from mien.models import vgg_features
    from mien.models.vgg_features import VGGFeatures
    from mien.train.detect_session import begun

    monkeypatch.setattr(vgg_features, "load", lambda: VGGFeatures(widths=(2, 2, 2, 2, 2)))
    with pytest.raises(ValueError, match=r"start=vgg16 is for .*faster-rcnn-vgg16.*, not for mien-detect: the"):
        begun(replace(recipes.own(), start="vgg16"), ("red", "blue"))
    recipe = recipes.cells_vgg16()
    assert (recipe.start, recipe.cross_border, recipe.network) == ("vgg16", "ignore", "faster-rcnn-vgg16")
