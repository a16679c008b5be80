import csv
import json
import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.tasks.training.coordinates import parallel_coordinates, ticks
from mien.tasks.training.space import Choice, Range, Settings
from mien.tasks.training.tune import Trial, proposed, search
from mien.train.figure import INK

SPACE = {
    "lr": Range(1e-5, 1, log=True),
    "dropout": Range(0, 0.8),
    "width": Range(16, 512, log=True, whole=True),
    "net": Choice(("a", "b")),
}


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


def hill(settings: Settings) -> float:
    """1 at lr 10^-2.5, dropout 0.3, any width, net b."""
    lr, dropout = float(settings["lr"]), float(settings["dropout"])
    return 1 - 0.03 * (math.log10(lr) + 2.5) ** 2 - (dropout - 0.3) ** 2 - (0.02 if settings["net"] == "a" else 0)


def near_the_top(settings: Settings) -> bool:
    """Within a factor of 3 and 0.15: 0.19 x 0.375 = 7.2 % of the space."""
    return abs(math.log10(float(settings["lr"])) + 2.5) < 0.477 and abs(float(settings["dropout"]) - 0.3) < 0.15


def plain(trials: tuple[Trial, ...]) -> list[tuple]:
    return [(one.number, one.round, one.settings, one.score, one.note) for one in trials]


def imagined(seed: int, rounds: int, trials: int = 40) -> list[Trial]:
    """A search without files."""
    done: list[Trial] = []
    while len(done) < trials:
        here, settings = proposed(SPACE, done, trials, seed, rounds)
        done.append(Trial(len(done) + 1, here, settings, hill(settings), 0))
    return done


def test_finer_rounds_look_where_it_is_good() -> None:
    searches = {rounds: [imagined(seed, rounds) for seed in range(40)] for rounds in (1, 3)}
    there, missed = {}, {}
    for rounds, found in searches.items():
        there[rounds] = np.mean([sum(near_the_top(one.settings) for one in done[20:]) for done in found])
        missed[rounds] = np.median([1 - max(one.score or 0 for one in done) for done in found])
    assert there[1] == pytest.approx(20 * 0.072, abs=0.5)  # chance
    assert there[3] > 4 * there[1]
    assert missed[3] < missed[1] / 2
    assert [one.round for one in searches[3][0]] == [1] * 20 + [2] * 10 + [3] * 10
    assert searches[3][0][:20] == searches[1][0][:20]  # the coarse round is the random search


def test_a_search_is_what_was_proposed(tmp_path: Path) -> None:
    found = search(hill, SPACE, 8, seed=5, out=tmp_path)
    assert plain(found.trials) == plain(tuple(imagined(5, 3, 8)))
    assert found.best.score == max(one.score for one in found.trials if one.score is not None)


def test_written_down(tmp_path: Path) -> None:
    found = search(hill, SPACE, 6, seed=3, out=tmp_path)
    with (tmp_path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["trial"]), float(row["score"]), float(row["lr"]), int(row["width"]), row["net"]) for row in rows] == [
        (one.number, one.score, one.settings["lr"], one.settings["width"], one.settings["net"]) for one in found.trials
    ]
    best = json.loads((tmp_path / "best.json").read_text())
    assert best == {"score": found.best.score, "trial": found.best.number, "settings": found.best.settings}
    assert all((tmp_path / name).is_file() for name in found.files)
    assert hill(best["settings"]) == best["score"]


class Killed(BaseException):
    """As abrupt as a signal."""


def test_a_killed_search_ends_as_it_would_have(tmp_path: Path) -> None:
    calls = []

    def fragile(settings: Settings) -> float:
        calls.append(settings)
        if len(calls) in (3, 9):
            raise Killed
        return hill(settings)

    whole = search(hill, SPACE, 12, seed=1, out=tmp_path / "whole")
    for _ in range(2):
        with pytest.raises(Killed):
            search(fragile, SPACE, 12, seed=1, out=tmp_path / "torn")
        with (tmp_path / "torn" / "trials.journal").open("a") as file:
            file.write('{"op_code":5,"wor')  # killed while it wrote
    found = search(fragile, SPACE, 12, seed=1, out=tmp_path / "torn")
    assert plain(found.trials) == plain(whole.trials)
    assert len(calls) == 12 + 2
    assert search(fragile, SPACE, 14, seed=1, out=tmp_path / "torn").trials[:12] == found.trials
    assert len(calls) == 14 + 2


