import json
import subprocess
import sys
from pathlib import Path

import pytest

import mien


def test_the_swap_is_there_without_the_command_line() -> None:
    from mien import swap

    assert {verb.__name__ for verb in swap.COMMANDS} >= {"train", "add", "apply", "evaluate"}
    assert mien.swap.train is swap.train


def test_an_unknown_task_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = mien.nonsense


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["swap", "apply", "nowhere", "x.jpg", "--to", "a", "--output", "y.jpg"], "no swap model at nowhere"),
        (["swap", "train", "nobody.mp4", "--out", "m"], "nobody.mp4 does not exist"),
        (["swap", "evaluate", "nowhere", "a.mp4", "b.mp4"], "no swap model at nowhere"),
        (["swap", "train", "--out", "m"], "--people requires"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words: list[str], expected: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "mien", *words, "--json"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert expected in json.loads(done.stdout)["error"]
    assert list(tmp_path.iterdir()) == []
