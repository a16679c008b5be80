"""Every lesson runs, keeps the contract of `mien.tasks.lesson.catalog`, and finds the numbers it should."""

import ast
import json
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mien
import numbers_learning
import numbers_seeing
from mien.cli import main
from mien.tasks.lesson.catalog import Lesson, find, folder, is_chinese, lessons
from mien.tasks.lesson.look import execute

LESSONS = lessons()
NUMBERS = numbers_learning.NUMBERS | numbers_seeing.NUMBERS


def by_name(lesson: Lesson) -> str:
    return lesson.name


def test_the_order_names_every_lesson_once() -> None:
    assert sorted(lesson.name for lesson in LESSONS) == sorted(path.stem for path in folder().glob("*.py"))


@pytest.mark.parametrize("lesson", LESSONS, ids=by_name)
def test_the_contract(lesson: Lesson) -> None:
    text = lesson.path.read_text(encoding="utf-8")
    paragraphs = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")
    assert paragraphs[0].splitlines()[1] == "=" * len(lesson.title)
    assert any(not is_chinese(part) for part in paragraphs[1:])
    assert any(is_chinese(part) for part in paragraphs[1:])
    assert is_chinese(lesson.title_zh)
    chinese = [part for part in paragraphs[1:] if is_chinese(part)]
    assert not [part for part in chinese if re.search("[\u4e00-\u9fff][,:;?!]|[,:;?!][\u4e00-\u9fff]", part)], "full-width punctuation"
    assert text.count("\n# %%\n") >= 2
    assert "plt.show" not in text
    assert "savefig" not in text
    assert len(text.splitlines()) <= 150


@pytest.mark.parametrize("lesson", LESSONS, ids=by_name)
def test_the_numbers(lesson: Lesson, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    data = request.getfixturevalue("data_dir") if lesson.needs else None
    found, figure = execute(lesson.path, tmp_path / "picture.png", data)
    assert found == {name: pytest.approx(value, abs=slack, rel=0) for name, (value, slack) in NUMBERS[lesson.name].items()}
    assert any(axes.has_data() for axes in figure.axes)


def test_backpropagation_agrees_with_differences() -> None:
    """The network of lessons/backprop_chain.py in scalars, and no chain rule at all."""

    def loss(w: list[float]) -> float:
        def s(z: float) -> float:
            return 1 / (1 + math.exp(-z))

        h1, h2 = s(w[0] * 1 + w[2] * 4 + w[4] * 5), s(w[1] * 1 + w[3] * 4 + w[5] * 5)
        o1, o2, o3 = s(w[6] * h1 + w[9] * h2), s(w[7] * h1 + w[10] * h2), s(w[8] * h1 + w[11] * h2)
        return ((o1 - 0.1) ** 2 + (o2 - 0.05) ** 2 + (o3 - 0.9) ** 2) / 2

    start = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.1, 0.2, 0.3]
    for place, name in ((5, "dL_dw6_by_hand"), (11, "dL_dw12_by_hand")):
        up, down = ([*start[:place], start[place] + step, *start[place + 1 :]] for step in (1e-6, -1e-6))
        assert (loss(up) - loss(down)) / 2e-6 == pytest.approx(NUMBERS["backprop_chain"][name][0], abs=1e-7)


def test_a_run_writes_the_picture_and_prints_the_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "neuron.png"
    assert main(["lesson", "run", "neuron_single", "--out", str(out), "--no-show", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert out.read_bytes()[:4] == b"\x89PNG"
    assert said["numbers"]["first_loss"] == pytest.approx(0.693147, abs=1e-5)


def test_the_list_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path))
    assert main(["lesson", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["lessons"]
    assert [row["name"] for row in rows] == [lesson.name for lesson in LESSONS]
    assert all(row["missing"] == row["needs"] for row in rows)


@pytest.mark.parametrize("display", [":0", ""])
def test_show_opens_the_picture_where_there_is_a_display(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], display: str
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(subprocess, "Popen", lambda words, **_: started.append(words))
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    out = tmp_path / "curve.svg"
    assert main(["lesson", "run", "descent_curve", "--show", "--out", str(out)]) == 0
    assert started == ([["/bin/xdg-open", str(out)]] if display else [])
    assert ("no display" in capsys.readouterr().err) == (not display)


def test_lessons_are_found_beside_the_package_in_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mien, "__file__", str(tmp_path / "site-packages" / "mien" / "__init__.py"))
    with pytest.raises(OSError, match="not installed"):
        folder()
    place = tmp_path / "site-packages" / "mien" / "lessons"
    place.mkdir(parents=True)
    (place / "order.txt").write_text("")
    assert folder() == place


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["neuron_singel"], "no lesson is called 'neuron_singel'; the nearest is 'neuron_single'"),
        (["neuron_single", "--out", "a.txt"], "not 'a.txt'"),
    ],
)
def test_bad_input_is_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "run", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("lesson", [lesson for lesson in LESSONS if lesson.needs][:1], ids=by_name)
def test_without_its_data_a_lesson_says_what_to_set(lesson: Lesson, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "run", lesson.name, "--data", str(tmp_path)]) == 2
    line = capsys.readouterr().err
    assert lesson.needs[0] in line
    assert "MIEN_DATA" in line


def test_find_reads_what_a_lesson_says() -> None:
    lesson = find("neuron_single")
    assert (lesson.title, lesson.title_zh, lesson.needs) == ("One neuron", "一个神经元", ())
    assert lesson.question.startswith("What does one artificial neuron compute")
