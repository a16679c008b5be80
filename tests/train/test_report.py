from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.train.report import CELL, GAP, HEADING, confusion, curves, mistakes

BLUE, ORANGE = (0x2A, 0x6F, 0xBB), (0xE0, 0x7B, 0x00)
HISTORY = [
    {"step": n, "seconds": n / 2, "loss": 2 / n, "train/accuracy": 1 - 1 / n, "dev/loss": 3 / n, "dev/accuracy": 0.9, "score": 0.9}
    for n in range(1, 9)
]  # fmt: skip


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB")).astype(int)


def has(picture: np.ndarray, colour: tuple[int, int, int], tolerance: int = 2) -> int:
    """How many pixels."""
    return int((np.abs(picture - colour).max(axis=2) <= tolerance).sum())


def test_curves_have_a_panel_a_score(tmp_path: Path) -> None:
    curves(HISTORY, tmp_path / "two.png")
    curves([{"step": one["step"], "loss": one["loss"]} for one in HISTORY], tmp_path / "one.png")
    two, one = pixels(tmp_path / "two.png"), pixels(tmp_path / "one.png")
    assert two.shape[1] == 2 * one.shape[1]
    left, right = two[:, : two.shape[1] // 2], two[:, two.shape[1] // 2 :]
    for panel in (left, right):
        assert has(panel, BLUE) > 300
        assert has(panel, ORANGE) > 300
    assert has(one, BLUE) > 300
    assert has(one, ORANGE) == 0


def test_curves_of_a_loss_that_was_no_number(tmp_path: Path) -> None:
    curves([{"step": 1, "loss": 1.0}, {"step": 2, "loss": float("nan")}, {"step": 3, "loss": 0.01}], tmp_path / "a.png", x="step")
    assert has(pixels(tmp_path / "a.png"), BLUE) > 300
    with pytest.raises(ValueError, match="no evaluation"):
        curves([], tmp_path / "b.png")


def cells(picture: np.ndarray) -> int:
    """Pixels in the colour of mistakes: more red than green than blue."""
    red, green, blue = np.moveaxis(picture, 2, 0)
    return int(((red > green + 10) & (green > blue + 10)).sum())


@pytest.mark.parametrize("count", [2, 10, 26])
def test_confusion_shows_wrong_ones_only_where_there_are(tmp_path: Path, count: int) -> None:
    names = [f"class {place}" for place in range(count)]
    matrix = np.eye(count, dtype=int) * 100
    confusion(matrix, names, tmp_path / "right.png")
    matrix[0, 1], matrix[0, 0] = 2, 98
    confusion(matrix, names, tmp_path / "wrong.png")
    right, wrong = pixels(tmp_path / "right.png"), pixels(tmp_path / "wrong.png")
    assert cells(right) == 0
    assert cells(wrong) > 200  # two of a hundred are seen


def test_confusion_of_a_hundred_classes_fits_a_screen_twice(tmp_path: Path) -> None:
    matrix = np.eye(100, dtype=int) * 100
    matrix[7, 9] = 2
    confusion(matrix, [f"class {place}" for place in range(100)], tmp_path / "a.png")
    picture = pixels(tmp_path / "a.png")
    assert max(picture.shape) < 3000
    assert cells(picture) > 200


def test_confusion_in_percent_of_the_row(tmp_path: Path) -> None:
    drawn = []
    for factor, percent in ((1, True), (10, True), (1, False), (10, False)):
        confusion(np.array([[3, 1], [0, 4]]) * factor, ["a", "b"], tmp_path / "a.png", percent)
        drawn.append(pixels(tmp_path / "a.png")[60:])  # without the title
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[2] != drawn[3]).any()


def test_confusion_needs_a_name_a_class(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is \(3, 3\), expected \(2, 2\) for 2 classes"):
        confusion(np.eye(3), ["a", "b"], tmp_path / "a.png")


def test_worst_mistakes_come_first(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (20, 1, 1, 3), np.uint8)
    labels = np.arange(20) % 2
    predictions = labels.copy()
    predictions[[3, 8, 15]] ^= 1
    sure = np.full(20, 0.99)
    sure[[3, 8, 15]] = 0.6, 0.9, 0.7
    chances = np.where(predictions[:, None] == [0, 1], sure[:, None], 1 - sure[:, None])
    images = np.repeat(np.repeat(colours, 8, 1), 6, 2)
    assert mistakes(images, labels, predictions, chances, ["a", "b"], tmp_path / "a.png", most=2) == 3
    page = pixels(tmp_path / "a.png")
    for place, number in enumerate([8, 15]):
        centre = page[HEADING + CELL // 2, GAP + place * (CELL + GAP) + CELL // 2]
        np.testing.assert_array_equal(centre, colours[number, 0, 0])
    assert (page[HEADING + CELL // 2, GAP + 2 * (CELL + GAP) + CELL // 2] == (250, 250, 248)).all()


def test_no_mistakes_and_grey_pictures(tmp_path: Path) -> None:
    images, labels, chances = np.zeros((4, 8, 8, 1), np.uint8), np.array([0, 1, 0, 1]), np.full((4, 2), 0.5)
    assert mistakes(images, labels, labels, chances, ["a", "b"], tmp_path / "none.png") == 0
    assert mistakes(images, labels, 1 - labels, chances, ["a", "b"], tmp_path / "all.png") == 4
    assert pixels(tmp_path / "none.png").shape[0] == HEADING
    assert has(pixels(tmp_path / "all.png"), (0, 0, 0), 0) >= 4 * CELL * CELL


def test_no_global_state(tmp_path: Path) -> None:
    from matplotlib import pyplot, rcParams

    before = dict(rcParams), pyplot.get_fignums()
    curves(HISTORY, tmp_path / "a.png")
    confusion(np.eye(2), ["a", "b"], tmp_path / "b.png")
    assert (dict(rcParams), pyplot.get_fignums()) == before
