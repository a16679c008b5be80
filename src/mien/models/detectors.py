"""From the name of a model to what finds objects in pictures."""

from __future__ import annotations

from pathlib import Path

import torch

from mien.models.detector import Detector, load
from mien.models.planned import model_file
from mien.nn.fuse import fused
from mien.weights import cards

NAMES = {"faces": "mien-detect-faces", "cells": "mien-detect-cells"}
"""What a person asks for, and the card of the network that is meant."""


def opened(model: str, device: torch.device | None = None) -> Detector:
    """`model`: one of `NAMES`, a card's name, a model file or a run folder; folded for use. ValueError for none of these."""
    net, plan = load(file_of(model))
    fused(net)
    return Detector(model, net.to(device) if device else net, plan)


def known() -> list[str]:
    """Models that are here."""
    there = {card.name for card in cards()}
    return [name for name, card in NAMES.items() if card in there]


def file_of(model: str) -> Path:
    """The file that is meant. ValueError where there is none."""
    if file := model_file(NAMES.get(model, model), "detector") or model_file(model, "detector"):
        return file
    raise ValueError(f"no model {model!r}: choose {', '.join([*known(), 'a .safetensors file'])} or the run folder of a training")
