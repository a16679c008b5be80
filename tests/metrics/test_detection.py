import time

import numpy as np
import pytest
from faster_coco_eval import COCO, COCOeval_faster
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.metrics.coco import coco_scores
from mien.metrics.detection import all_points, curves, eleven_points, mean
from mien.metrics.overlap import iou
from mien.types import Detections


def boxes(*corners) -> np.ndarray:
    return np.array(corners, np.float32).reshape(-1, 4)


def scene(seed: int, pictures: int = 12, classes: int = 3, objects: int = 6, hard: float = 0.15) -> tuple[list, list]:
    """Pictures with boxes of all sizes, and detections that are near them, doubled, of another class, or nowhere."""
    rng = np.random.default_rng(seed)
    truths, found = [], []
    for _ in range(pictures):
        count = int(rng.integers(0, objects))
        corner, side = rng.uniform(0, 300, (count, 2)), np.exp(rng.uniform(2, 5.3, (count, 2)))
        truth = Detections.of(np.concatenate([corner, corner + side], 1).round(1), rng.integers(0, classes, count),
                              difficult=rng.random(count) < hard)  # fmt: skip
        picked = rng.integers(0, max(count, 1), 2 * count)
        near = truth.boxes[picked] + rng.normal(0, 0.1, (len(picked), 4)) * np.tile(side[picked], 2) if count else np.zeros((0, 4))
        far = rng.uniform(0, 300, (5, 4))
        far[:, 2:] = far[:, :2] + np.abs(far[:, 2:]) / 4 + 1
        labels = np.where(rng.random(len(picked)) < 0.15, rng.integers(0, classes, len(picked)), truth.labels[picked] if count else 0)
        both = np.concatenate([near, far])
        both[:, 2:] = np.maximum(both[:, 2:], both[:, :2] + 0.5)
        scores = rng.random(len(both)).round(2)  # some are alike
        found.append(Detections.of(both, np.concatenate([labels, rng.integers(0, classes, 5)]), scores))
        truths.append(truth)
    return truths, found


def oracle(truths: list[Detections], found: list[Detections], classes: int) -> np.ndarray:
    """faster-coco-eval's twelve figures, -1 where there is nothing."""
    annotations, results = [], []
    for picture, (truth, one) in enumerate(zip(truths, found, strict=True), 1):
        for box, label, hard in zip(truth.boxes.astype(float), truth.labels, truth.difficult, strict=True):
            w, h = box[2:] - box[:2]
            annotations.append({"id": len(annotations) + 1, "image_id": picture, "category_id": int(label) + 1, "area": w * h,
                                "bbox": [box[0], box[1], w, h], "iscrowd": int(hard)})  # fmt: skip
        for box, label, score in zip(one.boxes.astype(float), one.labels, one.scores, strict=True):
            w, h = box[2:] - box[:2]
            results.append({"image_id": picture, "category_id": int(label) + 1, "bbox": [box[0], box[1], w, h], "score": float(score)})
    table = {"images": [{"id": i + 1} for i in range(len(truths))], "annotations": annotations,
             "categories": [{"id": i + 1, "name": str(i)} for i in range(classes)]}  # fmt: skip
    truth = COCO(table)
    ran = COCOeval_faster(truth, truth.loadRes(results), iouType="bbox")
    ran.evaluate()
    ran.accumulate()
    ran.summarize()
    return np.array(ran.stats[:12])


@pytest.mark.parametrize("seed", range(6))
def test_coco_figures_are_those_of_the_oracle(seed):
    truths, found = scene(seed)
    ours, theirs = coco_scores(truths, found, 3), oracle(truths, found, 3)
    for name, place in (("ap", 0), ("ap50", 1), ("ap75", 2), ("small", 3), ("medium", 4), ("large", 5), ("recall", 8)):
        assert getattr(ours, name) == pytest.approx(theirs[place], abs=1e-6), name


def test_only_the_best_hundred_count():
    truths, found = scene(1, pictures=2)
    drawn = lambda count: np.random.default_rng(0).random(count).round(3)
    many = [Detections.of(np.tile(one.boxes, (30, 1)), np.tile(one.labels, 30), drawn(30 * len(one))) for one in found]
    assert coco_scores(truths, many, 3).ap == pytest.approx(oracle(truths, many, 3)[0], abs=1e-6)


