"""The command line over a made-up package of tasks: names, results, errors and exit codes."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mien import __version__
from mien.cli import main, plain, verbs

PAINT = '''
"""Paint and mix."""
from __future__ import annotations
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
import numpy as np

@dataclass(frozen=True)
class Spot:
    colour: str
    share: float

@dataclass(frozen=True)
class Painted:
    out: Path
    size: tuple[int, int]
    score: float
    spots: tuple[Spot, ...]
    first: Spot
    curve: np.ndarray

def mix_all(sources: list[Path], *, out: Path = Path("out"), count: int | None = None,
            style: Literal["oil", "chalk"] = "oil") -> Painted:
    """Mix every picture.

    Args:
        sources: pictures to mix.
        out: where the result goes.
        count: how many colours at most.
        style: the brush.
    """
    print("noise from a library")
    spots = (Spot("red", 0.25), Spot("ultramarine", 0.75))
    return Painted(out, (len(sources), count or 0), float("nan"), spots, spots[0], np.arange(3, dtype=np.float32) / 2)

def fail(how: str) -> None:
    """Fail in a chosen way."""
    errors = {"bad": ValueError("a face is needed,\\n  none was found"), "machine": RuntimeError("no encoder"),
              "gone": FileNotFoundError(2, "No such file or directory", "a.jpg"), "full": OSError(28, "Full", "b.png"),
              "memory": MemoryError(), "stop": KeyboardInterrupt("stopped at step 7"), "bug": KeyError("k")}
    raise errors[how]

COMMANDS = (mix_all, fail)
'''
ALONE = '''
"""One verb."""
def alone(text: str = "hello") -> str:
    """Say it."""
    return text
COMMANDS = (alone,)
'''
TOP = '''
"""At the top."""
TOP_LEVEL = True
from textwrap import dedent as look_up
def look() -> None:
    """Look."""
def count() -> list[int]:
    """Count."""
    return [1, 2]
COMMANDS: tuple = (look, count, look_up)
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of four tasks, one of them still without verbs."""
    name = f"chores_{tmp_path.name}"
    for task, text in {"paint_box": PAINT, "alone": ALONE, "top": TOP, "later": None}.items():
        folder = tmp_path / name / task
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        if text:
            (folder / "run.py").write_text(text)
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_where_verbs_stand(package: str) -> None:
    words = {verb.words: verb.group_help for verb in verbs(package)}
    assert words == {
        ("alone",): "One verb.", ("paint-box", "mix-all"): "Paint and mix.", ("paint-box", "fail"): "Paint and mix.",
        ("look",): "At the top.", ("count",): "At the top.", ("look-up",): "At the top.",
    }  # fmt: skip


def test_the_help_of_a_verb_from_another_file(package: str) -> None:
    helps = {verb.words[-1]: verb.help for verb in verbs(package)}
    assert helps["look"] == "Look."
    assert helps["look-up"] == textwrap.dedent.__doc__


def test_listing_the_verbs_imports_no_task(package: str) -> None:
    assert [verb.target for verb in verbs(package)][1:3] == [
        f"{package}.paint_box.run:mix_all", f"{package}.paint_box.run:fail"]  # fmt: skip
    assert f"{package}.paint_box.run" not in sys.modules


def test_json_is_one_object_of_plain_values(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paint-box", "mix-all", "a", "b", "--out", "o/p.png", "--count", "4", "--json"], package) == 0
    streams = capsys.readouterr()
    assert json.loads(streams.out) == {
        "out": "o/p.png", "size": [2, 4], "score": None, "curve": [0.0, 0.5, 1.0],
        "first": {"colour": "red", "share": 0.25},
        "spots": [{"colour": "red", "share": 0.25}, {"colour": "ultramarine", "share": 0.75}],
    }  # fmt: skip
    assert "noise" in streams.err


def test_summary_for_people(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paint-box", "mix-all", "a"], package) == 0
    assert capsys.readouterr().out.splitlines() == [
        "out: out", "size: 1, 0", "score: nan", "spots:", "  colour       share", "  red          0.25",
        "  ultramarine  0.75", "first:", "  colour: red", "  share: 0.25", "curve: [0.  0.5 1. ]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "text", "as_json"),
    [(["alone"], "hello\n", {"result": "hello"}), (["look"], "", {}), (["count"], "1, 2\n", {"result": [1, 2]})],
)
def test_results_that_are_no_dataclass(
    package: str, capsys: pytest.CaptureFixture[str], words: list[str], text: str, as_json: dict
) -> None:
    assert main(words, package) == 0
    assert capsys.readouterr().out == text
    assert main([*words, "--json"], package) == 0
    assert json.loads(capsys.readouterr().out) == as_json


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["paint-box", "fail", "bad"], 2, "a face is needed, none was found"),
        (["paint-box", "fail", "machine"], 1, "no encoder"),
        (["paint-box", "fail", "gone"], 1, "No such file or directory: a.jpg"),
        (["paint-box", "fail", "full"], 1, "the disk is full while writing b.png"),
        (["paint-box", "fail", "memory"], 1, "out of memory"),
        (["paint-box", "fail", "stop"], 130, "stopped at step 7"),
        (["paint-box", "fail", "bug"], 1, "unexpected KeyError"),
        (["paint-box", "fail"], 2, "requires an argument"),
        (["paint-box", "mix-all", "a", "--count", "many"], 2, "many"),
        (["paint-box", "mix-all", "a", "--style", "ink"], 2, "ink"),
        (["paint-box", "mix-all", "a", "--colour", "red"], 2, "--colour"),
        (["paint-box", "mx-all"], 2, "mix-all"),
        (["nothing"], 2, "nothing"),
    ],
)
def test_failures_are_one_line_and_a_code(
    package: str, capsys: pytest.CaptureFixture[str], words: list[str], code: int, part: str
) -> None:
    assert main(words, package) == code
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("mien: ")
    assert streams.err.count("\n") == 1
    assert part in streams.err
    assert main([*words, "--json"], package) == code
    assert part in json.loads(capsys.readouterr().out)["error"]


def test_debug_shows_the_traceback(
    package: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_DEBUG", "1")
    assert main(["paint-box", "fail", "machine"], package) == 1
    assert "Traceback" in capsys.readouterr().err


def test_json_after_the_delimiter_is_an_argument(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alone", "--", "--json"], package) == 0
    assert capsys.readouterr().out == "--json\n"


def test_help_names_groups_parameters_and_json(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"], package) == 0
    top = capsys.readouterr().out
    assert "Paint and mix." in top
    assert "Say it." in top
    assert main(["paint-box", "mix-all", "--help"], package) == 0
    page = capsys.readouterr().out
    for part in ("pictures to mix.", "--out", "how many colours at most.", "oil", "chalk", "--json"):
        assert part in page


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_numbers_json_has_no_word_for() -> None:
    assert plain({"a": float("inf"), 2: (float("nan"), Path("x")), "c": {1}}) == {"a": None, "2": [None, "x"], "c": [1]}


def test_a_reader_that_has_gone_is_no_failure(package: str, tmp_path: Path) -> None:
    program = f"import sys; from mien.cli import main; sys.exit(main(['alone', 'x' * 200000], {package!r}))"
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, stdout=write, stderr=subprocess.PIPE)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
