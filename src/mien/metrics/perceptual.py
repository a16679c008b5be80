"""How differently two pictures look to a network that was trained to tell things apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
"""Of VGG16: those of Zhang et al. 2018, the ends of its five blocks."""


def feature_distance(
    x: Tensor, y: Tensor, net: Callable[[Tensor, Iterable[str]], Mapping[str, Tensor]], layers: Iterable[str] = LAYERS
) -> Tensor:
    """(B, 3, H, W) RGB in 0..1 twice -> (B,); 0 where they are the same, more where they look less alike, for ReLU maps at most 2.

    Zhang et al. 2018 (arXiv 1801.03924), equation 1, without learned weights (w = 1): at every place the vector of channels is brought
    to length 1; squared differences are summed over channels and averaged over places, here also over layers, where the paper sums. It
    is therefore not LPIPS, whose weights were learnt from people's judgements, and its numbers are not to be compared with LPIPS'.
    `net`: (picture, layers) -> layer -> map, for example `mien.models.vgg_features.load()`. Raises ValueError for other shapes.
    """
    if x.shape != y.shape or x.ndim != 4:
        raise ValueError(f"two batches of one shape (B, 3, H, W) are compared, not {tuple(x.shape)} and {tuple(y.shape)}")
    seen, wanted = net(x, layers), net(y, layers)
    each = [(F.normalize(seen[name].float(), dim=1, eps=1e-10) - F.normalize(wanted[name].float(), dim=1, eps=1e-10)).square().sum(1)
            for name in seen]  # fmt: skip
    return torch.stack([one.mean((1, 2)) for one in each]).mean(0)
