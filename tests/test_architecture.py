"""Imports are free: the package, the command line and every task's run.py load neither torch nor numpy nor PyAV."""

import pkgutil
import subprocess
import sys

import pytest

import mien.tasks

RUNS = [f"mien.tasks.{task.name}.run" for task in pkgutil.iter_modules(mien.tasks.__path__)]
HEAVY = ("torch", "numpy", "av", "PIL", "pyarrow", "lightning", "c2pa")


def heavy_after(program: str) -> str:
    """The heavy modules that a fresh interpreter has loaded after `program`, its own output aside."""
    ask = f"{program}\nimport sys; print('heavy:', *(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return done.stdout.rpartition("heavy:")[2].strip()


@pytest.mark.parametrize("name", ["mien", "mien.cli", "mien.types", *RUNS])
def test_importing_loads_nothing_heavy(name: str) -> None:
    guard = f"import importlib.util\nif importlib.util.find_spec({name!r}): import {name}"
    assert heavy_after(guard) == ""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["doctor", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    assert heavy_after(f"from mien.cli import main; assert main({words}) == 0") == ""


def test_the_check_can_fail() -> None:
    assert heavy_after("import numpy") == "numpy"
