"""How good a crop is to learn from."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDE = 128


def sharpness(crop: np.ndarray) -> float:
    """(S, S, 3) uint8 -> variance of the Laplacian of the grey crop, seen at 128 pixels (Pech-Pacheco et al. 2000).

    Grey runs 0..255 (BT.601). Because every crop is seen at one size, a small face that was enlarged counts as blurred
    and crops of different sets compare. Under 30 is soft, over 200 crisp; noise and JPEG blocks count as detail too.
    """
    grey = np.asarray(Image.fromarray(crop).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    return float(edges.var())
