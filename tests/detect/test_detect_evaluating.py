import dataclasses
import json

import numpy as np
import pytest
import torch
from box_folders import coco, voc
from PIL import Image

from mien.cli import main
from mien.data.detection_results import read_results, write_results
from mien.data.detection_sets import read_boxes
from mien.models import detector
from mien.types import Detections

NAMES = {3: "cat", 7: "dog"}


@pytest.fixture
def small(tmp_path):
    """Two pictures with a cat each, one of them with a dog as well."""
    return coco(tmp_path / "set.json", {"a.png": [(3, 2, 2, 10, 10), (7, 20, 10, 12, 12)], "b.png": [(3, 5, 5, 20, 20)]}, NAMES)


def results(path, *rows):
    path.write_text(json.dumps([dict(zip(("image_id", "category_id", "bbox", "score"), row, strict=True)) for row in rows]))
    return path


def test_results_are_measured(small, tmp_path, capsys):
    rows = (1, 3, [2, 2, 10, 10], 0.9), ("b.png", 3, [5, 5, 20, 19], 0.8), (1, 3, [20, 10, 12, 12], 0.7)
    path = results(tmp_path / "found.json", *rows)
    assert main(["detect", "evaluate", str(path), str(small), "--split", "all", "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ap50"] == 0.5  # cats 1, dogs 0
    assert [one["ap50"] for one in told["classes"]] == [1, 0]
    assert all(one["count"] == 0 for one in told["errors"])  # the surest two cats are right, there is no dog among the detections
    assert {one["kind"]: one["cost"] for one in told["errors"]}["class"] == 0.5
    assert told["classes"][0]["precision"] == pytest.approx(2 / 3)
    for name in ("pr.png", "errors.png"):
        assert np.asarray(Image.open(tmp_path / "out" / name)).std() > 5
    again = read_results(tmp_path / "out" / "results.json", read_boxes(small, "all"))
    assert [len(one) for one in again] == [2, 1]
    assert main(["detect", "evaluate", str(path), str(small), "--split", "all"]) == 0
    out = capsys.readouterr().out
    assert "cat         2  1.000" in out
    assert "mean        3  0.500" in out
    assert main(["detect", "evaluate", str(path), str(small), "--split", "all", "--largest", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["localised"] == {"right": 0.5, "classified": 0.5, "placed": 0.5, "overlap": pytest.approx(0.475), "pictures": 2}


def test_written_results_are_read_again(tmp_path):
    part = read_boxes(voc(tmp_path, {"0007": [("cat", 2, 2, 9, 9)], "12": [("dog", 2, 2, 9, 9)]}), "all")
    found = (Detections.of([[1.5, 2, 8, 9]], [1], [0.25]), Detections.none())
    write_results(tmp_path / "results.json", part, found)
    (row,) = json.loads((tmp_path / "results.json").read_text())
    assert row == {"image_id": "0007", "category_id": 2, "bbox": [1.5, 2, 6.5, 7], "score": 0.25}
    first, second = read_results(tmp_path / "results.json", part)
    assert first.boxes.tolist() == [[1.5, 2, 8, 9]]
    assert (first.labels.tolist(), first.scores.tolist(), len(second)) == ([1], [0.25], 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[{", "not a whole JSON"),
        ("{}", "holds dict, expected a list"),
        ('[{"image_id": 1}]', "entry 0 is {'image_id': 1}, expected a list of objects"),
        ('[{"image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4], "score": 1}]', "entry 0 is of class 9"),
        ('[{"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, NaN], "score": 1}]', "a number that is none"),
        ('[{"image_id": 99, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 1}]', "names none of the 2 pictures"),
    ],
)
def test_bad_results_are_refused_in_words(small, tmp_path, capsys, text, expected):
    (tmp_path / "bad.json").write_text(text)
    assert main(["detect", "evaluate", str(tmp_path / "bad.json"), str(small), "--split", "all"]) == 2
    assert expected in capsys.readouterr().err


def test_a_network_is_measured_in_the_classes_of_the_data(small, tmp_path, capsys):
    plan = detector.Plan("mien-detect", ("zebra", "dog"), 64, 96)
    torch.manual_seed(0)
    detector.save(tmp_path / "model.safetensors", detector.build(plan), plan)
    assert main(["detect", "evaluate", str(tmp_path), str(small), "--split", "all", "--json"]) == 0
    said = capsys.readouterr()
    assert "does not know 1 classes of the data set, which are all missed: cat" in said.err
    told = json.loads(said.out)
    assert told["classes"][0]["recall"] == 0
    assert told["seconds"] > 0
    detector.save(tmp_path / "model.safetensors", detector.build(plan), dataclasses.replace(plan, names=("zebra", "horse")))
    assert main(["detect", "evaluate", str(tmp_path), str(small), "--split", "all"]) == 2
    assert "no class in common" in capsys.readouterr().err


def test_other_bad_input(small, tmp_path, capsys):
    good = results(tmp_path / "found.json")
    for words, expected in (
        ([str(good), str(small), "--split", "all", "--least", "2"], "a score of 2"),
        ([str(good), str(small), "--split", "all", "--out", str(good)], "is a file"),
        (["nobody", str(small), "--split", "all"], "no model 'nobody'"),
        ([str(tmp_path / "none.json"), str(small), "--split", "all"], "cannot be read"),
    ):
        assert main(["detect", "evaluate", *words]) == 2
        assert expected in capsys.readouterr().err
