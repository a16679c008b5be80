"""The search over a recipe's settings: every trial is a short training, its score the accuracy on dev pictures."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

from mien.data.folder import data_folder
from mien.nn.memory import keep_freed_memory
from mien.runtime import choose
from mien.tasks.training.known import find
from mien.tasks.training.run import Tuned
from mien.tasks.training.space import Range, parse_space
from mien.tasks.training.tune import search
from mien.train.loop import fit
from mien.train.recipe import Recipe, settings
from mien.train.session import prepare
from mien.train.supervised import SupervisedTask
from mien.train.types import Every


def search_recipe(
    name: str,
    ranges: Sequence[str],
    data: Path | None,
    out: Path,
    trials: int,
    minutes: float | None,
    fixed: Sequence[str],
    device: str,
    precision: str,
) -> Tuned:
    """`mien tune`: pictures are read once; a trial keeps nothing but its score."""
    recipe = settings(fixed, find(name))
    if not isinstance(recipe, Recipe):
        raise ValueError(f"{name} trains no classifier: the search compares accuracies, so it takes recipes of classifiers only")
    if not recipe.dev:
        recipe = replace(recipe, dev=0.1)
    kinds = get_type_hints(Recipe)
    space = {
        name: replace(one, whole=True) if isinstance(one, Range) and kinds.get(name) is int else one
        for name, one in parse_space(ranges).items()
    }
    for setting in space:  # a name that is no setting is known before the first trial
        settings([f"{setting}={getattr(recipe, setting)}"] if hasattr(recipe, setting) else [f"{setting}=0"], recipe)
    runtime = choose(device, precision)
    if runtime.device.type == "cpu":
        keep_freed_memory()
    ready = prepare(recipe, (data or data_folder()) / recipe.data)
    if ready.dev is None:
        raise ValueError("a search needs dev pictures: --set dev=0.1")

    def score(chosen: Mapping[str, object]) -> float:
        changed = settings([f"{setting}={value}" for setting, value in chosen.items()], recipe)
        task = SupervisedTask(changed, ready.classes, ready.train, ready.dev)
        folder = Path(tempfile.mkdtemp(prefix="mien-trial-"))
        try:
            fitted = fit(task, folder, steps=task.steps, minutes=minutes, runtime=runtime, evaluate=Every(), save=Every(), keep=1,
                         tensorboard=False, label="trial")  # fmt: skip
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if fitted.reason == "interrupted":
            raise KeyboardInterrupt("stopped; the same line goes on with the next trial")
        return fitted.history[-1]["score"]

    found = search(score, space, trials, recipe.seed, out)
    assert found.best.score is not None
    return Tuned(out, len(found.trials), found.best.score, dict(found.best.settings), found.files)
