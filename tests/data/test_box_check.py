import contextlib
import json
from collections import Counter

import numpy as np
import pytest
from box_folders import coco, picture, voc, xml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mien.data.annotations import Item, Record
from mien.data.box_check import look_through
from mien.data.box_faults import KINDS, judged, mended

GOOD = [("cat", 5, 5, 20, 20)]


def kinds(source, **options):
    return Counter(fault.kind for fault in look_through(source, **options).faults)


def test_a_good_set_has_no_faults(tmp_path):
    root = voc(tmp_path, {"a": GOOD, "b": GOOD}, train=["a"], test=["b"])
    looked = look_through(root)
    assert looked.faults == ()
    assert [len(truth) for truth in looked.usable] == [1, 1]


@pytest.mark.parametrize(
    ("box", "kind", "kept"),
    [
        (("cat", 30, 5, 20, 20), "no area", 0),
        (("cat", 20, 5, 20, 20), "one pixel", 0),
        (("cat", 5, 5, 20, 60), "beyond", 1),
        (("cat", 41, 5, 60, 20), "outside", 0),
        (("cat", 0, 5, 20, 20), "counted otherwise", 1),
        (("cat", 5, 5, 41, 20), "counted otherwise", 1),
        (("", 5, 5, 20, 20), "unknown class", 0),
    ],
)
def test_every_bad_box_is_named(tmp_path, box, kind, kept):
    root = voc(tmp_path, {"a": [("dog", 1, 1, 9, 9), box]})
    looked = look_through(root)
    assert kind in {fault.kind for fault in looked.faults}
    assert len(looked.usable[0]) == 1 + kept


def test_boxes_beside_each_other(tmp_path):
    root = voc(tmp_path, {"a": [*GOOD, *GOOD, ("dog", 5, 5, 20, 20), ("dog", 5, 5, 20, 19)]})
    assert kinds(root) == {"duplicate": 1, "two classes": 1, "near duplicate": 1}
    assert look_through(root).usable[0].labels.tolist() == [0, 1, 1]


def test_pictures_and_annotations_that_miss_each_other(tmp_path):
    root = voc(tmp_path, {"a": GOOD, "b": GOOD, "c": [], "d": GOOD, "e": GOOD}, train=["a", "c", "d"], test=["b", "ghost"])
    (root / "JPEGImages" / "a.png").unlink()
    picture(root / "JPEGImages" / "loose.png")
    (root / "JPEGImages" / "d.png").unlink()
    whole = picture(root / "JPEGImages" / "d.jpg")
    whole.write_bytes(whole.read_bytes()[:900])
    (root / "JPEGImages" / "e.png").write_bytes(b"")
    found = kinds(root)
    assert found == {"no picture": 2, "no annotation": 1, "no boxes": 1, "broken picture": 2}  # a, ghost; loose; c; d, e
    assert kinds(root, quick=True)["broken picture"] == 1


def test_damaged_annotations_never_stop_the_check(tmp_path):
    root = voc(tmp_path, {"a": GOOD, "b": GOOD, "c": GOOD, "d": GOOD})
    (root / "Annotations" / "a.xml").write_bytes(b"<annotation><object>")
    (root / "Annotations" / "b.xml").write_text('<?xml version="1.0" encoding="nonsense"?><annotation/>')
    xml(root / "Annotations" / "c.xml", [("cat", "nan", 1, 9, 9), ("cat", "", 1, 9, 9)])
    assert kinds(root)["unreadable"] == 4


@given(text=st.text(max_size=200), cut=st.integers(0, 400))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_xml_stops_the_check(tmp_path, text, cut):
    root = tmp_path
    xml(root / "a.xml", [("cat", 5, 5, 20, 20)])
    whole = (root / "a.xml").read_text()
    (root / "a.xml").write_text(whole[:cut] + text + whole[cut:], encoding="utf-8", errors="replace")
    look_through(root)


def test_sizes_that_disagree(tmp_path):
    root = voc(tmp_path, {"a": GOOD})
    xml(root / "Annotations" / "a.xml", [("cat", 5, 5, 60, 20)], size=(80, 60))
    looked = look_through(root)
    assert [fault.text for fault in looked.faults if fault.kind == "other size"] == ["80 x 60 said, 40 x 30 found"]
    assert looked.usable[0].boxes.tolist() == [[4, 4, 40, 20]]


