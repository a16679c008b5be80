"""How a picture is moved downhill: one evaluation a step, every pixel within 0..1.

L-BFGS (Nocedal and Wright 2006, algorithm 7.4) on the pixels that may move: those at 0 or 1 that the gradient pushes further out are
held (a gradient projection), and a step that went up is taken back and tried shorter. Adam (Kingma and Ba 2014), its step falling to
nothing along a cosine, as the other choice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

HISTORY, HELD = 20, 1 << 29
"""Pairs L-BFGS remembers at most, and bytes they may take: one pair at 4096 x 4096."""
PART = 1 << 22
"""Numbers of which products are summed at once: no copy of a large picture is made for a sum."""
FIRST = 0.02
"""How far the first step moves pixels, root mean square, of 0..1."""
SHORTER = 0.25
RATE, BETAS, EPSILON = 0.03, (0.9, 0.99), 1e-8
"""Adam's."""

State = dict[str, Tensor]


class Descent(Protocol):
    """From one picture to the next."""

    def step(self, x: Tensor, cost: float, grad: Tensor) -> Tensor:
        """(1, 3, H, W) with its cost and gradient, which are kept, not copied -> the picture to look at next."""
        ...

    def best(self) -> Tensor:
        """The picture to keep."""
        ...

    def state(self) -> State:
        """All it remembers."""
        ...

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        ...


class Lbfgs:
    """Limited-memory BFGS within a box."""

    def __init__(self, like: Tensor, steps: int) -> None:
        """`like`: a picture of the size; `steps` does not matter here."""
        self.most = max(1, min(HISTORY, HELD // (2 * like.numel() * like.element_size())))
        self.pairs: list[tuple[Tensor, Tensor]] = []
        self.x = self.grad = self.way = like.new_empty(0)
        self.cost, self.length = math.inf, 1.0

    def step(self, x: Tensor, cost: float, grad: Tensor) -> Tensor:
        """As `Descent` says."""
        if self.x.numel() and not cost < self.cost:
            self.length *= SHORTER
            if self.length < SHORTER**3:  # the way itself is no good: straight downhill
                self.pairs.clear()
                self._turn()
                self.length *= SHORTER
            return torch.add(self.x, self.way, alpha=self.length).clamp_(0, 1)
        if self.x.numel():
            self._learn(x - self.x, grad)
        self.x, self.cost, self.grad = x.detach(), cost, grad.detach()
        self._turn()
        return torch.add(self.x, self.way, alpha=self.length).clamp_(0, 1)

    def _learn(self, moved: Tensor, grad: Tensor) -> None:
        change = (grad - self.grad).mul_(moved != 0)
        if dot(moved, change) > 1e-10 * dot(change, change):
            self.pairs = [*self.pairs[-(self.most - 1) :], (moved, change)] if self.most > 1 else [(moved, change)]

    def _turn(self) -> None:
        """The way to go from here."""
        held = ((self.x <= 0) & (self.grad > 0)) | ((self.x >= 1) & (self.grad < 0))
        way, factors = self.grad.masked_fill(held, 0).neg_(), []
        for moved, change in reversed(self.pairs):
            curvature = dot(moved, change)
            factor = dot(moved, way) / curvature
            way.add_(change, alpha=-factor)
            factors.append((factor, curvature))
        if self.pairs:
            moved, change = self.pairs[-1]
            way *= factors[0][1] / dot(change, change)
        for (moved, change), (factor, curvature) in zip(self.pairs, reversed(factors), strict=True):
            way.add_(moved, alpha=factor - dot(change, way) / curvature)
        self.length = 1.0
        self.way = way.masked_fill_(held, 0)
        if not self.pairs:
            self.way *= FIRST / max(math.sqrt(dot(way, way) / way.numel()), 1e-30)

    def best(self) -> Tensor:
        """As `Descent` says: the lowest so far."""
        return self.x

    def state(self) -> State:
        """As `Descent` says."""
        numbers = torch.tensor([self.cost, self.length], dtype=torch.float64)
        pairs = {f"{name}{place}": one for place, pair in enumerate(self.pairs)
                 for name, one in zip(("moved", "change"), pair, strict=True)}  # fmt: skip
        return {"x": self.x, "grad": self.grad, "way": self.way, "numbers": numbers, **pairs}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """As `Descent` says."""
        self.x, self.grad, self.way = state["x"], state["grad"], state["way"]
        self.cost, self.length = state["numbers"].tolist()
        count = sum(name.startswith("moved") for name in state)
        self.pairs = [(state[f"moved{place}"], state[f"change{place}"]) for place in range(count)]


def dot(a: Tensor, b: Tensor) -> float:
    """The sum of products."""
    parts = zip(a.flatten().split(PART), b.flatten().split(PART), strict=True)
    return math.fsum(float((one * other).sum()) for one, other in parts)


class Adam:
    """Adam within a box."""

    def __init__(self, like: Tensor, steps: int) -> None:
        """`like`: a picture of the size; `steps`: how many there will be."""
        self.first, self.second = torch.zeros_like(like), torch.zeros_like(like)
        self.x, self.cost, self.done, self.steps = like, math.inf, 0, steps

    def step(self, x: Tensor, cost: float, grad: Tensor) -> Tensor:
        """As `Descent` says."""
        if cost < self.cost:
            self.x, self.cost = x.detach(), cost
        self.done += 1
        rate = RATE * (1 + math.cos(math.pi * min(self.done / self.steps, 1))) / 2
        self.first = self.first.lerp(grad, 1 - BETAS[0])  # a new tensor: who keeps the last state keeps it whole
        self.second = (self.second * BETAS[1]).addcmul_(grad, grad, value=1 - BETAS[1])
        mean, square = 1 - BETAS[0] ** self.done, 1 - BETAS[1] ** self.done
        # gradients are of any size, the smallest number that counts is relative to them
        spread = (self.second / square).sqrt_()
        return (x - rate / mean * self.first / spread.add_(EPSILON * float(spread.max()) + 1e-30)).clamp_(0, 1)

    def best(self) -> Tensor:
        """As `Descent` says: the lowest so far."""
        return self.x

    def state(self) -> State:
        """As `Descent` says."""
        return {"x": self.x, "first": self.first, "second": self.second,
                "numbers": torch.tensor([self.cost, self.done, self.steps], dtype=torch.float64)}  # fmt: skip

    def load(self, state: Mapping[str, Tensor]) -> None:
        """As `Descent` says."""
        self.x, self.first, self.second = state["x"], state["first"], state["second"]
        cost, done, steps = state["numbers"].tolist()
        self.cost, self.done, self.steps = cost, int(done), int(steps)


OPTIMISERS = {"lbfgs": Lbfgs, "adam": Adam}
