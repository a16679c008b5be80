"""What the tests of `mien train` and `mien tune` share: pictures that are made here."""

import struct
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DATA/digits: IDX files of 8 x 8 pictures whose brighter half is the class."""
    random = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("data")
    labels = random.integers(0, 2, 120)
    images = random.integers(0, 140, (120, 8, 8, 1))
    images[labels == 1, :4] += 100
    images[labels == 0, 4:] += 100
    (folder / "digits").mkdir()
    head = {"images-idx3": struct.pack(">4B3I", 0, 0, 8, 3, 120, 8, 8), "labels-idx1": struct.pack(">4BI", 0, 0, 8, 1, 120)}
    for name, content in (("images-idx3", images[..., 0]), ("labels-idx1", labels)):
        (folder / "digits" / f"train-{name}-ubyte").write_bytes(head[name] + content.astype(np.uint8).tobytes())
    return folder