def test_the_whole_set(tmp_path):
    boxes = {"a": [("Cat", 5, 5, 9, 9)], "b": [("cat", 5, 5, 9, 9)], "c": [("cat", 5, 5, 9, 9)]}
    root = voc(tmp_path, boxes, train=["a", "c"], test=["b", "c"])
    (root / "JPEGImages" / "c.png").write_bytes((root / "JPEGImages" / "b.png").read_bytes())
    assert kinds(root) == {"alike names": 1, "two parts": 2}
    (root / "ImageSets" / "Main" / "train.txt").write_text("a\n")
    assert kinds(root, quick=True)["never learnt"] == 1


def test_coco_faults(tmp_path):
    ones = [(1, 1, 1, 10, 9), (1, 1, 5, 9, 9), (99, 5, 5, 9, 9), (2, 3, 3, 0, 9)]
    path = coco(tmp_path / "set.json", {"a.png": ones, "b.png": [(1, 2, 2, 9, 9)]}, {1: "cat", 2: "dog"})
    (tmp_path / "images" / "b.png").unlink()
    assert kinds(path) == {"counted otherwise": 1, "unknown class": 1, "no area": 1, "no picture": 1}
    path.write_text('{"images": [{"id": 1}, 7, {"id": 2, "file_name": "a.png"}], "annotations": [3, {"image_id": 2, "bbox": [1, 2]},'
                    '{"image_id": 5, "category_id": 1, "bbox": [1, 2, 3, 4]}], "categories": []}')  # fmt: skip
    assert kinds(path)["unreadable"] == 5


SMALL = {"images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}], "categories": [{"id": 1, "name": "cat"}],
         "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0}]}  # fmt: skip
ANYTHING = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
                        lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=4), some, max_size=3), max_leaves=4)


@given(kind=st.sampled_from(("images", "categories", "annotations")), data=st.data(), value=ANYTHING)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_stops_the_check_but_in_words(tmp_path, kind, data, value):
    table = json.loads(json.dumps(SMALL))
    key = data.draw(st.sampled_from(sorted(table[kind][0])))
    table[kind][0][key] = value
    (tmp_path / "set.json").write_text(json.dumps(table))
    if not (tmp_path / "a.png").exists():
        picture(tmp_path / "a.png")
    if kind == "categories":
        with contextlib.suppress(ValueError):  # there is no data set without its classes
            look_through(tmp_path, quick=True)
    else:
        assert len(look_through(tmp_path, quick=True).usable) >= 1


def test_bccd(data_dir):
    root = data_dir / "detect" / "bccd"
    if not root.is_dir():
        pytest.skip("no BCCD here")
    looked = look_through(root, quick=True)
    assert Counter(fault.kind for fault in looked.faults) == {"near duplicate": 7, "one pixel": 2}
    assert sum(map(len, looked.usable)) == 4886


@given(corners=st.tuples(*[st.floats(-60, 120, allow_subnormal=False)] * 4))
def test_what_is_kept_lies_in_the_picture(corners):
    kind, box = judged(Item("cat", corners), ("cat",), (40, 30))
    assert kind == "" or kind in KINDS
    if box is not None:
        assert 0 <= box[0] < box[2] - 1
        assert 0 <= box[1] < box[3] - 1
        assert box[2] <= 40
        assert box[3] <= 30


def test_mended_boxes_are_kept_once(tmp_path):
    record = Record("a", "a.png", tmp_path, tmp_path, (40, 30), (Item("cat", (-9.0, 0, 9, 9)), Item("cat", (0.0, 0, 9, 9))))
    truth, faults = mended(record, ("cat",), (40, 30))
    assert len(truth) == 1
    assert Counter(fault.kind for fault in faults) == {"beyond": 1, "duplicate": 1}
    assert np.array_equal(truth.boxes, [[0, 0, 9, 9]])


def test_a_picture_that_its_camera_wants_turned(tmp_path):
    root = voc(tmp_path, {"a": [("cat", 5, 5, 20, 36)]})
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(root / "JPEGImages" / "a.png").save(root / "JPEGImages" / "a.png", exif=exif)
    looked = look_through(root)
    assert Counter(fault.kind for fault in looked.faults) == {"other size": 1, "turned": 1}  # the XML speaks of 40 x 30
    assert looked.usable[0].boxes.tolist() == [[4, 4, 20, 36]]  # inside the upright 30 x 40
