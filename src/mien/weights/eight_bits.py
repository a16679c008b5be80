"""Weights as files in eight bits a number, half of bfloat16: blocks of `BLOCK` numbers share the step they are rounded to.

A form to keep weights in, not to compute with: who reads them gets float32. The largest of a block decides its step (Dettmers et al.
2022, arXiv 2110.02861, section 2.1, with even steps), so one large weight makes 63 others coarser and no more: of bell-shaped weights
the error is about a 180th of their spread. Small tensors stay as they are: first layers weigh little and feel it most.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = 64
LEVELS = 127
LEAST = 4096
"""Numbers of a tensor that is worth it."""
STEP = "::step"
"""Ends the name of the steps that belong to a tensor of the same name."""


def squeeze(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every matrix and kernel of `LEAST` numbers or more as int8 and its steps, (blocks,) bfloat16; the rest stays."""
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        if value.ndim < 2 or value.numel() < LEAST or not value.is_floating_point():
            found[name] = value
            continue
        blocks = _blocks(value.float())
        step = (blocks.abs().amax(1) / LEVELS).bfloat16()
        whole = (blocks / step.float()[:, None]).nan_to_num(0.0).round().clamp(-LEVELS, LEVELS).to(torch.int8)
        found[name], found[name + STEP] = whole.flatten()[: value.numel()].view(value.shape), step
    return found


def unsqueeze(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `squeeze` was given, as float32, within half a step; tensors without steps as they are."""
    return {name: _spread(value, state[name + STEP]) if name + STEP in state else value
            for name, value in state.items() if not name.endswith(STEP)}  # fmt: skip


def _spread(whole: Tensor, step: Tensor) -> Tensor:
    return (_blocks(whole.float()) * step.float()[:, None]).flatten()[: whole.numel()].view(whole.shape)


def _blocks(value: Tensor) -> Tensor:
    """(blocks, BLOCK), zeros at the end."""
    return F.pad(value.flatten(), (0, -value.numel() % BLOCK)).view(-1, BLOCK)
