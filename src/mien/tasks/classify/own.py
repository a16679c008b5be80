"""Train on a person's own pictures, from a network that has seen others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from mien.models.classifier import Plan, build, load
from mien.runtime import choose
from mien.tasks.classify.recipes import photos
from mien.train.recipe import Recipe, settings
from mien.train.session import Prepared, learn, prepare
from mien.types import Learned

MOST_STEPS, FEWEST_STEPS = 4000, 300
"""A few pictures are shown often, many seldom: the default number of epochs keeps the steps between these."""


def train_own(
    folder: Path, out: Path, start: str, minutes: float | None, pairs: Sequence[str], resume: bool, device: str, precision: str
) -> Learned:
    """`mien classify train`."""
    recipe = photos()
    before = None if start == "nothing" else load(start)
    if before:
        _, plan = before
        recipe = replace(
            recipe, network=plan.network, options=dict(plan.options), inputs=plan.inputs, size=plan.shape[1], mirror=plan.mirror
        )
    recipe = settings(pairs, recipe)
    if before and (recipe.network, recipe.inputs) != (before[1].network, before[1].inputs):
        raise ValueError(f"{start} is a {before[1].network} with inputs {before[1].inputs}, not a {recipe.network} with inputs "
                         f"{recipe.inputs}: --start nothing trains that from random weights")  # fmt: skip
    ready = prepare(recipe, folder, 1 if before and before[1].shape[0] == 1 else 3 if before else None)
    if not any(pair.startswith("epochs=") for pair in pairs):
        recipe = replace(recipe, epochs=float(sensible_epochs(recipe, ready)))
    net = transferred(before[0], before[1], recipe, ready) if before else None
    return learn(
        recipe, folder, out, minutes=minutes, runtime=choose(device, precision), resume=resume, net=net, label="classify", ready=ready
    )


def sensible_epochs(recipe: Recipe, ready: Prepared) -> int:
    """So many that the steps are neither too few to learn nor more than help."""
    steps = max(len(ready.train) // min(recipe.batch or len(ready.train), len(ready.train)), 1)
    return max(min(round(recipe.epochs), MOST_STEPS // steps), -(-FEWEST_STEPS // steps), 1)


def transferred(net: nn.Sequential, plan: Plan, recipe: Recipe, ready: Prepared) -> nn.Sequential:
    """A network for the new classes with the old one's weights wherever shapes agree: all but the last layer."""
    fresh = build(
        replace(plan, classes=ready.classes, options=dict(recipe.options), shape=(plan.shape[0], *ready.train.images.shape[1:3]))
    )
    new, old = fresh.state_dict(), net.state_dict()
    fresh.load_state_dict(
        {name: old[name] if name in old and old[name].shape == value.shape else value for name, value in new.items()}
    )
    return fresh
