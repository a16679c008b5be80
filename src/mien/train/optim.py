"""Optimisers and learning-rate schedules of a recipe."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from mien.train.recipe import Training


def penalised(net: nn.Module, which: str) -> set[str]:
    """Names of the parameters that L1 and L2 are for: "weights" are those of two dimensions and more."""
    names = {name: p for name, p in net.named_parameters() if p.requires_grad}
    if which == "all":
        return set(names)
    if which == "weights":
        return {name for name, p in names.items() if p.ndim > 1}
    try:
        found = {name for name in names if re.search(which, name)}
    except re.error as error:
        raise ValueError(f"penalised={which!r} is no regular expression: {error}") from None
    if not found:
        raise ValueError(f"penalised={which!r} is the name of no parameter; there are {', '.join(list(names)[:8])}...")
    return found


def groups(net: nn.Module, recipe: Training) -> list[dict[str, Any]]:
    """Parameter groups by weight decay and rate (`bias_lr` is for parameters of one dimension); as few as can be: each costs time."""
    chosen = penalised(net, recipe.penalised)
    out: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, p in net.named_parameters():
        if p.requires_grad:
            out.setdefault((recipe.l2 if name in chosen else 0.0, peak(p, recipe)), []).append(p)
    return [{"params": params, "weight_decay": decay, "lr": top} for (decay, top), params in out.items()]


def peak(p: nn.Parameter, recipe: Training) -> float:
    """The highest learning rate of a parameter."""
    return recipe.lr * (1.0 if p.ndim > 1 else recipe.bias_lr)


def optimiser(net: nn.Module, recipe: Training) -> Optimizer:
    """The recipe's optimiser over all trainable parameters; fused kernels: one pass over memory instead of several."""
    parts = groups(net, recipe)
    make: dict[str, Callable[[], Optimizer]] = {
        "sgd": lambda: SGD(parts, recipe.lr, recipe.momentum, nesterov=recipe.nesterov, fused=True),
        "adam": lambda: Adam(parts, recipe.lr, recipe.betas, recipe.eps, fused=True),
        "adamw": lambda: AdamW(parts, recipe.lr, recipe.betas, recipe.eps, fused=True),
        "rmsprop": lambda: RMSprop(parts, recipe.lr, momentum=recipe.momentum, eps=recipe.eps),
        "muon": lambda: Muon(net, recipe.lr, getattr(net, "last", ()), recipe.lr * recipe.bias_lr, recipe.l2, recipe.momentum),
    }
    return make[recipe.optimiser]()


def rate(recipe: Training, share: float) -> float:
    """The factor on the learning rate when `share` (0..1) of the training is done (onecycle: Smith 2018, without the momentum)."""
    warmup = recipe.warmup or (0.3 if recipe.schedule == "onecycle" else 0.0)
    if share < warmup:
        return max(share / warmup, 0.01)
    rest = (share - warmup) / max(1 - warmup, 1e-9)
    match recipe.schedule:
        case "step":
            return recipe.gamma ** sum(share >= m for m in recipe.milestones)
        case "cosine" | "onecycle":
            return recipe.final + (1 - recipe.final) * (1 + math.cos(math.pi * rest)) / 2
        case "linear":
            return 1 - (1 - recipe.final) * rest
    return 1.0


def set_rate(optimizer: Optimizer, recipe: Training, share: float) -> None:
    """Give every group its learning rate when `share` (0..1) of the training is done.

    From the recipe, not from the group: a checkpoint brings groups back as they were before the recipe was changed.
    """
    factor = rate(recipe, share)
    for group in optimizer.param_groups:
        whole = group.get("turned", group["params"][0].ndim > 1)  # muon's last layers have Adam's rate, of whatever shape they are
        group["lr"] = recipe.lr * (1.0 if whole else recipe.bias_lr) * factor


