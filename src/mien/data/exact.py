"""Arithmetic on pictures keeps its precision where networks around it do without."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def exactly(x: Tensor) -> AbstractContextManager[object]:
    """Inside, what is computed from `x` is not rounded by autocast: the 8 bits of bf16 are off by a level of 255 and more."""
    kind = x.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()
