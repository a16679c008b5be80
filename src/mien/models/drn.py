"""DRN-C-26, a dilated residual network (Yu, Koltun and Funkhouser 2017, arXiv 1705.09914), and its use against reshaped faces.

Where a ResNet would go on halving, it dilates: the last maps are an eighth of the input, not a 32nd. Two more levels without shortcuts
at the end, of falling dilation, take away the grid that dilation leaves. Detection of reshaped faces uses one such network for the
verdict and one for the field (Wang et al. 2019, "Detecting photoshopped faces by scripting Photoshop", arXiv 1906.05856).
"""

from __future__ import annotations

from torch import nn

from mien.models.layers import Residual, conv_norm, he

LEVELS = ((16, 1, 1, 1), (32, 1, 2, 1), (64, 2, 2, 1), (128, 2, 2, 1), (256, 2, 1, 2), (512, 2, 1, 4))
"""Channels, residual blocks, stride and dilation of levels 1 to 6."""
SMOOTHING = ((512, 2), (512, 1))
"""Channels and dilation of levels 7 and 8: two convolutions each, no shortcut."""
REDUCTION = 8


def _convolution(c_in: int, c_out: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(c_in, c_out, 3, stride, dilation, dilation, bias=False), nn.BatchNorm2d(c_out)]


def block(c_in: int, width: int, stride: int, dilation: int) -> Residual:
    """Two dilated 3 x 3 convolutions; where the shape changes, the shortcut is a 1 x 1."""
    body = nn.Sequential(*_convolution(c_in, width, stride, dilation), nn.ReLU(), *_convolution(width, width, 1, dilation))
    return Residual(body, nn.Identity() if stride == 1 and c_in == width else conv_norm(c_in, width, 1, stride))


def body(width: int = 16) -> nn.Sequential:
    """(B, 3, H, W) -> (B, 32 * width, H / 8, W / 8); `width` is 16 in the paper."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 7, 1, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    c_in = width
    for channels, depth, stride, dilation in LEVELS:
        c_out = channels * width // 16
        for place in range(depth):
            layers.append(block(c_in, c_out, stride if place == 0 else 1, dilation))
            c_in = c_out
    for channels, dilation in SMOOTHING:
        for _ in range(2):
            layers += [*_convolution(c_in, channels * width // 16, 1, dilation), nn.ReLU()]
    return nn.Sequential(*layers)


def drn_c_26(classes: int = 1000, width: int = 16) -> nn.Sequential:
    """(B, 3, H, W) -> (B, classes) logits; ImageNet: 224 pixels and 1000 classes, original or reshaped: 400 pixels and one logit."""
    return nn.Sequential(body(width), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32 * width, classes)).apply(he)


def drn_c_26_field(width: int = 16) -> nn.Sequential:
    """(B, 3, H, W) -> (B, 2, H, W), a field in pixels; starts at zero."""
    head = nn.Conv2d(32 * width, 2, 1)
    net = nn.Sequential(body(width), head, nn.Upsample(scale_factor=REDUCTION, mode="bilinear", align_corners=False)).apply(he)
    nn.init.zeros_(head.weight)
    return net
