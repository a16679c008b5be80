"""SRCNN (Dong et al. 2014, "Image Super-Resolution Using Deep Convolutional Networks", arXiv 1501.00092): three convolutions.

Patches are described, mapped and put together again: what a decade of dictionaries had done, learnt from end to end. It improves a
picture that bicubic interpolation has enlarged already.
"""

from __future__ import annotations

from torch import nn

from mien.models.layers import choice, he

KERNELS = {"9-1-5": (9, 1, 5), "9-3-5": (9, 3, 5), "9-5-5": (9, 5, 5)}
WIDTHS = (64, 32)
STARTS = ("small", "through")


def srcnn(name: str = "9-5-5", channels: int = 1, start: str = "small") -> nn.Sequential:
    """(B, 1, H, W) brightness in 0..1, enlarged -> (B, 1, H, W) sharper. 8,129, 24,513 or 57,281 parameters.

    `start`: "small" as the paper has it, normal with deviation 0.001, which takes millions of steps; "through": He's, and the first
    channel of each layer hands the picture on, so that it starts as bicubic interpolation. Biases are 0. At the border the picture's
    last pixels are repeated.
    """
    first, second, third = KERNELS[choice(name, KERNELS)]
    shapes = ((channels, WIDTHS[0], first), (WIDTHS[0], WIDTHS[1], second), (WIDTHS[1], channels, third))
    convs = [nn.Conv2d(a, b, k, padding=k // 2, padding_mode="replicate") for a, b, k in shapes]
    for conv in convs:
        he(conv)  # zeroes the biases too
        if choice(start, dict.fromkeys(STARTS)) == "small" or conv is convs[-1]:
            nn.init.normal_(conv.weight, std=0.001)
        if start == "through":
            nn.init.zeros_(conv.weight[0])
            conv.weight.data[0, 0, conv.kernel_size[0] // 2, conv.kernel_size[1] // 2] = 1
    return nn.Sequential(convs[0], nn.ReLU(), convs[1], nn.ReLU(), convs[2])
