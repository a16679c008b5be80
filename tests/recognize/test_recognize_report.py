import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import look, pictures
from PIL import Image

from mien.metrics.calibration import calibrate
from mien.metrics.intervals import wilson
from mien.tasks.recognize.evaluation import evaluate
from mien.tasks.recognize.figures import Measured, Seen
from mien.tasks.recognize.report import interval, percent, write_report


@pytest.fixture(scope="module")
def measured() -> Measured:
    labelled, seen = pictures(12, 4, spread=0.6, groups=True)
    for place, path in enumerate(labelled.paths):
        seen[path] = replace(seen[path], crop=np.full((40, 30, 3), 5 * place, np.uint8))
    seen[labelled.paths[7]] = Seen(None, "the face is <blurred>")
    return evaluate(replace(labelled, notes=("a note & a warning",)), look(seen))


def test_page_holds_everything_itself(measured: Measured, tmp_path: Path) -> None:
    files = write_report(tmp_path, measured, calibrate(measured.pairs, 0.01, times=10), "Our door", "mien")
    assert [file.name for file in files] == ["report.html", "roc.png", "scores.png", "ranks.png", "strangers.png", "groups.png",
                                             "probability.png"]  # fmt: skip
    page = files[0].read_text("utf-8")
    assert "<title>Our door</title>" in page
    assert not re.findall(r"(?:src|href)='(?!data:)", page)
    assert page.count("data:image/png") == 6
    wrong = (measured.pairs.distances <= measured.evaluated.threshold) != measured.pairs.same
    assert 0 < page.count("data:image/jpeg") <= 2 * wrong.sum()
    for figure in files[1:]:
        with Image.open(figure) as image:
            assert image.width > 800
            assert np.asarray(image.convert("L")).std() > 5


def test_page_says_what_it_found(measured: Measured, tmp_path: Path) -> None:
    found = measured.evaluated
    page = write_report(tmp_path, measured)[0].read_text("utf-8")
    assert f"{percent(1 - found.false_non_match.value)} of pairs of one person are recognised" in page
    assert "Only 12 people" in page
    assert "a note &amp; a warning" in page
    assert "the face is &lt;blurred&gt;" in page
    assert "1 of 48 pictures had no usable face" in page
    assert "Too few pairs of different people for 0.1 %: not shown" in page
    assert all(name in page for name in ("left", "right", "group"))
    assert "probability.png" not in [file.name for file in tmp_path.iterdir()]


def test_page_of_perfect_vectors(tmp_path: Path) -> None:
    labelled, seen = pictures(5, 3, spread=0.01)
    page = write_report(tmp_path, evaluate(labelled, look(seen), 0.3))[0].read_text("utf-8")
    assert "none of 90 pairs of different people is taken for one (the true rate is likely below 4.02 %)" in page
    assert page.count("<p>None.</p>") == 2


@pytest.mark.parametrize(("share", "words"), [(1, "100 %"), (0.99466, "99.47 %"), (0.008, "0.8 %"), (0.00012, "0.012 %"), (0, "0 %")])
def test_shares_for_people(share: float, words: str) -> None:
    assert percent(share) == words


def test_intervals_for_people() -> None:
    assert interval(wilson(5, 10)) == "23.66 % to 76.34 %"
