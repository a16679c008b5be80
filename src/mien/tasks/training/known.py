"""Which recipes there are: the functions without arguments in every task's recipes.py that return a recipe."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable

import mien.tasks
from mien.train.recipe import Training


def known() -> dict[str, Callable[[], Training]]:
    """task/name, with dashes -> the function."""
    found = {}
    for task in pkgutil.iter_modules(mien.tasks.__path__):
        name = f"mien.tasks.{task.name}.recipes"
        if not task.ispkg or importlib.util.find_spec(name) is None:
            continue
        module = importlib.import_module(name)
        for word, function in inspect.getmembers(module, inspect.isfunction):
            signature = inspect.signature(function, eval_str=True)
            kind = signature.return_annotation
            if function.__module__ == name and not signature.parameters and isinstance(kind, type) and issubclass(kind, Training):
                found[f"{task.name}/{word.replace('_', '-')}"] = function
    return found


def find(name: str) -> Training:
    """The recipe called `name`; ValueError names the nearest."""
    there = known()
    if name not in there:
        near = difflib.get_close_matches(name, there, 1, 0.0)
        raise ValueError(f"there is no recipe {name!r}; the nearest is {near[0]}, all: {', '.join(there)}")
    return there[name]()
