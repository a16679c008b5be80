"""Losses for networks that map a picture to a vector, so that distance tells people apart: triplets, pairs, margins.

B vectors (B, D) come with the (B,) numbers of their people. What makes no triplet or pair costs nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TINY = 1e-12
"""Squared distances below it have no slope: that of the root at nought is infinite."""


class UnitLength(nn.Module):
    """(B, D) -> the same directions at length 1 (Schroff et al. 2015, section 3.1)."""

    def forward(self, x: Tensor) -> Tensor:
        """In float32 at least: half precision cannot hold the squares."""
        return F.normalize(x if x.dtype == torch.float64 else x.float(), dim=1)


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """(A, D), (B, D) -> (A, B) squared Euclidean distances; exactly 0 for equal vectors, unlike |a|^2 + |b|^2 - 2 a b."""
    return (a[:, None] - b[None]).square().sum(-1)


def root(squared: Tensor) -> Tensor:
    """Distances from squared ones, with a slope of 0 at 0."""
    return squared.clamp_min(TINY).sqrt() * (squared > TINY)


def triplet(to_positive: Tensor, to_negative: Tensor, margin: float = 0.2) -> Tensor:
    """max(|f(A) - f(P)|^2 - |f(A) - f(N)|^2 + margin, 0) of squared distances (Schroff et al. 2015, eq. 3 for one triplet)."""
    return (to_positive - to_negative + margin).clamp_min(0)


def _kinds(labels: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) -> (B, B) whether j is another picture of i's person, and whether it is one of somebody else."""
    same = labels[:, None] == labels[None]
    return same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device), ~same


