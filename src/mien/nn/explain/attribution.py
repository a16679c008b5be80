"""Which pixels (samples, voxels) a number depends on: four methods over one contract, a score (B, C, ...) -> (B,).

Computed by captum (`pip install mien[explain]`): saliency, integrated gradients, Grad-CAM, occlusion.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Score = Callable[[Tensor], Tensor]
"""(B, C, H, W) -> (B,): what is to be explained."""
STEPS = (32, 128, 512)
"""Points on the path from the baseline to the picture; four times as many until the sum is right."""
TOLERANCE = 0.01
BATCH = 16
SMOOTHLY = {3: "linear", 4: "bilinear", 5: "trilinear"}
"""Interpolation by the number of dimensions."""


def captum() -> ModuleType:
    """`captum.attr`; RuntimeError with what to install."""
    try:
        import captum.attr
    except ImportError:
        raise RuntimeError("explaining needs captum: pip install 'mien[explain]'") from None
    return captum.attr


def saliency(score: Score, x: Tensor) -> Tensor:
    """|d score / d pixel|, the largest over the colours: (1, C, ...) -> (1, 1, ...) (Simonyan et al. 2013, section 3.1)."""
    gradient = captum().Saliency(score).attribute(x.clone().requires_grad_(), abs=True)
    return gradient.detach().amax(1, keepdim=True)


def integrated_gradients(score: Score, x: Tensor, baseline: Tensor) -> tuple[Tensor, float]:
    """How much each pixel adds to score(x) - score(baseline), and by what share of that the sum is off (completeness).

    (1, C, H, W) -> (1, C, H, W), Sundararajan et al. 2017, equation 1, by Gauss-Legendre quadrature: 32 steps, and
    four times as many until the sum is within 1 %, at most 512.
    """
    method = captum().IntegratedGradients(score)
    with torch.no_grad():
        change = float(score(x) - score(baseline))
    attribution, gap = x, float("inf")
    for steps in STEPS:
        attribution = method.attribute(x, baseline, n_steps=steps, internal_batch_size=BATCH).detach()
        gap = abs(float(attribution.sum()) - change) / max(abs(change), 1e-12)
        if gap <= TOLERANCE:
            break
    return attribution, gap


def grad_cam(score: Score, x: Tensor, layer: nn.Module) -> Tensor:
    """The layer's maps weighted by how much the score rises with each, negative parts cut: (1, 1, ...) at the picture's size.

    Selvaraju et al. 2017, equations 1 and 2; `layer` puts out maps (B, K, ...).
    """
    heat = captum().LayerGradCam(score, layer).attribute(x.clone().requires_grad_(), relu_attributions=True)
    return F.interpolate(heat.detach(), x.shape[2:], mode=SMOOTHLY[x.ndim], align_corners=False)


def occlusion(score: Score, x: Tensor, window: int, stride: int, cover: Tensor) -> Tensor:
    """How much the score falls when a square of `cover`'s colour hides the place, mean over all squares that hide it.

    (1, C, ...) -> (1, 1, ...), Zeiler & Fergus 2014, section 4.2; of signals an interval, of volumes a cube. `cover` broadcasts
    to the picture.
    """
    channels, axes = x.shape[1], x.ndim - 2
    with torch.no_grad():
        fall = captum().Occlusion(score).attribute(
            x, sliding_window_shapes=(channels, *[window] * axes), strides=(channels, *[stride] * axes),
            baselines=cover.expand_as(x), perturbations_per_eval=BATCH)  # fmt: skip
    return fall[:, :1]  # all colours are hidden together, so each channel holds the same number
