"""Pictures, and signing keys of the tests' own."""

from pathlib import Path

import numpy as np
import pytest
from small_vgg import tiny

from mien.data.pictures import write_picture


@pytest.fixture(autouse=True)
def _own_identity(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "keys"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with content.png (40 x 30), style.png, other.png and mask.png; VGG16 is `tiny`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mien.tasks.stylize.session.load", tiny)
    monkeypatch.setattr("mien.tasks.stylize.grid.load", tiny)
    rng = np.random.default_rng(0)
    for name, size in (("content", (30, 40)), ("style", (28, 36)), ("other", (50, 32))):
        coarse = rng.integers(0, 255, (size[0] // 4 + 1, size[1] // 4 + 1, 3), np.uint8)
        write_picture(tmp_path / f"{name}.png", coarse.repeat(4, 0).repeat(4, 1)[: size[0], : size[1]])
    mask = np.zeros((10, 10, 3), np.uint8)
    mask[:, :5] = 255
    write_picture(tmp_path / "mask.png", mask)
    write_picture(tmp_path / "black.png", 0 * mask)
    return tmp_path