def every_triplet(squared: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(B, B), (B,) -> anchor, positive, negative (T,): all that the batch holds."""
    positive, negative = _kinds(labels)
    anchor, near = positive.nonzero(as_tuple=True)
    pair, far = negative[anchor].nonzero(as_tuple=True)
    return anchor[pair], near[pair], far


def semi_hard_triplets(squared: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For each anchor and positive the nearest negative that is farther than the positive (Schroff et al. 2015, eq. 4).

    Where no negative is farther, the farthest: the pair stays in the loss without the hardest negative, on which networks collapse.
    """
    positive, negative = _kinds(labels)
    anchor, near = (positive & negative.any(1, keepdim=True)).nonzero(as_tuple=True)
    distances = squared[anchor]
    farther = negative[anchor] & (distances > squared[anchor, near][:, None])
    nearest = distances.masked_fill(~farther, math.inf).argmin(1)
    farthest = distances.masked_fill(~negative[anchor], -math.inf).argmax(1)
    return anchor, near, torch.where(farther.any(1), nearest, farthest)


def hardest_triplets(squared: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For each anchor its farthest positive and its nearest negative (Hermans et al. 2017, eq. 5)."""
    positive, negative = _kinds(labels)
    anchor = (positive.any(1) & negative.any(1)).nonzero()[:, 0]
    near = squared.masked_fill(~positive, -math.inf).argmax(1)
    far = squared.masked_fill(~negative, math.inf).argmin(1)
    return anchor, near[anchor], far[anchor]


def _costs(squared: Tensor, chosen: tuple[Tensor, Tensor, Tensor], margin: float) -> Tensor:
    anchor, near, far = chosen
    return triplet(squared[anchor, near], squared[anchor, far], margin)


def batch_all(vectors: Tensor, labels: Tensor, margin: float = 0.2) -> Tensor:
    """Mean over all triplets of the batch that still cost something (Hermans et al. 2017, eq. 6, the variant "!= 0")."""
    squared = squared_distances(vectors, vectors)
    costs = _costs(squared, every_triplet(squared, labels), margin)
    return costs.sum() / (costs > 0).sum().clamp_min(1)


def semi_hard(vectors: Tensor, labels: Tensor, margin: float = 0.2) -> Tensor:
    """Mean over all pairs of anchor and positive, each with its semi-hard negative (Schroff et al. 2015, section 3.2)."""
    squared = squared_distances(vectors, vectors)
    costs = _costs(squared, semi_hard_triplets(squared.detach(), labels), margin)
    return costs.sum() / max(len(costs), 1)


def batch_hard(vectors: Tensor, labels: Tensor, margin: float = 0.2) -> Tensor:
    """Mean over all anchors, each with its hardest triplet (Hermans et al. 2017, eq. 5, here of squared distances)."""
    squared = squared_distances(vectors, vectors)
    costs = _costs(squared, hardest_triplets(squared.detach(), labels), margin)
    return costs.sum() / max(len(costs), 1)


def pairs(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(B,) -> first, second (B (B - 1) / 2,) and whether they show the same person: every pair once."""
    first, second = torch.triu_indices(len(labels), len(labels), 1, device=labels.device)
    return first, second, labels[first] == labels[second]


def balanced(costs: Tensor, same: Tensor) -> Tensor:
    """Half the mean cost of the same pairs and half that of the different ones, of which a batch holds far more."""
    return sum(((costs * kind).sum() / kind.sum().clamp_min(1) for kind in (same, ~same)), costs.new_zeros(())) / 2


def contrastive(distance: Tensor, same: Tensor, margin: float = 1.0) -> Tensor:
    """D^2 / 2 where the same, max(0, margin - D)^2 / 2 where not (Hadsell et al. 2006, eq. 4; its Y is 0 for the same)."""
    return torch.where(same, distance.square(), (margin - distance).clamp_min(0).square()) / 2


def contrastive_loss(vectors: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    """Over every pair of the batch, same and different counting alike."""
    first, second, same = pairs(labels)
    return balanced(contrastive(root((vectors[first] - vectors[second]).square().sum(1)), same, margin), same)


class PairHead(nn.Module):
    """Logistic regression over |f(x1)_k - f(x2)_k|: the probability of the same person is sigmoid(sum_k w_k |...| + b)."""

    def __init__(self, size: int) -> None:
        """It begins with the same weight for all numbers, and unit vectors are as likely one person's as two at distance 0.7."""
        super().__init__()
        self.weight = nn.Parameter(torch.full((size,), -8.0 / math.sqrt(size)))
        self.bias = nn.Parameter(torch.tensor(4.5))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(..., D) twice -> (...) logits, positive for the same person."""
        return (a - b).abs() @ self.weight + self.bias


def pairwise_loss(head: PairHead, vectors: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the head over every pair of the batch (1: same), same and different counting alike."""
    first, second, same = pairs(labels)
    logits = head(vectors[first], vectors[second])
    return balanced(F.binary_cross_entropy_with_logits(logits, same.to(logits.dtype), reduction="none"), same)


def arcface(cosines: Tensor, labels: Tensor, scale: float = 64.0, margin: float = 0.5) -> Tensor:
    """(B, people) cosines -> logits s cos(theta + m) for the right person, s cos(theta) else (Deng et al. 2019, eq. 3).

    Beyond theta = pi - m, where cos(theta + m) would rise again, it goes on with cos(theta) - m sin(m), as the authors' code does.
    """
    own = cosines.gather(1, labels[:, None]).clamp(-1, 1)
    sine = root(1 - own.square())
    moved = torch.where(own > -math.cos(margin), own * math.cos(margin) - sine * math.sin(margin), own - margin * math.sin(margin))
    return scale * cosines.scatter(1, labels[:, None], moved)


def cosface(cosines: Tensor, labels: Tensor, scale: float = 64.0, margin: float = 0.35) -> Tensor:
    """(B, people) cosines -> logits s (cos(theta) - m) for the right person, s cos(theta) else (Wang et al. 2018, eq. 4)."""
    return scale * (cosines - margin * F.one_hot(labels, cosines.shape[1]))


class Directions(nn.Module):
    """A direction for every person of the training; not needed afterwards."""

    def __init__(self, size: int, people: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(F.normalize(torch.randn(people, size)))

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, D) -> (B, people) cosines."""
        return F.normalize(vectors) @ F.normalize(self.weight).T
