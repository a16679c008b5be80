"""A tiny swap model of two drawn people, and the public-domain portraits as files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from portraits import eileen, grace

from mien.models.swap import SwapNet
from mien.models.swap_model import Person, SwapModel


@pytest.fixture
def tiny() -> SwapModel:
    """Random weights; Grace is "grace", whose vector is all 0, Eileen's all 1."""
    torch.manual_seed(0)
    people = {name: Person(name, 3, [value] * 128, [f"{name}.jpg"]) for name, value in (("grace", 0.0), ("eileen", 1.0))}
    return SwapModel(SwapNet(people, "tiny"), "tiny", people, {"consent": "drawn for a test"})


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, Path]:
    """JPEG files of one face each."""
    files = {"grace": tmp_path / "grace.jpg", "eileen": tmp_path / "eileen.jpg"}
    Image.fromarray(grace()).save(files["grace"], quality=95)
    Image.fromarray(eileen()).save(files["eileen"], quality=95)
    return files


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A picture of both."""
    from portraits import place

    both = place(grace(), 20, 20)
    both = np.where(place(eileen(), 340, 20, fill=0).any(-1, keepdims=True) & (np.arange(640) >= 340)[None, :, None],
                    place(eileen(), 340, 20), both)
    Image.fromarray(both.astype(np.uint8)).save(tmp_path / "two.png")
    return tmp_path / "two.png"
