"""Everything a run must remember to go on bit for bit: weights, averages, optimisers, random states, data order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch.optim import Optimizer

from mien.train.task import Task


def seed_all(seed: int) -> None:
    """Seed Python, numpy and torch (all devices)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def random_state(device: torch.device) -> dict[str, Any]:
    """The states of all global generators, with that of `device`."""
    state = {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Put back what `random_state` gave; a run moved to another kind of device keeps that device's own state."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
    if device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])


@contextmanager
def looking_only(task: Task, device: torch.device) -> Iterator[None]:
    """Inside: networks in eval mode, no gradients; afterwards modes and random states are as before."""
    modes = [(part, part.training) for module in task.modules().values() for part in module.modules()]
    before = random_state(device)
    for module in task.modules().values():
        module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes:
            part.training = training
        set_random_state(before, device)


def networks_state(task: Task) -> dict[str, Any]:
    """Weights, averages and optimisers."""
    return {
        "modules": {name: module.state_dict() for name, module in task.modules().items()},
        "averages": {name: ema.state_dict() for name, ema in task.averages().items()},
        "optimizers": {name: optimizer.state_dict() for name, optimizer in task.optimizers().items()},
    }


def load_networks(task: Task, state: dict[str, Any]) -> None:
    """Put back what `networks_state` gave; ValueError when the networks are other ones."""
    parts: dict[str, dict[str, Any]] = {
        "modules": {**task.modules()},
        "averages": {**task.averages()},
        "optimizers": {**task.optimizers()},
    }
    for kind, mine in parts.items():
        if set(mine) != set(state[kind]):
            raise ValueError(f"the checkpoint holds the {kind} {sorted(state[kind])}, this task has {sorted(mine)}")
        for name, part in mine.items():
            try:
                part.load_state_dict(state[kind][name])
            except (RuntimeError, ValueError, KeyError) as error:
                first = str(error).strip().splitlines()[:2]
                raise ValueError(f"the checkpoint's {name} is of another shape: {' '.join(first)}") from error
    for optimizer in task.optimizers().values():
        _same_layout(optimizer)


def _same_layout(optimizer: Optimizer) -> None:
    """Give the optimiser's tensors the memory layout of their weights: a file keeps none, mixed ones are slow."""
    for weight, values in optimizer.state.items():
        for key, value in values.items():
            if isinstance(value, torch.Tensor) and value.shape == weight.shape:
                values[key] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def ranks_state(task: Task, fabric: Fabric) -> list[dict[str, Any]]:
    """What differs from process to process (random states, data order), for all of them."""
    mine = {"random": random_state(fabric.device), "task": task.state()}
    if fabric.world_size == 1:
        return [mine]
    everyone: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(everyone, mine)
    return everyone


def load_rank(task: Task, fabric: Fabric, ranks: list[dict[str, Any]]) -> None:
    """Put back this process's part of `ranks_state`; ValueError when their number has changed."""
    if len(ranks) != fabric.world_size:
        raise ValueError(f"{len(ranks)} processes trained this run, now there are {fabric.world_size}: use as many")
    task.load_state(ranks[fabric.global_rank]["task"])
    set_random_state(ranks[fabric.global_rank]["random"], fabric.device)
