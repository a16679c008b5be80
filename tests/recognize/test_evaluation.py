from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from made_up import look, pictures

from mien.cli import json_text
from mien.tasks.recognize.evaluation import evaluate
from mien.tasks.recognize.figures import Seen
from mien.tasks.recognize.pairs import Labelled, Listed


def test_counts_of_a_folder() -> None:
    labelled, seen = pictures(12, 4)
    found = evaluate(labelled, look(seen)).evaluated
    assert (found.pictures, found.people) == (48, 12)
    assert (found.same_pairs, found.different_pairs) == (12 * 6, 48 * 47 // 2 - 72)
    assert found.failure_to_acquire.count == found.lost_same == found.lost_different == 0
    assert 0.9 < found.auc.value <= 1
    assert found.auc.low <= found.auc.value <= found.auc.high
    assert [line.asked for line in found.tar_at_far] == [0.1, 0.01, 0.001]
    assert [line.supported for line in found.tar_at_far] == [True, True, False]
    assert found.tar_with_failures == tuple(line.tar.value for line in found.tar_at_far)
    assert [line.ways for line in found.one_shot] == [2, 5, 12]
    assert found.accuracy[0].source.startswith("other people of the same pictures")
    assert found.threshold == found.accuracy[0].threshold
    assert found.false_match.total == found.different_pairs
    assert json_text(found).startswith("{")
    assert "48 pictures of 12 people" in str(found)


def test_perfect_vectors_are_perfect_everywhere() -> None:
    labelled, seen = pictures(12, 3, spread=0.01)
    found = evaluate(labelled, look(seen), 0.3).evaluated
    assert found.auc.value == 1
    assert found.eer.value == 0
    assert found.accuracy[0].right.value == 1
    assert found.rank1 is not None
    assert found.rank1.value == 1
    assert all(line.right.value == 1 for line in found.one_shot)
    assert found.strangers[0].false_alarm.value == 0
    assert found.strangers[0].identified.value == 1


def test_useless_vectors_are_chance() -> None:
    labelled, _ = pictures(20, 4)
    random = np.random.default_rng(3)
    seen = {path: Seen(random.normal(size=8).astype(np.float32)) for path in labelled.paths}
    found = evaluate(labelled, look(seen)).evaluated
    assert found.auc.value == pytest.approx(0.5, abs=0.08)
    assert found.eer.value == pytest.approx(0.5, abs=0.08)
    assert found.one_shot[0].right.value == pytest.approx(0.5, abs=0.08)


def test_pictures_without_a_face_are_counted_and_named() -> None:
    labelled, seen = pictures(6, 3, spread=0.01)
    bad = labelled.paths[4]
    seen[bad] = Seen(None, "no face was found")
    found = evaluate(labelled, look(seen), 0.3).evaluated
    assert found.failures == ((bad, "no face was found"),)
    assert found.failure_to_acquire.value == pytest.approx(1 / 18)
    # it would have been in two same-person pairs and 15 different-person pairs
    assert (found.lost_same, found.lost_different) == (2, 15)
    assert found.same_pairs == 16
    assert found.tar_at_far[0].tar.value == 1
    assert found.tar_with_failures[0] == pytest.approx(16 / 18)
    assert found.accuracy[0].with_failures == pytest.approx((18 * 17 / 2 - 17) / (18 * 17 / 2))
    assert found.rank1_with_failures == pytest.approx(17 / 18)


def test_a_threshold_from_elsewhere() -> None:
    labelled, seen = pictures(6, 3)
    measured = evaluate(labelled, look(seen), 1.5, "the door's calibration")
    found, distances, same = measured.evaluated, measured.pairs.distances, measured.pairs.same
    assert found.threshold == 1.5
    assert found.accuracy[0].source == "the door's calibration"
    assert found.accuracy[0].right.value == pytest.approx(((distances <= 1.5) == same).mean())
    assert found.false_match.value == pytest.approx((distances[~same] <= 1.5).mean())
    assert found.false_non_match.value == pytest.approx((distances[same] > 1.5).mean())


def test_groups_are_measured_within_themselves() -> None:
    labelled, seen = pictures(12, 4, groups=True)
    for path, name in zip(labelled.paths, labelled.people, strict=True):
        if int(name[1:]) % 2:  # the left group has no faces that differ
            seen[path] = Seen(np.full(8, 0.1, np.float32) + 0.001 * len(seen))
    left, right = evaluate(labelled, look(seen), 0.5).evaluated.groups
    assert (left.name, left.pictures, left.people) == ("left", 24, 6)
    assert left.false_match.value == 1
    assert left.false_match.total == 24 * 23 // 2 - 6 * 6
    assert left.auc == pytest.approx(0.5)
    assert right.false_match.value < 0.1


def test_listed_pairs_in_folds_and_with_groups() -> None:
    labelled, seen = pictures(10, 4)
    random = np.random.default_rng(0)
    first = np.repeat(np.arange(40), 2)
    own, other = np.arange(40) // 4 * 4 + (np.arange(40) + 1) % 4, (np.arange(40) + 4 * random.integers(1, 9, 40)) % 40
    second = np.stack([own, other], 1).ravel()
    same = first // 4 == second // 4
    listed = Listed(first, second, same, np.arange(80) // 8, tuple("xy"[number % 4 // 2] for number in range(80)))
    labelled = Labelled(labelled.paths, labelled.people, None, listed, False, "listed")
    seen[labelled.paths[0]] = Seen(None, "blurred")
    found = evaluate(labelled, look(seen)).evaluated
    lost = ((first == 0) | (second == 0)).sum()
    assert found.same_pairs + found.different_pairs == 80 - lost
    assert found.lost_same + found.lost_different == lost
    assert found.accuracy[0].source == "the other 9 folds"
    assert found.accuracy[0].standard_error is not None
    assert {group.name for group in found.groups} == {"x", "y"}
    # who is who across the list is not known, so nobody is searched for
    assert found.rank1 is None
    assert found.strangers == found.one_shot == ()


def test_nothing_usable() -> None:
    labelled, seen = pictures(3, 2)
    none = {path: Seen(None, "too dark") for path in seen}
    with pytest.raises(ValueError, match=r"none of 6 pictures has a usable face: too dark"):
        evaluate(labelled, look(none))
    one = {path: seen[path] if path in labelled.paths[:2] else Seen(None, "too dark") for path in seen}
    with pytest.raises(ValueError, match="no different-person pair is left: 4 of 6 pictures have no usable face"):
        evaluate(labelled, look(one))

    def short(paths: Sequence[Path]) -> list[Seen]:
        return [seen[path] for path in paths[1:]]

    with pytest.raises(ValueError, match="5 answers for 6 pictures"):
        evaluate(labelled, short)
