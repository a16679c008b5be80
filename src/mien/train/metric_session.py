"""The training of an embedder from a folder by person to a run folder: model, card, curves, distances of unseen people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from mien.data.examples import partition, parts, read_examples
from mien.data.files import atomic
from mien.metrics.identification import n_way
from mien.metrics.verification import all_pairs, auc, eer, roc
from mien.models.catalog import NETWORKS
from mien.models.classifier import save
from mien.runtime import Runtime
from mien.train import report
from mien.train.metric import MetricTask
from mien.train.recipe import MetricRecipe
from mien.train.run_folder import (
    CARD,
    MODEL,
    PARTITION,
    RECIPE,
    computing,
    effort,
    first_process,
    trained,
    write_card,
)
from mien.train.supervised import Part
from mien.train.types import Every, Fitted
from mien.types import LearnedEmbedder

HEAD = "head.safetensors"
WAYS = 5


@dataclass(frozen=True)
class PreparedPeople:
    """Pictures by person, divided by person; labels of each part count from 0."""

    names: dict[str, tuple[str, ...]]
    """train, dev, test -> people."""
    parts: dict[str, Part]


@dataclass(frozen=True)
class Unseen:
    """How an embedder tells people apart."""

    auc: float
    eer: float
    threshold: float
    one_shot: float | None
    """Of `WAYS` people; None where there are fewer."""


def prepare_people(recipe: MetricRecipe, source: Path) -> PreparedPeople:
    """Read everything and divide the people: exactly, the same for the same seed. ValueError for too few people."""
    there = parts(source)
    channels = recipe.options.get("channels", NETWORKS[recipe.network].shape[0]) if recipe.network in NETWORKS else None
    examples = read_examples(source, "all" if len(there) > 1 else "train", recipe.size, channels)
    people = np.unique(examples.labels)
    wanted = {"train": 1 - recipe.dev - recipe.test, "dev": recipe.dev, "test": recipe.test}
    shares = {name: share for name, share in wanted.items() if share > 1e-9}
    least = {name: round(share * len(people)) for name, share in shares.items()}
    if min(least.values()) < 2:
        found = ", ".join(f"{name} {count}" for name, count in least.items())
        raise ValueError(f"{source} has {len(people)} people, which makes {found}: expected two or more in each part "
                         "(--set test=0.4 changes the shares)")  # fmt: skip
    pieces = partition(np.zeros(len(people)), list(shares.values()), recipe.seed)
    chosen = {name: people[piece] for name, piece in zip(shares, pieces, strict=True)}
    names = {name: tuple(examples.classes[one] for one in some) for name, some in chosen.items()}
    taken = {name: np.isin(examples.labels, some) for name, some in chosen.items()}
    numbers = {name: np.searchsorted(chosen[name], examples.labels[which]) for name, which in taken.items()}
    images = {name: torch.from_numpy(examples.images[which]) for name, which in taken.items()}
    return PreparedPeople(names, {name: Part(images[name], torch.from_numpy(numbers[name])) for name in names})


def unseen(vectors: np.ndarray, people: np.ndarray) -> Unseen:
    """(N, D), (N,): all pairs of pictures, and one-shot choices; ValueError without pairs of both kinds."""
    pairs = all_pairs(vectors, people)
    curve = roc(pairs.distances, pairs.same)
    equal = int(np.argmin(np.abs(curve.far - (1 - curve.tar))))
    one_shot = float(n_way(vectors, people, WAYS)[0].mean()) if len(np.unique(people)) >= WAYS else None
    return Unseen(auc(curve), eer(curve), float(curve.thresholds[equal]), one_shot)


def learn_embedder(
    recipe: MetricRecipe,
    source: Path,
    out: Path,
    *,
    minutes: float | None = None,
    runtime: Runtime | None = None,
    resume: bool = False,
    label: str = "train",
    ready: PreparedPeople | None = None,
) -> LearnedEmbedder:
    """Train `recipe` on the people in `source`; everything about it is in `out` afterwards.

    ValueError for bad data, or a folder that holds a run (of other settings, or one that was not asked to be resumed); RuntimeError
    where another process is training there.
    """
    runtime = computing(runtime)
    ready = ready or prepare_people(recipe, source)
    people = len(ready.names["train"])
    with trained(
        recipe, out, lambda: MetricTask(recipe, ready.parts["train"], ready.parts.get("dev")), ready.names,
        lambda task: f"{len(task.train)} pictures of {people} people, {task.steps} steps of {task.sampler.people} x {recipe.photos}",
        lambda task: Every(steps=max(task.epoch_steps, task.steps // 50)),
        minutes=minutes, runtime=runtime, resume=resume, label=label,
    ) as (task, fitted):  # fmt: skip
        return _conclude(task, ready, fitted, out)


def _conclude(task: MetricTask, ready: PreparedPeople, fitted: Fitted, out: Path) -> LearnedEmbedder:
    """Write what a finished (or interrupted) training leaves behind, and sum it up."""
    if task.ema:
        task.settle()
    found = None
    files = [MODEL, RECIPE, PARTITION]
    if first_process():
        save(out / MODEL, task.result, task.plan)
        if head := task.objective.head.state_dict():
            with atomic(out / HEAD) as draft:
                save_file(head, draft)
            files.append(HEAD)
        if fitted.history:
            report.curves(list(fitted.history), out / "curves.png")
            files.append("curves.png")
        if test := ready.parts.get("test"):
            made = task.vectors(test.images).numpy()
            people = test.labels.cpu().numpy()
            found = unseen(made, people)
            pairs = all_pairs(made, people)
            report.distances(pairs.distances, pairs.same, found.threshold, out / "distances.png")
            files.append("distances.png")
    learned = _summary(task, ready, fitted, out, found, (*files, CARD))
    if first_process():
        describe(task, learned)
    return learned


def _summary(
    task: MetricTask, ready: PreparedPeople, fitted: Fitted, out: Path, found: Unseen | None, files: tuple[str, ...]
) -> LearnedEmbedder:
    names = ("train", "dev", "test")
    return LearnedEmbedder(
        out, task.recipe.network, task.recipe.loss, sum(p.numel() for p in task.net.parameters()), task.recipe.vector,
        {name: len(ready.names.get(name, ())) for name in names},
        {name: len(ready.parts[name]) if name in ready.parts else 0 for name in names},
        round(fitted.steps / task.epoch_steps, 2), round(fitted.seconds, 1), round(fitted.items_per_second, 1),
        found.auc if found else None, found.eer if found else None, found.one_shot if found else None,
        found.threshold if found else None, fitted.reason, files,
    )  # fmt: skip


def describe(task: MetricTask, learned: LearnedEmbedder) -> None:
    """Write the card of the model in the run folder."""
    told = {
        "title": f"{task.recipe.network}, trained with the {learned.loss} loss",
        "what": f"maps a picture to {learned.vector} numbers of length 1; near vectors mean the same person",
        "input": f"(B, {', '.join(map(str, task.plan.shape))}) RGB or grey, 0..255 or 0..1",
        "training_data": f"{learned.pictures['train']} pictures of {learned.people['train']} people",
        "parameters": learned.parameters,
        "kind": "embedder",
    }
    protocol = f"{learned.pictures['test']} pictures of {learned.people['test']} people not trained on, seed {task.recipe.seed}"
    found = {"AUC": learned.auc, "EER": learned.eer, f"{WAYS}-way one-shot accuracy": learned.one_shot}
    scores = [(name, value, protocol) for name, value in found.items() if value is not None]
    spent = effort(f"{learned.epochs:g} epochs", learned.seconds, learned.images_per_second)
    write_card(learned.out, task.recipe, told, spent, scores)
