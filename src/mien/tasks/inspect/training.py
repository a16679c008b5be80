"""mien's own inspector learns from a pack of faces that were bent, swapped or left alone.

    python -m mien.tasks.inspect.training PACK --out RUN --minutes 60
    python -m mien.tasks.inspect.training PACK --out RUN --export             # RUN/mien-inspect.safetensors, bfloat16

PACK is what `mien.tasks.inspect.making` writes, with made faces to learn from (`mien.tasks.inspect.pairs`). Verdict, field and
reliability are learnt together by one network; a face that was swapped has no field, so only the others teach it one. Faces are learnt
in the size they have in their pictures, first by windows of them, then whole.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import Tensor

from mien.data.files import atomic
from mien.models.inspector import CELL, ORIGINAL, RESHAPED, SWAPPED, Coarse, Inspector
from mien.nn.flow import laplace, relative, robust, sample
from mien.nn.memory import keep_freed_memory
from mien.progress import say
from mien.runtime import choose
from mien.tasks.inspect.looking import HEAD, NAME, Looker, read
from mien.tasks.inspect.measuring import asked, temperature
from mien.tasks.inspect.pack import Batch, Part
from mien.train import EMA, Event, Every, OneNetworkTask, averaged, compact, fit
from mien.train.optim import Muon, hold_then_fall

BATCH, RATE, PLAIN_RATE, AVERAGE = 16, 0.02, 2e-3, 0.995
SMOOTHING = 0.02
"""Of the labels: no answer is worth more certainty than one in a hundred thousand."""
FIELD, RELATIVE, SPREAD, MOVED, RECONSTRUCTED = 4.0, 0.25, 0.1, 2.0, 1.0
"""Beside the verdict's cross-entropy: the field's unexplained share, its differences, the likelihood of its error, moved or not, and
what the field leaves of the difference between a face and what it was."""
QUIET = 0.25
"""Square pixels: a face that was bent no further than this on average weighs no more for it."""
FAINT = 2e-3
"""Mean difference of brightness, 0..1, added to that of a pair: one that was hardly bent weighs little."""
STRIDES = (1, 4, 8)
"""Of the differences, in eighths of the crop's pixels."""
WINDOWED, WINDOW, MORE = 0.55, 144, 3
"""Share of the training that looks at windows of faces, pixels of their sides, how many of each face: traces are local, and several
windows cost what one face costs."""
STILL = 0.5
"""Pixels by which content may be displaced and still counts as not moved."""


Source = Callable[[np.random.Generator, int], Batch]
"""Draws so many faces; what it draws is a function of the generator."""


def tensors(batch: Batch, device: torch.device, flips: np.ndarray | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """A batch -> x (B, 3, S, S) in 0..1, label (B,), field (B, 2, S / 4, S / 4); those in `flips` (B,) bool mirrored left to right."""
    x = torch.from_numpy(batch["x"]).to(device).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last) / 255
    label, field = torch.from_numpy(batch["label"]).to(device), torch.from_numpy(batch["field"]).to(device).float()
    if flips is not None and flips.any():
        which = torch.from_numpy(flips).to(device).view(-1, 1, 1, 1)
        x = torch.where(which, x.flip(3), x).contiguous(memory_format=torch.channels_last)
        mirrored = field.flip(3) * torch.tensor([-1.0, 1.0], device=device).view(1, 2, 1, 1)
        field = torch.where(which, mirrored, field)
    return x, label, field


def twice(values: np.ndarray, count: int) -> np.ndarray:
    """(N, ...) -> (count, ...): each value for two that follow each other."""
    return np.repeat(values, 2, 0)[:count]


