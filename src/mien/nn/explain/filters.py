"""What the first layer multiplies the picture with, as pictures."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mien.nn.explain.layers import Layer


def first_filters(net: nn.Module, found: Sequence[Layer], shape: tuple[int, ...]) -> tuple[str, Tensor] | None:
    """The first layer's name and its weights (K, 3 or 1, h, w) in 0..1 with 0 as middle grey, each filter by its own largest weight.

    A convolution's kernels, or a dense layer's rows folded back into the picture's `shape` (C, H, W). A kernel over other than
    3 channels becomes one grey picture a channel. None where the first layer is neither (1-D, 3-D, recurrent).
    """
    first = next((layer.name for layer in found if layer.weighted), None)
    module = net.get_submodule(first) if first is not None else None
    if isinstance(module, nn.Conv2d):
        weights = module.weight.detach()
    elif isinstance(module, nn.Linear) and len(shape) == 3 and module.in_features == shape[0] * shape[1] * shape[2]:
        weights = module.weight.detach().unflatten(1, shape)
    else:
        return None
    assert first is not None
    return first, as_pictures(weights)


def as_pictures(weights: Tensor) -> Tensor:
    """(K, C, h, w) weights -> (K, 3, h, w), or (K * C, 1, h, w) where C is not 3, in 0..1."""
    pictures = weights if weights.shape[1] == 3 else weights.flatten(0, 1)[:, None]
    largest = pictures.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
    return pictures / (2 * largest) + 0.5
