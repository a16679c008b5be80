"""Make an inspector's probabilities true, and write into its file how.

    python -m mien.tasks.inspect.calibrating PACK --weights mien-inspect.safetensors          # PACK/faces is there

Fitted on dev people, of whom nothing was learnt, in three conditions that weigh the same, and in each the three classes weigh the
same: faces as the tool left them; the same saved as a JPEG of quality 30 to 100; and faces worn in chains. Of a worn face only that
counts as known which a file would tell: the quality of the JPEG that the chain ended as, or that it ended as none; what came before
is not known, so the calibration is right for such files on average. The network stays as it is. Says what was gained for people
that the numbers were not fitted on (five folds of people), then fits on all of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

from mien.data import wear
from mien.data.files import atomic
from mien.models.inspector import CLASSES
from mien.progress import Progress, say
from mien.tasks.inspect import swapping
from mien.tasks.inspect.calibrated import FACTS, Calibration
from mien.tasks.inspect.looking import HEAD, Looker
from mien.tasks.inspect.making import PLAIN, Made, Maker, Recipe, stacked
from mien.tasks.inspect.measuring import Answers, asked, believed, step
from mien.tasks.inspect.originals import opened

FACES, FOLDS, SEED = 400, 5, 21
QUALITIES = (30, 100)
EVEN = (1 / 3, 1 / 3, 1 / 3)
HELD = 0.02
"""Holds every number that depends on a fact towards 0, facts being scaled to a deviation of 1: of 0.0001 to 0.1 the likelihood of
dev people left out was best from 0.01 to 0.1."""
CONDITIONS = {"plain": replace(PLAIN, shares=EVEN, worn=False), "worn": Recipe(shares=EVEN)}


@dataclass(frozen=True)
class Examples:
    """Made faces that an inspector was asked about."""

    answers: Answers
    condition: np.ndarray
    """(N,) plain, saved or worn."""

    def chosen(self, which: np.ndarray) -> Examples:
        """Some of them: (N,) bool."""
        return Examples(self.answers.chosen(which), self.condition[which])

    @property
    def weight(self) -> np.ndarray:
        """(N,) of sum 1: every condition weighs the same, and in it every class."""
        group = np.unique(self.condition, return_inverse=True)[1] * len(CLASSES) + self.answers.label
        weight = 1 / np.bincount(group)[group]
        return weight / weight.sum()


def saved(one: Made, random: np.random.Generator) -> Made:
    """The same as a JPEG of known quality."""
    quality = int(random.integers(QUALITIES[0], QUALITIES[1] + 1))
    return replace(one, x=wear.jpeg(one.x, quality, wear.HALF if random.random() < 0.7 else wear.FULL), quality=quality)


def faces(pack: Path, part: str, count: int, seed: int = SEED) -> Iterator[tuple[str, Made]]:
    """`count` faces in every condition, each a function of its number; of people of this part."""
    originals, swapped = opened(pack / "faces"), swapping.opened(pack / "faces")
    makers = {name: Maker(originals, swapped, part, recipe) for name, recipe in CONDITIONS.items()}
    for i in range(count):
        for name, maker in makers.items():
            made = maker.make(np.random.default_rng((seed, i)))
            yield name, made
            if name == "plain":
                yield "saved", saved(made, np.random.default_rng((seed, i, 1)))


def examples(looker: Looker, pack: Path, part: str, count: int, seed: int = SEED) -> Examples:
    """What the network says of them."""
    told, names = [], []
    with Progress(f"{part} faces", total=3 * count) as bar:
        for name, made in faces(pack, part, count, seed):
            told.append(asked(looker, [stacked([made])], np.array([made.person]), [made.quality]))
            names.append(name)
            bar.advance()
    return Examples(Answers.together(told), np.array(names))


def fit(of: Examples, held: float = HELD) -> Calibration:
    """Logistic regression of the label on log odds, facts and their products; deterministic. ValueError where a class is missing."""
    answers = of.answers
    missing = [name for place, name in enumerate(CLASSES) if not (answers.label == place).any()]
    if missing:
        raise ValueError(f"found no {' and no '.join(missing)} face, expected some of each of {', '.join(CLASSES)}")
    assert answers.facts is not None
    middle, spread = answers.facts.mean(0), answers.facts.std(0)
    middle[0], spread[0] = 0, 1
    spread[spread < 1e-9] = 1
    known = torch.from_numpy((answers.facts - middle) / spread)
    logits, label, weight = torch.from_numpy(answers.logits).double(), torch.from_numpy(answers.label), torch.from_numpy(of.weight)
    odds = logits[:, 1:] - logits[:, :1]
    numbers = torch.zeros(2, 2, len(FACTS), dtype=torch.float64)  # offset or slope, class, fact
    numbers[1, :, 0] = 1
    numbers.requires_grad_()
    search = torch.optim.LBFGS([numbers], max_iter=300, tolerance_grad=1e-9, tolerance_change=1e-12, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        search.zero_grad()
        told = known @ numbers[0].T + (known @ numbers[1].T).clamp(min=0) * odds
        costs = F.cross_entropy(F.pad(told, (1, 0)), label, reduction="none")
        cost = (weight * costs).sum() + held * numbers[:, :, 1:].square().sum()
        cost.backward()
        return cost

    search.step(loss)  # pyright: ignore[reportArgumentType]
    raw = numbers.detach().numpy() / spread
    raw[:, :, 0] -= (raw[:, :, 1:] * middle[1:]).sum(-1)
    offset, slope = raw.round(5)
    return Calibration.of(offset, slope, answers.facts.min(0), answers.facts.max(0))


def left_out(of: Examples) -> Answers:
    """The answers as made true by what was fitted on other people, in `FOLDS` folds."""
    people, who = np.unique(of.answers.person, return_inverse=True)
    if len(people) < FOLDS:
        raise ValueError(f"found faces of {len(people)} people, expected {FOLDS} or more")
    fold = (np.random.default_rng(0).permutation(len(people)) % FOLDS)[who]
    logits = np.zeros_like(of.answers.logits, float)
    for one in range(FOLDS):
        logits[fold == one] = of.answers.chosen(fold == one).by(fit(of.chosen(fold != one))).logits
    return replace(of.answers, logits=logits)


def keep(path: Path, calibration: Calibration) -> None:
    """Write it into the header of a weights file; tensors and what else the header says stay as they are."""
    with safe_open(path, framework="pt") as file:
        state, head = {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118 - no dict
    head[HEAD] = json.dumps(json.loads(head.get(HEAD, "{}")) | {"calibration": calibration.written()})
    with atomic(path) as draft:
        save_file(state, draft, head)


def figures(of: Examples, answers: Answers) -> dict[str, dict[str, float]]:
    """Of each condition: accuracy of original or reshaped at even odds, expected calibration error, mean cost of a probability."""
    found = {}
    for name in sorted(set(of.condition)):
        some = answers.chosen(of.condition == name)
        own = some.probabilities()[np.arange(len(some.label)), some.label]
        two = some.chosen(some.label != CLASSES.index("swapped"))
        found[name] = {"accuracy": step(two).accuracy.value, "error": believed(some, 1.0)[0], "cost": float(-np.log(own).mean())}
    return found


def main() -> None:
    """Fit, say what it gained, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--weights", type=Path, required=True, help="written anew, with the calibration in its header")
    parser.add_argument("--faces", type=int, default=FACES, help=f"in each condition ({FACES})")
    parser.add_argument("--measure", action="store_true", help="also on test people, before and after")
    given = parser.parse_args()
    looker = Looker(given.weights)
    before = Calibration.plain(looker.temperature)
    dev = examples(looker, given.pack, "dev", given.faces)
    after = fit(dev)
    rows = {"dev, one temperature": (dev, dev.answers.by(before)), "dev, people left out": (dev, left_out(dev))}
    if given.measure:
        test = examples(looker, given.pack, "test", given.faces, SEED + 10)
        rows |= {"test, one temperature": (test, test.answers.by(before)), "test": (test, test.answers.by(after))}
    for name, (of, answers) in rows.items():
        for condition, found in figures(of, answers).items():
            say(f"{name}, {condition}: " + ", ".join(f"{what} {value:.3f}" for what, value in found.items()))
    keep(given.weights, after)
    say(f"{given.weights}: calibrated by {', '.join(FACTS)}")


if __name__ == "__main__":
    main()
