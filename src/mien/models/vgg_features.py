"""What VGG16 and VGG19 see (Simonyan and Zisserman 2014, arXiv 1409.1556, configurations D and E): their convolutions, maps by name.

conv1_1, relu1_1, conv1_2, relu1_2, pool1, conv2_1 ... relu5_3, pool5: convM_N is the map before the activation, reluM_N after it,
poolM half as large. The loss of SRGAN, style transfer and perceptual distances are measured in such maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien import weights
from mien.models import checking
from mien.weights import Preprocessing

CARD, CARD_19 = "vgg16-features", "vgg19-features"
DEPTHS = {CARD: (2, 2, 3, 3, 3), CARD_19: (2, 2, 4, 4, 4)}
"""Convolutions of each block."""
WIDTHS = (64, 128, 256, 512, 512)
"""Channels of each block."""
CAFFE = Preprocessing("BGR", 255.0, (103.939, 116.779, 123.68))
"""What the authors' weights want: blue, green, red in 0..255, less the mean of ImageNet."""
PERCEPTUAL = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
"""The end of each block: the layers of Zhang et al. 2018 (arXiv 1801.03924)."""


class VGGFeatures(nn.Module):
    """(B, 3, H, W) RGB in 0..1 -> layer -> map (B, C, H / 2^n, W / 2^n), n: pools before it."""

    scale: Tensor
    mean: Tensor

    def __init__(self, average: bool = False, widths: Sequence[int] = WIDTHS, depths: Sequence[int] = DEPTHS[CARD],
                 preprocessing: Preprocessing = CAFFE) -> None:
        """`average`: means where VGG takes the largest, which Gatys et al. 2016 (section 2) found smoother in synthesis.

        `preprocessing`: what the weights were learnt with.
        """
        super().__init__()
        self.average = average
        self.convs = nn.ModuleDict()
        c_in = 3
        for block, (width, depth) in enumerate(zip(widths, depths, strict=True), 1):
            for number in range(1, depth + 1):
                self.convs[f"conv{block}_{number}"] = nn.Conv2d(c_in, width, 3, padding=1)
                c_in = width
        self.flipped = preprocessing.order == "BGR"
        mean, deviation = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.deviation)
        self.register_buffer("scale", (preprocessing.scale / deviation).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("mean", (mean / deviation).reshape(1, 3, 1, 1), persistent=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """All names, in order."""
        names, block = [], 1
        for conv in self.convs:
            if int(conv[4]) > block:
                names.append(f"pool{block}")
                block += 1
            names += [conv, conv.replace("conv", "relu")]
        return (*names, f"pool{block}")

    def forward(self, x: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """The maps of `layers`, in the network's order; nothing beyond the deepest is computed.

        ValueError for a layer it does not have, or a picture that a pool would leave nothing of.
        """
        names, wanted = self.layers, set(layers)
        if unknown := wanted - set(names):
            raise ValueError(f"there is no layer {', '.join(sorted(unknown))}: choose of {', '.join(names)}")
        depth = max((names.index(name) for name in wanted), default=-1) + 1
        least = 2 ** sum(name.startswith("pool") for name in names[:depth])
        if min(x.shape[-2:]) < least:
            found = f"{x.shape[-1]} x {x.shape[-2]} pixels"
            raise ValueError(f"{found} are too few for {names[depth - 1]}: expected {least} or more a side")
        maps: dict[str, Tensor] = {}
        x = (x.flip(1) if self.flipped else x) * self.scale - self.mean
        for before, name in zip(("", *names), names[:depth], strict=False):
            if name.startswith("conv"):
                x = self.convs[name](x)
            elif name.startswith("relu"):
                x = F.relu(x, inplace=before not in wanted)
            else:
                x = (F.avg_pool2d if self.average else F.max_pool2d)(x, 2)
            if name in wanted:
                maps[name] = x
        return maps

    def checked(self, x: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """As `forward`, with the pools the weights were learnt with: what a card's numbers are measured by."""
        average, self.average = self.average, False
        try:
            return self(x, layers)
        finally:
            self.average = average


def load(average: bool = False, card: str = CARD) -> VGGFeatures:
    """With the published weights, frozen; gradients still reach the picture. VGG16's are fetched on first use.

    `card`: a key of `DEPTHS`. RuntimeError where the weights cannot be had, in words, or answer otherwise than the card says.
    """
    if card not in DEPTHS:
        raise ValueError(f"{card!r} is no VGG: choose of {', '.join(DEPTHS)}")
    net = VGGFeatures(average, depths=DEPTHS[card], preprocessing=weights.card(card).preprocessing or CAFFE)
    net.convs.load_state_dict(weights.load(card))
    net.eval().requires_grad_(False)
    checking.check(card, net.checked)
    return net


def at_hand(card: str = CARD) -> bool:
    """Whether the weights are on this machine. RuntimeError where the file found is another one."""
    return weights.here(card) is not None
