"""A tiny supervised training."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mien.runtime import choose
from mien.train import Fitted, fit
from mien.train.recipe import Recipe
from mien.train.supervised import Part, SupervisedTask
from mien.train.types import Event, Every

RECIPE = Recipe(
    "mlp",
    "none",
    {"widths": [12 * 12 * 3, 16]},
    inputs="standard",
    epochs=4,
    batch=16,
    lr=0.1,
    momentum=0.9,
    l1=1e-4,
    l2=1e-3,
    clip=2.0,
    schedule="cosine",
    warmup=0.2,
    label_smoothing=0.1,
    mixup=0.3,
    flip=True,
    shift=2,
    cutout=3,
    average=0.9,
)


def pictures(count: int = 64, seed: int = 0) -> Part:
    """Noise whose left or right half is brighter: mirrored, the halves change places, so the label is the brighter channel too."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    images = random.integers(0, 120, (count, 12, 12, 3))
    images[np.arange(count), :, :, labels] += 100
    return Part(torch.from_numpy(images.astype(np.uint8)), torch.from_numpy(labels))


def task(**changes: object) -> SupervisedTask:
    """With a dev part."""
    return SupervisedTask(replace(RECIPE, **changes), ("red", "green"), pictures(), pictures(32, 1))  # pyright: ignore[reportArgumentType]


def run(one: SupervisedTask, out: Path, steps: int, on_event: Callable[[Event], None] | None = None) -> Fitted:
    """By steps, never by the clock."""
    return fit(
        one,
        out,
        steps=steps,
        runtime=choose("cpu", "fp32"),
        evaluate=Every(steps=4),
        save=Every(steps=5),
        tensorboard=False,
        on_event=on_event,
    )
