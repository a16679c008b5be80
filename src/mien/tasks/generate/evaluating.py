"""A generator measured: how well it foresees pictures, how near its own come to them, whether it does what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mien.data.examples import parts, read_examples
from mien.data.loose import read_images
from mien.metrics.generation import frechet, inception, kernel, nearest, precision_recall
from mien.models.generator import Plan
from mien.models.pixelcnn import GatedPixelCNN, PixelCNN
from mien.models.vae import VAE
from mien.nn.batches import seeded
from mien.progress import Progress
from mien.provenance.identity import Identity
from mien.provenance.manifest import COMPOSITE
from mien.provenance.outputs import checked
from mien.runtime import Runtime
from mien.tasks.generate.asked import coloured_pixels, opened, write_sheet
from mien.tasks.generate.drawing import groups
from mien.tasks.generate.extracting import Extractor, Seen, extractor
from mien.tasks.generate.likelihood import likelihood
from mien.tasks.generate.results import Evaluated, Scored
from mien.train.generate import coloured, sheet

BESIDE = 64
"""Pictures on a sheet of neighbours."""
NEIGHBOURS = 3
"""Of precision and recall, as in the paper."""
FEWEST = 4


@dataclass(frozen=True)
class Question:
    """What shall be measured."""

    model: str
    data: Path
    samples: int
    images: int
    distances: bool
    seed: int
    extractor: str
    neighbours: Path | None
    runtime: Runtime
    signing: bool
    signer: Identity | None


@dataclass(frozen=True)
class Material:
    """Real pictures, (N, C, S, S) uint8."""

    test: Tensor
    """What is compared with: test pictures; where a data set has none, training pictures."""
    train: Tensor
    """Training pictures that are not in `test`."""
    labels: Tensor | None
    """(N,) of `train`."""
    what: str
    """What `test` is, in words."""


def evaluated(asked: Question) -> Evaluated:
    """All scores. ValueError for data that will not do."""
    if asked.images < FEWEST:
        raise ValueError(f"found {asked.images} images, expected {FEWEST} or more")
    if asked.neighbours:
        checked((), asked.neighbours, asked.signing)
    net, plan = opened(asked.model)
    net.to(asked.runtime.device)
    real = material(asked.data, plan, asked.images)
    likely = None
    two = isinstance(net, PixelCNN | GatedPixelCNN)
    if two or isinstance(net, VAE):
        binary = coloured(real.test.permute(0, 2, 3, 1), seeded(0, 5))
        likely = likelihood(net, plan, binary, real.what, asked.samples, asked.runtime)
    scores: list[Scored] = []
    if asked.distances or asked.neighbours:
        drawn = draw_all(net, plan, len(real.test) if asked.distances else BESIDE, asked.seed)
        if asked.distances:
            look = extractor(asked.extractor, plan.channels, asked.runtime.device)
            scores += distances(look, drawn, real, plan, two)
        if asked.neighbours:
            scores.append(beside(asked, drawn[:BESIDE], real))
    return Evaluated(asked.model, plan.network, likely, len(real.test), tuple(scores), asked.neighbours)


def material(data: Path, plan: Plan, images: int) -> Material:
    """All test pictures or some at random, training pictures in a random order. ValueError where there are too few."""
    channels = 1 if plan.channels == 1 else 3
    order = torch.Generator().manual_seed(0)
    try:
        known = parts(data)
    except ValueError:
        known = ()
    labelled = read_examples(data, "train", plan.side, channels) if known else None
    pictures = as_tensor(labelled.images if labelled else read_images(data, plan.side, channels))
    shuffled = torch.randperm(len(pictures), generator=order)
    if "test" in known:
        test, what = as_tensor(read_examples(data, "test", plan.side, channels).images), "test pictures"
        if images < len(test):  # which may lie sorted by what they show
            test = test[torch.randperm(len(test), generator=order)[:images].sort().values]
    else:
        count = min(images, len(pictures) // 2)
        test, what, shuffled = pictures[shuffled[:count]], "training pictures (there are none for testing)", shuffled[count:]
    if min(len(test), len(shuffled)) < FEWEST:
        found = f"{len(test)} pictures to compare with and {len(shuffled)} others"
        raise ValueError(f"{data} has {found}, expected {FEWEST} or more of both")
    labels = torch.from_numpy(labelled.labels)[shuffled] if labelled else None
    return Material(test, pictures[shuffled], labels, f"{what} of {data.name}")


def as_tensor(images: np.ndarray) -> Tensor:
    """(N, H, W, C) -> (N, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)


