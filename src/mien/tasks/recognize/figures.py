"""What a measurement of recognition holds: every figure with its interval, its counts and the words for how it was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from mien.metrics.identification import OpenSet
    from mien.metrics.intervals import Estimate, Rate
    from mien.metrics.verification import AtRate, Pairs, Roc
    from mien.tasks.recognize.pairs import Labelled


@dataclass(frozen=True)
class Seen:
    """What was made of one picture."""

    vector: np.ndarray | None
    """(D,) float32, or None without a usable face."""
    fault: str = ""
    """Why there is no vector, in words."""
    crop: np.ndarray | None = None
    """(h, w, 3) uint8: the face, for the page."""


Look = Callable[[Sequence[Path]], Sequence[Seen]]
"""Pictures to what is seen on them, one for one."""


@dataclass(frozen=True)
class Accuracy:
    """Share of pairs told right, by a threshold that was not made from them."""

    right: Rate
    balanced: float
    """Mean of the shares of same-person and of different-person pairs: what counts where one kind is far more common."""
    with_failures: float
    """Pairs with a picture without a usable face counted as wrong."""
    threshold: float
    """Where folds have their own: the mean of them."""
    source: str
    """Where the threshold came from, in words."""
    standard_error: float | None = None
    """Of the mean over folds."""


@dataclass(frozen=True)
class Strangers:
    """An open gallery at one threshold."""

    threshold: float
    meaning: str
    enrolled: int
    """People in the gallery, by one picture each."""
    false_alarm: Rate
    """Strangers given a name."""
    identified: Rate
    """Enrolled people given their own name."""
    misnamed: Rate
    """Enrolled people given another's."""


@dataclass(frozen=True)
class OneShot:
    """Choosing among `ways` people known by one picture each; mean over every such choice."""

    ways: int
    right: Rate


@dataclass(frozen=True)
class GroupFigures:
    """Pairs within one group, at the threshold used for all."""

    name: str
    pictures: int
    people: int
    false_match: Rate
    false_non_match: Rate
    auc: float | None
    failure_to_acquire: Rate


@dataclass(frozen=True)
class Evaluated:
    """Every figure, with intervals (95 %) and counts; `protocol` says in words how each was measured."""

    pictures: int
    people: int
    failure_to_acquire: Rate
    """Pictures without a usable face."""
    failures: tuple[tuple[Path, str], ...]
    same_pairs: int
    different_pairs: int
    lost_same: int
    """Same-person pairs that a picture without a face took away."""
    lost_different: int
    auc: Estimate
    eer: Estimate
    eer_threshold: float
    tar_at_far: tuple[AtRate, ...]
    tar_with_failures: tuple[float, ...]
    """The same true accept rates where a pair with a failed picture counts as refused."""
    threshold: float
    threshold_source: str
    false_match: Rate
    """At `threshold`."""
    false_non_match: Rate
    accuracy: tuple[Accuracy, ...]
    rank1: Rate | None
    rank1_with_failures: float | None
    strangers: tuple[Strangers, ...]
    one_shot: tuple[OneShot, ...]
    groups: tuple[GroupFigures, ...]
    protocol: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        best = self.accuracy[0] if self.accuracy else None
        lines = [
            f"{self.pictures:,} pictures of {self.people:,} people; without a usable face: {self.failure_to_acquire.count}",
            f"{self.same_pairs:,} same-person and {self.different_pairs:,} different-person pairs",
            f"area under ROC   {self.auc}",
            f"equal error rate {self.eer}",
            *(f"same accepted at false-match rate {line.asked:g}: {line.tar}" for line in self.tar_at_far if line.supported),
            *([f"accuracy {best.right.value:.2%} (threshold {best.threshold:.3f} from {best.source})"] if best else []),
            *([f"rank 1   {self.rank1}"] if self.rank1 else []),
            *(f"{line.ways}-way one-shot {line.right.value:.2%}" for line in self.one_shot),
            *(f"strangers named {line.false_alarm.value:.2%}, known people named rightly {line.identified.value:.2%} ({line.meaning})"
              for line in self.strangers),
        ]  # fmt: skip
        return "\n".join(lines)


@dataclass(frozen=True)
class Measured:
    """The figures and what they were read off: for the page, or for drawing something of one's own."""

    evaluated: Evaluated
    labelled: Labelled
    seen: tuple[Seen, ...]
    first: np.ndarray
    """(M,) int: places of the pairs' pictures."""
    second: np.ndarray
    pairs: Pairs
    curve: Roc
    cmc: np.ndarray | None
    open_set: OpenSet | None
