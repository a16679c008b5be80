"""Run a trained classifier on pictures and on data sets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.data.examples import Examples, Part, read_examples
from mien.data.pictures import read_picture
from mien.data.sources import find_sources
from mien.metrics.classification import accuracy, calibration_error, confusion_matrix, per_class, top_k
from mien.models.classifier import Plan, load, probabilities
from mien.progress import Progress
from mien.runtime import Runtime, choose
from mien.tasks.classify.run import Classified, ClassScore, Guess, Measured, Seen
from mien.train import report

AT_ONCE = 256


def fitted(picture: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """(H, W, 3) uint8 -> (height, width, channels) as the network was trained on: shorter side to size, centre cut out, or grey."""
    channels, height, width = shape
    tall, wide = picture.shape[:2]
    scale = max(height / tall, width / wide)
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    size = (max(round(tall * scale), height), max(round(wide * scale), width))
    if size != (tall, wide):
        x = F.interpolate(x, size, mode="bilinear", antialias=True)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    x = x[..., top : top + height, left : left + width]
    if channels == 1:
        x = (x * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)  # ITU-R BT.601
    return x[0].permute(1, 2, 0).round().byte().numpy()


def opened(model: str, device: str, precision: str) -> tuple[nn.Module, Plan, Runtime]:
    """A classifier on its device."""
    net, plan = load(model)
    runtime = choose(device, precision)
    net.to(runtime.device)
    if runtime.channels_last:
        net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return net, plan, runtime


@torch.no_grad()
def chances(net: nn.Module, plan: Plan, runtime: Runtime, images: np.ndarray) -> Tensor:
    """(N, H, W, C) uint8 -> (N, classes)."""
    out = []
    with runtime.autocast(), Progress("classify", total=len(images), unit="pictures") as bar:
        for part in torch.from_numpy(images).split(AT_ONCE):
            out.append(probabilities(net, part.permute(0, 3, 1, 2).to(runtime.device), plan.mirror).cpu())
            bar.advance(len(part))
    return torch.cat(out)


def classified(images: Sequence[Path], model: str, top: int, device: str, precision: str) -> Classified:
    """`mien classify`."""
    if top < 1:
        raise ValueError(f"top is at least 1, not {top}")
    if not images:
        raise ValueError("no picture was given: mien classify PHOTO...")
    net, plan, runtime = opened(model, device, precision)
    sources = find_sources(images)
    films = [s.path for s in sources if s.kind == "video"]
    if films:
        raise ValueError(f"{films[0]} is a video, expected pictures")
    seen = []
    for begin in range(0, len(sources), AT_ONCE):
        some = sources[begin : begin + AT_ONCE]
        found = chances(net, plan, runtime, np.stack([fitted(read_picture(s.path), plan.shape) for s in some]))
        best = found.topk(min(top, len(plan.classes)), 1)
        for source, values, places in zip(some, best.values.tolist(), best.indices.tolist(), strict=True):
            seen.append(Seen(source.path, tuple(Guess(plan.classes[k], round(v, 4)) for v, k in zip(values, places, strict=True))))
    return Classified(model, plan.classes, tuple(seen))


def in_order(examples: Examples, plan: Plan, where: Path) -> np.ndarray:
    """(N,) labels as the model counts them; ValueError for a class it does not know."""
    if all(name in plan.classes for name in examples.classes):
        table = np.array([plan.classes.index(name) for name in examples.classes])
    elif len(examples.classes) == len(plan.classes) and all(name.isdigit() for name in examples.classes):
        table = np.arange(len(plan.classes))
    else:
        strange = next(name for name in examples.classes if name not in plan.classes)
        raise ValueError(f"{where} has a class {strange!r} that the model does not know: {', '.join(plan.classes[:12])}")
    return table[examples.labels]


def measured(data: Path, model: str, part: Part, out: Path | None, device: str, precision: str) -> Measured:
    """`mien classify evaluate`."""
    net, plan, runtime = opened(model, device, precision)
    examples = read_examples(data, part, plan.shape[1])
    images = examples.images
    if images.shape[1:] != (plan.shape[1], plan.shape[2], plan.shape[0]):
        images = np.stack([fitted(i if i.shape[2] == 3 else i.repeat(3, 2), plan.shape) for i in images])
    labels = in_order(examples, plan, data)
    began = time.perf_counter()
    found = chances(net, plan, runtime, images)
    seconds = time.perf_counter() - began
    guesses, values = found.argmax(1).numpy(), found.numpy()
    matrix = confusion_matrix(labels, guesses, len(plan.classes))
    by_class = per_class(matrix)
    files = ()
    if out:
        report.confusion(matrix, plan.classes, out / "confusion.png")
        report.mistakes(images, labels, guesses, values, plan.classes, out / "mistakes.png")
        files = ("confusion.png", "mistakes.png")
    rows = [
        ClassScore(name, int(n), round(float(p), 4), round(float(r), 4), round(float(f1), 4))
        for name, n, p, r, f1 in zip(plan.classes, by_class.support, by_class.precision, by_class.recall, by_class.f1, strict=True)
    ]
    return Measured(
        model,
        len(labels),
        accuracy(labels, guesses),
        top_k(labels, values, min(5, len(plan.classes))),
        round(float(F.nll_loss(found.clamp_min(1e-12).log(), torch.from_numpy(labels))), 4),
        round(calibration_error(labels, values), 4),
        round(len(labels) / seconds, 1),
        rows,
        files,
    )