def windows(batch: Batch, rng: np.random.Generator, side: int = WINDOW, more: int = MORE) -> Batch:
    """`more` squares of `side` pixels from each face, rather from its middle, corners on multiples of 8 as those of JPEG's blocks.

    Faces that follow each other by twos have their windows at the same places. A reshaped face that is nowhere moved in its window
    counts as original. Every window shows a part of the face's middle.
    """
    size = batch["x"].shape[1]
    if side >= size:
        return batch
    steps = (size - side) // 8
    places = np.tile(np.arange(len(batch["x"])), more)
    batch = {"x": batch["x"][places], "label": batch["label"][places], "field": batch["field"][places]}
    corners = twice(8 * rng.integers(0, steps + 1, (2, (len(places) + 1) // 2, 2)).mean(0).round().astype(int), len(places))
    large = [(slice(y, y + side), slice(x, x + side)) for y, x in corners]
    small = [(slice(y // 4, (y + side) // 4), slice(x // 4, (x + side) // 4)) for y, x in corners]
    field = np.stack([one[:, y, x].astype(np.float32) for one, (y, x) in zip(batch["field"], small, strict=True)])
    still = np.sqrt(np.square(field).sum(1)).max((1, 2)) < STILL
    return {"x": np.stack([one[y, x] for one, (y, x) in zip(batch["x"], large, strict=True)]), "field": field,
            "label": np.where(still & (batch["label"] == RESHAPED), ORIGINAL, batch["label"])}  # fmt: skip


def reconstruction(told: Tensor, x: Tensor, label: Tensor) -> Tensor:
    """Share of the difference between fakes and what they were that is left once these are bent by the told field; 1: of zeros.

    told (B, 2, S / 8, S / 8) in pixels of x (B, 3, S, S), label (B,); x: fakes, each followed by what it was. Reshaped faces are
    compared at a quarter of the size (Wang et al. 2019, arXiv 1906.05856, section 4.2); 1 where there are none.
    """
    pairs = len(x) // 2
    bent = label[:2 * pairs:2] == RESHAPED
    if not bent.any():
        return told.sum() * 0 + 1
    small = F.avg_pool2d(x.detach()[:2 * pairs], CELL)
    fake, before = small[0::2][bent], small[1::2][bent]
    field = F.interpolate(told[:2 * pairs:2][bent], size=small.shape[-2:], mode="bilinear", align_corners=False) / CELL
    left, whole = ((one - fake).abs().mean((1, 2, 3)) for one in (sample(before, field), before))
    return (left / (whole + FAINT)).mean()


def losses(told: Coarse, label: Tensor, truth: Tensor, x: Tensor) -> dict[str, Tensor]:
    """What the network told of B faces x (B, 3, S, S), by pairs, against label (B,) and true field (B, 2, n h, n w), n whole."""
    verdict = F.cross_entropy(told.logits, label, label_smoothing=SMOOTHING)
    known = label != SWAPPED
    if not known.any():
        zero = sum((part.sum() * 0 for part in told[1:]), verdict * 0)
        return {"loss": verdict + zero, "verdict": verdict, "field": zero, "moved": zero, "left": zero}
    left = reconstruction(told.field, x, label)
    field, spread, moved = (part[known] for part in told[1:])
    truth = F.adaptive_avg_pool2d(truth[known], (field.shape[-2], field.shape[-1]))
    cost = robust(field, truth)
    # most places do not move: every absolute error is least where nothing is told, a squared one where the mean of what may be is told
    squares = [part.square().sum(1).mean((1, 2)) for part in (field - truth, truth)]
    unexplained = squares[0] / (squares[1] + QUIET)
    shape = relative(field, truth, STRIDES)
    # the error is a constant here: reliability describes the field, it does not excuse it
    sure = laplace(cost.detach(), spread[:, 0]).mean()
    far = F.binary_cross_entropy_with_logits(moved[:, 0], (truth.norm(dim=1) > STILL).float())
    loss = verdict + FIELD * unexplained.mean() + RELATIVE * shape + SPREAD * sure + MOVED * far + RECONSTRUCTED * left
    return {"loss": loss, "verdict": verdict, "field": unexplained.mean(), "moved": far, "left": left}


class InspectTask(OneNetworkTask):
    """Muon at a constant rate, then down a cosine from two fifths of the time on; flips; an average of the weights."""

    def __init__(self, source: Source, dev: list[Batch] | None = None, net: Inspector | None = None, batch: int = BATCH,
                 windowed: float = WINDOWED) -> None:
        """`source` draws the training faces; `dev`: batches of people who are in no training batch, for the score.

        windowed: share of the training spent on windows.
        """
        torch.manual_seed(0)
        self.source, self.dev, self.items, self.windowed = source, dev or [], batch, windowed
        self.inspector = self.net = net or Inspector()
        self.ema = EMA(self.net, AVERAGE)
        self.optimizer = Muon(self.net, RATE, self.inspector.last, PLAIN_RATE)

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """A batch that is a function of the step's number."""
        hold_then_fall(self.optimizer, self.share, index)
        rng, early = np.random.default_rng((0, index)), self.share < self.windowed
        batch = self.source(rng, self.items)
        batch = windows(batch, rng) if early else batch
        count = len(batch["label"])
        x, label, field = tensors(batch, fabric.device, twice(rng.random((count + 1) // 2) < 0.5, count))
        self.net.train()
        with fabric.autocast():
            told = self.inspector.coarse(x)
        costs = losses(Coarse(*(part.float() for part in told)), label, field, x)
        self.optimizer.zero_grad()
        fabric.backward(costs["loss"])
        self.optimizer.step()
        return {name: cost.detach() for name, cost in costs.items()}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """On the held-out batches: accuracy, area under the curve of reshaped against original, end-point error against zero's."""
        if not self.dev:
            return {}
        device = next(self.result.parameters()).device
        found = [_judged(self.result.eval(), batch, device) for batch in self.dev]
        label, logits, error, still, square, whole = (torch.cat(column).cpu() for column in zip(*found, strict=True))
        told = (logits.argmax(1) == label).float().mean()
        suspicion = logits[:, 1] - logits[:, 0]
        area = (suspicion[label == 1][:, None] > suspicion[label == 0]).float().mean()
        bent = label == 1
        return {"score": float(area), "accuracy": float(told), "error": float(error[bent].mean()),
                "still": float(still[bent].mean()), "false field": float(error[label == 0].mean()),
                "unexplained": float(square[bent].sum() / whole[bent].sum())}  # fmt: skip


def _judged(net: torch.nn.Module, batch: Batch, device: torch.device) -> tuple[Tensor, ...]:
    """Label, logits, mean end-point error of the field and of no field at all, and their mean squares, each (B, ...)."""
    assert isinstance(net, Inspector)
    x, label, truth = tensors(batch, device)
    logits, field, *_ = net.coarse(x)
    field = F.interpolate(field, size=truth.shape[-2:], mode="bilinear", align_corners=False)
    far = [(field - truth).norm(dim=1), truth.norm(dim=1)]
    return label, logits, *(one.mean((1, 2)) for one in far), *(one.square().mean((1, 2)) for one in far)


def export(run: Path, target: Path, dev: Part | None = None) -> float:
    """The averaged weights of the last checkpoint, bfloat16 but for vectors and batch statistics; returns the temperature.

    It is measured on `dev`, whose people are in no training batch, with the very weights that are written; 1 without.
    """
    state = compact(averaged(run))

    def write(by: float) -> None:
        with atomic(target) as draft:
            save_file(state, draft, {HEAD: json.dumps({"temperature": round(by, 4)})})

    write(1.0)
    if not dev:
        return 1.0
    by = temperature(asked(Looker(target), dev.batches(), dev.person))
    write(by)
    return by


def main() -> None:
    """Train, or export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int, help="instead of minutes, where trainings are compared")
    parser.add_argument("--start", type=Path, metavar="FILE", help="weights to learn on from, whole faces from the beginning")
    parser.add_argument("--without", default="", metavar="TOOL", help="learn from no face bent by mls, tps, liquify or brush")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--export", action="store_true")
    given = parser.parse_args()
    if given.minutes or given.steps:
        keep_freed_memory()
        net = Inspector()
        if given.start:
            net.load_state_dict(read(given.start)[0])
        task = InspectTask(Part(given.pack, "train", given.without).draw, list(Part(given.pack, "dev").batches()), net,
                           windowed=0.0 if given.start else WINDOWED)  # fmt: skip
        fit(task, given.out / "run", minutes=given.minutes, steps=given.steps, runtime=choose(given.device),
            evaluate=Every(seconds=300), save=Every(seconds=120), label=NAME, on_event=tell)  # fmt: skip
    if given.export:
        target = given.out / f"{NAME}.safetensors"
        by = export(given.out / "run", target, Part(given.pack, "dev"))
        say(f"{target}: {target.stat().st_size:,} bytes, temperature {by:.2f}")


def tell(event: Event) -> None:
    """A line of figures a look."""
    if event.kind == "evaluated":
        say(f"step {event.step}: " + ", ".join(f"{name} {value:.3f}" for name, value in event.values.items()))


if __name__ == "__main__":
    main()