def test_failed_trials_are_left_behind(tmp_path: Path) -> None:
    def brittle(settings: Settings) -> float:
        if float(settings["lr"]) > 0.1:
            raise RuntimeError("the loss became nan at step 7\nsecond line")
        return math.nan if float(settings["lr"]) < 1e-4 else hill(settings)

    found = search(brittle, SPACE, 16, seed=2, out=tmp_path)
    notes = {one.note for one in found.trials}
    assert notes == {"", "the loss became nan at step 7", "the score is nan"}
    assert all((one.score is None) == bool(one.note) for one in found.trials)
    assert found.best.score is not None
    again = search(brittle, SPACE, 16, seed=2, out=tmp_path)
    assert again == found


def test_when_all_trials_fail(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="every one of 3 trials failed, the last one: the score is nan"):
        search(lambda _: math.nan, SPACE, 3, seed=0, out=tmp_path)


def test_bad_input_ends_the_search(tmp_path: Path) -> None:
    def no_data(_: Settings) -> float:
        raise ValueError("digits does not exist")

    with pytest.raises(ValueError, match="digits does not exist"):
        search(no_data, SPACE, 3, seed=0, out=tmp_path)
    with pytest.raises(ValueError, match="at least one trial"):
        search(hill, SPACE, 0, seed=0, out=tmp_path)


def test_another_search_in_the_folder(tmp_path: Path) -> None:
    search(hill, SPACE, 2, seed=0, out=tmp_path)
    with pytest.raises(ValueError, match=r"holds a search with another dropout \(Range\(low=0, high=0.8"):
        search(hill, {**SPACE, "dropout": Range(0, 0.5)}, 2, seed=0, out=tmp_path)
    with pytest.raises(ValueError, match=r"holds a search with another seed \(0\)"):
        search(hill, SPACE, 2, seed=1, out=tmp_path)


def test_without_optuna(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(RuntimeError, match=r"pip install 'mien\[tune\]'"):
        search(hill, SPACE, 2, seed=0, out=tmp_path)


def test_ticks_by_hand() -> None:
    heights, labels = zip(*ticks(Range(1e-4, 1e-1, log=True)), strict=True)
    assert labels == ("0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03", "0.1")
    np.testing.assert_allclose(heights[::2], [0, 1 / 3, 2 / 3, 1], atol=1e-12)
    assert ticks(Range(0, 4, whole=True)) == [(0, "0"), (0.25, "1"), (0.5, "2"), (0.75, "3"), (1, "4")]
    assert ticks(Choice(("a", "b"))) == [(0.25, "a"), (0.75, "b")]


def test_scores_stand_where_no_line_runs(tmp_path: Path) -> None:
    """Behind the last axis: before it their labels would cover the lines, or the lines them."""
    trials: list[tuple[Settings, float | None]] = [({"x": x, "y": 1 - x}, 0.9 + x / 100) for x in (0.1, 0.4, 0.8)]
    parallel_coordinates(trials, {"x": Range(0, 1), "y": Range(0, 1)}, tmp_path / "search.png")
    with Image.open(tmp_path / "search.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    ink = (np.abs(pixels - [int(INK[i : i + 2], 16) for i in (1, 3, 5)]).max(axis=2) < 40)[pixels.shape[0] // 10 :]  # below the names
    _, second, last = np.flatnonzero((ink.sum(0) > len(ink) / 2) & (np.roll(ink, 1, 1).sum(0) <= len(ink) / 2))
    assert not ink[:, (second + last) // 2 : last - 1].any()
    assert ink[:, last + 10 :].any()


def orange(path: Path) -> np.ndarray:
    """Rows of the picture in which the best line runs, at a third of the way from the first axis to the second."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    return np.flatnonzero((np.abs(pixels - (0xE0, 0x7B, 0x00)).max(axis=2) < 3)[:, pixels.shape[1] // 4])


def test_the_best_line_is_drawn_over_the_others(tmp_path: Path) -> None:
    space = {"x": Range(0, 1), "lr": Range(1e-4, 1, log=True)}
    trials: list[tuple[Settings, float | None]] = [({"x": 0.1, "lr": 1e-4}, 0.5), ({"x": 0.9, "lr": 1.0}, 0.7)]
    trials.append(({"x": 0.5, "lr": 0.01}, None))
    parallel_coordinates(trials, space, tmp_path / "high.png")
    trials[0] = (trials[0][0], 0.9)
    parallel_coordinates(trials, space, tmp_path / "low.png")
    high, low = orange(tmp_path / "high.png"), orange(tmp_path / "low.png")
    assert 3 <= len(high) <= 12
    assert high.mean() < 200 < 350 < low.mean()
    parallel_coordinates(trials[:1], space, tmp_path / "alone.png")
    assert len(orange(tmp_path / "alone.png")) >= 3