def test_by_hand():
    """Two cats; the surest detection is right, the second a duplicate, the third right: precision 1, 1/2, 2/3, recall 1/2, 1/2, 1."""
    truth = Detections.of(boxes((0, 0, 10, 10), (20, 0, 30, 10)), [0, 0])
    one = Detections.of(boxes((0, 0, 10, 9), (0, 0, 9, 10), (20, 1, 30, 10)), [0, 0, 0], [0.9, 0.8, 0.7])
    (curve,) = curves([truth], [one], 1)
    assert curve.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    assert curve.recall.tolist() == [0.5, 0.5, 1]
    assert curve.ap == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert curve.ap11 == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)


def test_difficult_boxes_neither_help_nor_hurt():
    truth = Detections.of(boxes((0, 0, 10, 10), (20, 0, 30, 10)), [0, 0], difficult=[False, True])
    one = Detections.of(boxes((20, 0, 30, 10), (20, 0, 30, 9), (0, 0, 10, 10)), [0, 0, 0], [0.9, 0.8, 0.7])
    (curve,) = curves([truth], [one], 1)
    assert curve.objects == 1
    assert curve.ap == curve.ap11 == 1
    assert coco_scores([truth], [one], 1).ap == 1


def test_a_detection_belongs_to_the_box_it_overlaps_most():
    """As VOC's own program: it is a duplicate even though another free box overlaps enough."""
    truth = Detections.of(boxes((0, 0, 10, 10), (0, 2, 10, 12)), [0, 0])
    one = Detections.of(boxes((0, 0, 10, 10), (0, 0.5, 10, 10.5)), [0, 0], [0.9, 0.8])
    assert curves([truth], [one], 1)[0].recall.tolist() == [0.5, 0.5]


def test_empty_ones():
    nothing, one = Detections.none(), Detections.of(boxes((0, 0, 4, 4)), [0], [0.5])
    assert np.isnan(curves([nothing], [one], 1)[0].ap)
    assert curves([one], [nothing], 1)[0].ap == curves([one], [nothing], 1)[0].ap11 == 0
    assert np.isnan(coco_scores([nothing], [nothing], 2).ap)
    assert coco_scores([one], [nothing], 1).ap == 0
    assert np.isnan(mean([float("nan")]))
    assert mean([1.0, float("nan"), 0.0]) == 0.5
    with pytest.raises(ValueError, match="2 pictures with true boxes and 1"):
        curves([one, one], [one], 1)


@given(hits=st.lists(st.booleans(), min_size=1, max_size=30))
def test_both_areas_lie_in_the_unit_square_and_grow_with_better_order(hits):
    ranked = lambda flags: (np.cumsum(flags) / max(sum(flags), 1), np.cumsum(flags) / np.arange(1, len(flags) + 1))
    for area in (all_points, eleven_points):
        assert 0 <= area(*ranked(hits)) <= area(*ranked(sorted(hits, reverse=True))) <= 1


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_iou_is_that_of_painted_pixels(seed):
    corner = np.random.default_rng(seed).integers(0, 20, (2, 2, 2))
    pair = np.concatenate([corner.min(1), corner.max(1) + 1], 1)
    grids = np.zeros((2, 22, 22), bool)
    for grid, (x1, y1, x2, y2) in zip(grids, pair, strict=True):
        grid[y1:y2, x1:x2] = True
    assert iou(pair[:1], pair[1:])[0, 0] == pytest.approx((grids[0] & grids[1]).sum() / (grids[0] | grids[1]).sum())


def test_voc_and_coco_agree_at_one_overlap_where_nothing_is_doubtful():
    truths, found = scene(3, hard=0)
    fine = np.mean([all_points(c.recall, c.precision) for c in curves(truths, found, 3)])
    assert coco_scores(truths, found, 3).ap50 == pytest.approx(fine, abs=0.03)  # 101 points, and another box where two overlap enough


def test_scores_of_a_test_set_take_seconds():
    truths, found = scene(0, pictures=72, objects=25)
    began = time.monotonic()
    coco_scores(truths, found, 3)
    assert time.monotonic() - began < 5
