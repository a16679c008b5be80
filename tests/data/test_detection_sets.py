import json

import numpy as np
import pytest
from box_folders import coco, picture, voc, xml

from mien.data.detection_sets import largest_alone, read_annotations, read_boxes
from mien.types import Detections


def test_voc_corners_count_from_one_and_belong_to_the_box(tmp_path):
    found = read_boxes(voc(tmp_path, {"a": [("cat", 1, 1, 40, 30), ("dog", 3, 4, 10, 20)]}), "all")
    assert found.names == ("cat", "dog")
    assert found.truths[0].boxes.tolist() == [[0, 0, 40, 30], [2, 3, 10, 20]]
    assert found.truths[0].boxes.dtype == np.float32
    assert found.truths[0].labels.tolist() == [0, 1]
    assert found.keys == ("a",)


def test_split_files_are_honoured(tmp_path):
    boxes = {stem: [("cat", 2, 2, 9, 9)] for stem in "abcd"}
    root = voc(tmp_path, boxes, train=["a"], trainval=["a", "b", "c"], cat_train=["d 1"])
    assert [path.stem for path in read_boxes(root, "train").files] == ["a"]
    assert [path.stem for path in read_boxes(root, "val").files] == ["b", "c"]
    assert [path.stem for path in read_boxes(root, "trainval").files] == ["a", "b", "c"]
    assert len(read_boxes(root, "all")) == 4
    with pytest.raises(ValueError, match="no part test: found train, trainval"):
        read_boxes(root, "test")
    with pytest.raises(ValueError, match="expected train, val"):
        read_boxes(root, "tset")


def test_undivided_pictures_are_divided_by_their_names_alone(tmp_path, capsys):
    stems = [f"p{i}" for i in range(60)]
    root = voc(tmp_path, {stem: [("cat", 2, 2, 9, 9)] for stem in stems})
    parts = {split: {path.stem for path in read_boxes(root, split).files} for split in ("train", "val", "test", "trainval")}
    assert parts["train"] | parts["val"] | parts["test"] == set(stems)
    assert parts["train"] | parts["val"] == parts["trainval"]
    assert not parts["trainval"] & parts["test"]
    assert len(parts["train"]) > 40
    assert "not divided" in capsys.readouterr().err
    for stem in stems[:30]:
        (root / "Annotations" / f"{stem}.xml").unlink()
    assert {path.stem for path in read_boxes(root, "test").files} == parts["test"] - set(stems[:30])


def test_folders_called_train_and_valid_are_parts(tmp_path):
    for split, stem in (("train", "a"), ("valid", "b")):
        picture(tmp_path / split / f"{stem}.jpg")
        xml(tmp_path / split / f"{stem}.xml", [("cat", 2, 2, 9, 9)])
    assert [path.name for path in read_boxes(tmp_path, "val").files] == ["b.jpg"]
    assert [path.name for path in read_boxes(tmp_path, "test").files] == ["b.jpg"]  # there is no other


def test_coco_numbers_become_places_in_the_list_of_names(tmp_path):
    path = coco(tmp_path / "set.json", {"a.png": [(7, 1.5, 2, 10, 5), (3, 0, 0, 40, 30, True)], "b.png": []}, {7: "tie", 3: "cat"})
    found = read_boxes(path, "all")
    assert found.names == ("cat", "tie")
    assert found.ids == (3, 7)
    assert found.keys == ("1", "2")
    assert found.truths[0].boxes.tolist() == [[1.5, 2, 11.5, 7], [0, 0, 40, 30]]
    assert found.truths[0].labels.tolist() == [1, 0]
    assert found.truths[0].difficult.tolist() == [False, True]
    assert len(found.truths[1]) == 0
    assert read_boxes(tmp_path, "all").files == found.files


def test_coco_files_of_several_parts(tmp_path):
    names = {1: "cat"}
    (tmp_path / "annotations").mkdir()
    coco(tmp_path / "annotations" / "instances_train2017.json", {"a.png": [(1, 2, 2, 9, 9)]}, names, "../train2017")
    coco(tmp_path / "annotations" / "instances_val2017.json", {"a.png": [(1, 2, 2, 9, 9)]}, names, "../val2017", 50)
    (train,), (val,) = read_boxes(tmp_path, "train").files, read_boxes(tmp_path, "val").files
    assert train.parent.name == "train2017"
    assert val.parent.name == "val2017"


def test_what_is_no_box_set_is_refused_in_words(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        read_boxes(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no boxes: expected VOC"):
        read_boxes(tmp_path)
    (tmp_path / "settings.xml").write_text("<settings/>")
    with pytest.raises(ValueError, match="holds no boxes: expected VOC"):
        read_boxes(tmp_path)
    (tmp_path / "broken.json").write_text('{"images": [')
    with pytest.raises(ValueError, match="not a whole JSON"):
        read_boxes(tmp_path)
    with pytest.raises(ValueError, match="not a single box"):
        read_boxes(voc(tmp_path / "empty", {"a": [], "b": []}), "all")
    path = coco(tmp_path / "twice.json", {"a.png": []}, {1: "cat"})
    table = json.loads(path.read_text())
    table["categories"].append({"id": 1, "name": "dog"})
    path.write_text(json.dumps(table))
    with pytest.raises(ValueError, match="calls category 1 dog"):
        read_annotations(path)


def test_detections():
    two = Detections.of([[0, 0, 1, 1], [2, 2, 5, 5]], [0, 3], scores=[0.5, 0.25])
    assert len(two) == 2
    assert two.select(two.scores < 0.4).boxes.tolist() == [[2, 2, 5, 5]]
    assert two.select(np.array([1, 0])).labels.tolist() == [3, 0]
    assert Detections.none().boxes.shape == (0, 4)
    with pytest.raises(ValueError, match="1 boxes, 2 labels"):
        Detections.of([[0, 0, 1, 1]], [0, 1])


def test_the_largest_box_of_every_picture(tmp_path):
    part = read_boxes(voc(tmp_path, {"a": [("cat", 2, 2, 9, 9), ("dog", 2, 2, 20, 9)], "b": [], "c": [("cat", 2, 2, 9, 9)]}), "all")
    alone = largest_alone(part)
    assert [path.stem for path in alone.files] == list(alone.keys) == ["a", "c"]
    assert [truth.labels.tolist() for truth in alone.truths] == [[1], [0]]
