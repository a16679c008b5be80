"""What the bundled detectors find in pictures they never saw."""

from pathlib import Path

import numpy as np
import pytest

from mien.data.pictures import read_picture
from mien.models.detectors import known, opened
from mien.weights import card


def test_both_are_here_and_small() -> None:
    assert {"faces", "cells"} <= set(known())
    for name in ("mien-detect-faces", "mien-detect-cells"):
        assert card(name).size < 3_000_000


@pytest.mark.parametrize("name", ["faces", "cells"])
def test_in_an_even_picture_there_is_nothing(name: str) -> None:
    assert len(opened(name)(np.full((200, 300, 3), 128, np.uint8))) == 0


def test_a_face(data_dir: Path) -> None:
    """The brows to the chin of a portrait of nobody: about the middle third."""
    found = opened("faces")(read_picture(data_dir / "faces" / "generated" / "female_96.jpg"))
    assert len(found) == 1
    x1, _, x2, _ = found.boxes[0]
    assert 0.2 < (x2 - x1) / 512 < 0.7
    assert abs((x1 + x2) / 2 - 256) < 100
    assert found.scores[0] > 0.9


def test_cells(data_dir: Path) -> None:
    detector = opened("cells")
    found = detector(read_picture(data_dir / "detect" / "bccd" / "JPEGImages" / "BloodImage_00062.jpg"))  # of the test part
    count = [int((found.labels == label).sum()) for label in range(3)]
    assert detector.plan.names == ("Platelets", "RBC", "WBC")
    assert count[2] == 1
    assert count[0] >= 1
    assert 8 <= count[1] <= 18
