"""A tiny training of an embedder."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mien.runtime import choose
from mien.train import Fitted, fit
from mien.train.metric import MetricTask
from mien.train.recipe import MetricRecipe
from mien.train.supervised import Part
from mien.train.types import Event, Every

RECIPE = MetricRecipe(
    "mlp", "none", {"widths": [8 * 8 * 3, 32]}, epochs=6, optimiser="adam", lr=3e-3, clip=5.0, schedule="cosine", flip=True, shift=1,
    cutout=2, average=0.8, vector=8, people=4, photos=3,
)  # fmt: skip


def people(count: int, photos: int = 6, seed: int = 0) -> Part:
    """Each has blocks of colour of their own, and every picture its own noise."""
    random = np.random.default_rng(seed)
    own = random.integers(40, 215, (count, 1, 2, 2, 3)).repeat(4, 2).repeat(4, 3)
    images = own + random.integers(-40, 40, (count, photos, 8, 8, 3))
    return Part(torch.from_numpy(images.reshape(-1, 8, 8, 3).astype(np.uint8)), torch.arange(count).repeat_interleave(photos))


def task(**changes: object) -> MetricTask:
    """With people held back."""
    return MetricTask(replace(RECIPE, **changes), people(6), people(5, seed=1))  # pyright: ignore[reportArgumentType]


def run(one: MetricTask, out: Path, steps: int, on_event: Callable[[Event], None] | None = None) -> Fitted:
    """By steps, never by the clock."""
    return fit(one, out, steps=steps, runtime=choose("cpu", "fp32"), evaluate=Every(steps=4), save=Every(steps=5), tensorboard=False,
               on_event=on_event)  # fmt: skip
