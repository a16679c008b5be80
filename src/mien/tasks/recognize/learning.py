"""Train on a person's own folder of people: a network that maps a face to a vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mien.runtime import choose
from mien.train.metric_session import learn_embedder, prepare_people
from mien.train.recipe import MetricRecipe, settings
from mien.types import LearnedEmbedder

MOST_STEPS, FEWEST_STEPS = 4000, 300
"""Of a training whose length nobody has said: few pictures are shown often, many seldom."""


def train_embedder(
    folder: Path,
    out: Path,
    recipe: MetricRecipe,
    minutes: float | None = None,
    pairs: Sequence[str] = (),
    resume: bool = False,
    device: str = "auto",
    precision: str = "auto",
) -> LearnedEmbedder:
    """`mien recognize train`: `recipe` with `pairs` (name=value) applied, on the people in `folder`."""
    recipe = settings(pairs, recipe)
    ready = prepare_people(recipe, folder)
    if not any(pair.startswith("epochs=") for pair in pairs):
        pictures = len(ready.parts["train"])
        steps = max(pictures // (min(recipe.people, len(ready.names["train"])) * recipe.photos), 1)
        wanted = min(max(round(steps * recipe.epochs), FEWEST_STEPS), MOST_STEPS)
        recipe = replace(recipe, epochs=wanted / steps)
    return learn_embedder(
        recipe, folder, out, minutes=minutes, runtime=choose(device, precision), resume=resume, label="recognize", ready=ready
    )