def hold_then_fall(optimizer: Optimizer, share: float, index: int) -> None:
    """Rates for step `index` when `share` (0..1) is done: up in 50 steps, each group's `peak`, from two fifths on down a cosine."""
    down = max(share - 0.4, 0) / 0.6
    factor = min(1.0, (index + 1) / 50) * ((1 + math.cos(math.pi * down)) / 2 + 1e-3)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


class Muon(Optimizer):
    """Steps of equal length in all directions of a weight matrix (Jordan et al. 2024, kellerjordan.github.io/posts/muon).

    The momentum of a parameter of two or more dimensions, flattened to (out, rest), is replaced by the nearest matrix with equal
    singular values, by five steps of Newton and Schulz: rare directions are learnt as fast as common ones, in fewer steps, each of
    which takes a few percent longer. Parameters of one dimension and those in `plain` (the last layers) take Adam's steps. Weight
    decay is decoupled in both.
    """

    def __init__(self, net: nn.Module, lr: float = 0.02, plain: tuple[nn.Module, ...] = (), plain_lr: float = 2e-3,
                 decay: float = 0.01, momentum: float = 0.95) -> None:
        """lr: length of a step per direction; plain_lr: Adam's; both are kept as `peak` of their groups for schedules."""
        outside = {id(p) for module in plain for p in module.parameters()}
        matrices = [p for p in net.parameters() if p.ndim > 1 and id(p) not in outside]
        rest = [p for p in net.parameters() if p.ndim == 1 or id(p) in outside]
        parts = [{"params": matrices, "lr": lr, "peak": lr, "momentum": momentum, "weight_decay": decay, "turned": True},
                 {"params": rest, "lr": plain_lr, "peak": plain_lr, "momentum": 0.9, "weight_decay": 0.0, "turned": False}]
        super().__init__([part for part in parts if part["params"]], {})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One step down the gradients that are there."""
        loss = closure() if closure else None
        for group in self.param_groups:
            step = _turned if group["turned"] else _adam
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(step(p.grad, self.state[p], group["momentum"]), alpha=-group["lr"])
        return loss


def _turned(grad: Tensor, state: dict[str, Any], momentum: float) -> Tensor:
    """Nesterov's momentum made orthogonal; tall matrices take longer steps, since their rows share the work."""
    mean = state.setdefault("mean", torch.zeros_like(grad)).lerp_(grad, 1 - momentum)
    matrix = grad.lerp(mean, momentum).flatten(1)
    return (orthogonal(matrix) * max(1.0, len(matrix) / matrix.shape[1]) ** 0.5).view_as(grad)


def _adam(grad: Tensor, state: dict[str, Any], momentum: float, second: float = 0.99) -> Tensor:
    """Adam's step for a rate of 1 (Kingma and Ba 2015, algorithm 1)."""
    state["step"] = state.get("step", 0) + 1
    mean = state.setdefault("mean", torch.zeros_like(grad)).lerp_(grad, 1 - momentum)
    square = state.setdefault("square", torch.zeros_like(grad)).lerp_(grad.square(), 1 - second)
    corrected = (square / (1 - second ** state["step"])).sqrt_().add_(1e-8)
    return mean / (1 - momentum ** state["step"]) / corrected


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """(M, N) -> the same with all singular values near 1 (0.7 to 1.2), by the quintic iteration of Jordan et al. 2024.

    Every step multiplies from the left by a polynomial of the rows' products, so these and one factor, both (M, M), are all that the
    steps need: a long matrix is multiplied twice instead of ten times.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.T if len(matrix) > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    if x.shape[1] <= 2 * len(x):
        for _ in range(steps):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
    else:
        gram, factor = x @ x.T, torch.eye(len(x), dtype=x.dtype, device=x.device)
        for step in range(steps):
            turn = (c * gram @ gram).add_(gram, alpha=b)
            turn.diagonal().add_(a)
            factor = turn @ factor
            if step < steps - 1:
                gram = turn @ gram @ turn
        x = factor @ x
    return x.T if len(matrix) > matrix.shape[1] else x