def draw_all(net: nn.Module, plan: Plan, count: int, seed: int) -> Tensor:
    """(count, C, S, S) uint8; a network with labels draws all of them in turn."""
    found = []
    with Progress("draw", total=count, unit="pictures") as bar:
        for some in groups(net, plan, count, seed):
            found.append((some * 255).round().clamp(0, 255).byte())
            bar.advance(len(some))
    return torch.cat(found)


def distances(look: Extractor, drawn: Tensor, real: Material, plan: Plan, two: bool) -> list[Scored]:
    """Of drawn pictures from `real.test`, beside those of as many training pictures. `two`: in two colours, as a PixelCNN draws."""
    test, train = real.test, real.train[:len(drawn)]
    if two:
        test, train = ((coloured(one.permute(0, 2, 3, 1), seeded(0, seed)) * 255).byte() for one, seed in ((test, 5), (train, 7)))
    ours, best, truth = look.see(drawn, "drawn pictures"), look.see(train, "training pictures"), look.see(test, "real pictures")
    counts = f"{len(drawn):,} drawn ({len(train):,} training) against {len(test):,} {real.what}{' in two colours' if two else ''}"
    protocol = f"{counts}; features of {look.name}{look.fits(plan.side)}"
    rows = [(f"FID {look.name}", frechet(truth.features, ours.features), frechet(truth.features, best.features)),
            (f"KID {look.name}", kernel(truth.features, ours.features), kernel(truth.features, best.features))]  # fmt: skip
    if ours.chances.shape[1]:
        rows.append((f"IS {look.name}", inception(ours.chances), inception(best.chances)))
    mine, theirs = (precision_recall(truth.features, one.features, NEIGHBOURS) for one in (ours, best))
    rows += [(f"{name} k={NEIGHBOURS} {look.name}", a, b) for name, a, b in zip(("precision", "recall"), mine, theirs, strict=True)]
    scores = [Scored(name, value, other, protocol) for name, value, other in rows]
    if plan.labels and len(plan.labels) == len(look.classes):
        scores.append(obeyed(look, ours, best, real, plan))
    return scores


def obeyed(look: Extractor, ours: Seen, best: Seen, real: Material, plan: Plan) -> Scored:
    """Share of pictures in which the extractor sees what was asked for; of training pictures, what they are labelled as."""
    told = torch.arange(len(ours.chances)) % len(plan.labels)
    right = float((ours.chances.argmax(1) == told).float().mean())
    theirs = None if real.labels is None else float((best.chances.argmax(1) == real.labels[:len(best.chances)]).float().mean())
    protocol = f"{len(told):,} drawn, every label in turn, named by {look.name}"
    return Scored(f"conditional accuracy {look.name}", right, theirs, protocol)


def beside(asked: Question, drawn: Tensor, real: Material) -> Scored:
    """Write drawn pictures, under each the training picture nearest in its pixels; how far they are, and how far test pictures are."""
    assert asked.neighbours is not None
    train = real.train.flatten(1)
    far, places = nearest(drawn.flatten(1), train)
    usual, _ = nearest(real.test[:len(drawn)].flatten(1), train)
    across = min(16, len(drawn))
    rows = [part for i in range(0, len(drawn), across) for part in (drawn[i:i + across], real.train[places[i:i + across]])]
    pixels = sheet(coloured_pixels(torch.cat(rows).float() / 255, 2), across, 4)
    action = "drawn by a neural network, above the pictures it learnt from"
    write_sheet(asked.neighbours, pixels, action, asked.model, asked.signer, COMPOSITE, asked.signing)
    root = train.shape[1] ** 0.5
    return Scored("nearest training picture", float(far.median()) / root, float(usual.median()) / root,
                  f"root mean square of pixels, 0..255, median of {len(drawn)} drawn; beside it that of as many {real.what}; "
                  f"all {len(train):,} training pictures looked at")  # fmt: skip
