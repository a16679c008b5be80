"""Pictures to learn from whether or not anybody said what is on them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from mien.data.class_folders import loose_pile
from mien.data.examples import as_channels, decoded, read_examples
from mien.data.tables import unlabelled


def read_images(path: Path, size: int | None = None, channels: Literal[1, 3] | None = None) -> np.ndarray:
    """(N, H, W, C) uint8: the training pictures of a data set, a folder of pictures, or Parquet files without a column of labels.

    size, channels: as of `mien.data.examples.read_examples`. ValueError where there is none, one is damaged, or sizes differ.
    """
    path = Path(path)
    pile = unlabelled(path) or loose_pile(path)
    if pile is None:
        return read_examples(path, "train", size, channels).images
    return as_channels(decoded(pile, size), channels)
