"""Trained networks as one file each: weights as safetensors, in the header the plan that builds the network again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mien.data.files import atomic
from mien.weights import cards, locate
from mien.weights.eight_bits import squeeze, unsqueeze

MODEL = "model.safetensors"
"""What the model is called in the run folder of its training."""


def model_file(model: str | Path, kind: str) -> Path | None:
    """The file that is meant: of a bundled network of that kind (its card's), of a run folder, or the file itself; None for none."""
    if str(model) in {card.name for card in cards() if card.kind == kind}:
        return locate(str(model))
    path = Path(model)
    return next((file for file in (path / MODEL, path) if file.is_file()), None)


def write(path: Path, net: nn.Module, header: str, plan: Mapping[str, Any], dtype: torch.dtype = torch.float32) -> None:
    """Matrices and kernels as `dtype` (int8: as `mien.weights.eight_bits`), vectors as they are; `plan` as JSON under `header`."""
    state = stored(net.state_dict(), dtype)
    with atomic(path) as draft:
        save_file(state, draft, metadata={header: json.dumps(plan)})


def stored(state: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Weights as `write` keeps them."""
    found = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    if dtype == torch.int8:
        return squeeze(found)
    return {name: value.to(dtype) if value.ndim > 1 else value for name, value in found.items()}


def plan_of(path: Path, header: str, what: str) -> dict[str, Any]:
    """The plan alone. ValueError where the file is none, or does not hold `what` ("an enlarger")."""
    return _opened(path, header, what, False)[1]


def read(path: Path, header: str, what: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights as float32, and the plan. ValueError as `plan_of`."""
    return _opened(path, header, what, True)


def _opened(path: Path, header: str, what: str, whole: bool) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(str(path), framework="pt") as file:
            text = (file.metadata() or {}).get(header)
            state = {name: file.get_tensor(name) for name in (file.keys() if whole else ())}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is not a whole .safetensors file: {error}") from None
    if text is None:
        raise ValueError(f"{path} holds weights, but not {what} of mien (no plan in its header)")
    try:
        return {name: value.float() for name, value in unsqueeze(state).items()}, dict(json.loads(text))
    except (ValueError, TypeError):
        raise ValueError(f"{path} has a plan in its header that is none: {text[:80]}") from None


def fill(net: nn.Module, state: Mapping[str, Tensor], path: Path, name: str) -> nn.Module:
    """`net`, called `name`, with the weights of `path`, for use. ValueError where they are another network's."""
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{path} holds other weights than {name} has: {str(error).splitlines()[-1].strip()}") from None
    return net.eval()
