import numpy as np
import pytest

from mien.faces.align import MEAN
from mien.faces.extract import Span
from mien.tasks.swap.flicker import Flicker
from mien.tasks.swap.score import landmark_errors


def faces(mouth: np.ndarray) -> np.ndarray:
    """(N, 68, 2): the average face 200 px wide, its mouth opened by so many pixels."""
    points = np.repeat((MEAN * 200)[None], len(mouth), 0)
    points[:, 55:60, 1] += mouth[:, None]
    return points


def test_a_perfect_swap_has_no_error() -> None:
    before = faces(np.array([0.0, 5, 10]))
    assert landmark_errors(before, before) == pytest.approx((0, 0))


def test_other_proportions_are_no_expression_error() -> None:
    before = faces(np.array([0.0, 5, 10]))
    after = before.copy()
    after[:, 48:68, 0] = (after[:, 48:68, 0] - 100) * 1.2 + 100  # a wider mouth, in every frame
    expression, _ = landmark_errors(before, after)
    assert expression < 0.3


def test_a_frozen_face_is_an_expression_error() -> None:
    before = faces(np.array([0.0, 20, 0, 20]))
    frozen = faces(np.zeros(4))
    expression, pose = landmark_errors(before, frozen)
    eyes = 200 * (MEAN[45, 0] - MEAN[36, 0])
    assert expression == pytest.approx(100 * 10 / eyes * 5 / 42, rel=0.02)  # 5 of 42 points are 10 px off on average
    assert pose == pytest.approx(0, abs=1e-6)


def test_a_shifted_face_is_a_pose_error() -> None:
    before = faces(np.zeros(3))
    expression, pose = landmark_errors(before, before + np.array([3, 4]))
    eyes = 200 * (MEAN[45, 0] - MEAN[36, 0])
    assert pose == pytest.approx(100 * 5 / eyes)
    assert expression == pytest.approx(0, abs=1e-6)


def test_flicker_counts_what_the_video_did_not_have() -> None:
    points = (MEAN * 128).astype(np.float32)
    video = [np.full((128, 128, 3), v, np.uint8) for v in (100, 110, 120)]
    same, alternating = Flicker(), Flicker()
    for i, frame in enumerate(video):
        same.see(frame, frame + 5, points)
        alternating.see(frame, frame + (0, 8, 0)[i], points)
    assert same.mean == pytest.approx(0, abs=1e-4)
    assert alternating.mean == pytest.approx(8, abs=0.05)


@pytest.mark.parametrize(("text", "expected"), [("", (0, None)), (":160", (0, 160)), ("160:", (160, None)), ("2:7", (2, 7))])
def test_frame_range(text: str, expected: tuple[int, int | None]) -> None:
    span = Span.parse(text, every=1)
    assert (span.start, span.stop) == expected


@pytest.mark.parametrize("text", ["160", "a:b", "-1:3", "1:2:3"])
def test_no_frame_range(text: str) -> None:
    with pytest.raises(ValueError, match=r"START:STOP"):
        Span.parse(text, every=1)
