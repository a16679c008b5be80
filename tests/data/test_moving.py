"""Pictures that move, and the lessons that leave some."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.data.moving import LAST, write_moving
from mien.tasks.lesson.look import execute


def frames() -> list[np.ndarray]:
    return [np.full((12, 20, 3), 60 * i, np.uint8) for i in range(4)]


def test_every_frame_comes_back_and_the_last_stays(tmp_path: Path) -> None:
    write_moving(tmp_path / "a.webp", frames(), 80)
    with Image.open(tmp_path / "a.webp") as moving:
        assert (moving.format, moving.n_frames, moving.size) == ("WEBP", 4, (20, 12))  # pyright: ignore[reportAttributeAccessIssue]
        for i in range(4):
            moving.seek(i)
            assert np.abs(np.asarray(moving.convert("RGB")).astype(int) - 60 * i).max() <= 4
            assert moving.info["duration"] == (80 if i < 3 else LAST)


def test_what_cannot_move_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="found 0 of 0 sizes"):
        write_moving(tmp_path / "a.webp", [])
    with pytest.raises(ValueError, match="found 2 of 2 sizes"):
        write_moving(tmp_path / "a.webp", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)])
    assert not (tmp_path / "a.webp").exists()


def test_a_lesson_that_leaves_frames_gets_its_animation(tmp_path: Path) -> None:
    lesson = tmp_path / "lesson.py"
    lesson.write_text("import matplotlib.pyplot as plt\nimport numpy as np\nplt.plot([0, 1])\n"
                      "frames = [np.full((8, 8, 3), i, np.uint8) for i in (0, 200)]\nnumbers = {'a': 1.0}\n")  # fmt: skip
    found, _ = execute(lesson, tmp_path / "picture.png", None, tmp_path / "moving.webp")
    assert found == {"a": 1.0}
    assert (tmp_path / "moving.webp").read_bytes()[8:12] == b"WEBP"
