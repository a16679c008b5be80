"""Optimisers and learning-rate schedules of a recipe."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from torch import nn
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
        group["lr"] = peak(group["params"][0], recipe) * factor
