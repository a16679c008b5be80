"""Any style in one pass: adaptive instance normalisation (Huang and Belongie 2017, arXiv 1703.06868).

The encoder is VGG16 as far as one layer, its weights as published and not part of the file; its maps of the content take on the mean
and the deviation of the style's, channel by channel (equation 8), and a decoder, which alone learns, makes a picture of them. The
paper decodes relu4_1 of VGG19 with 3.5 million weights. Here it is relu3_1 of VGG16 and half a million: a quarter of the picture's
size instead of an eighth, so what is drawn stays where it was, and strokes are finer than the paper's. And beside these maps the
picture itself, at their size, takes on the mean and the deviation of the style's colours: the decoder adds to that, and need not learn
which maps mean which colour, for which an hour on a CPU is too little.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mien.models.vgg_features import VGGFeatures
from mien.nn.style import statistics
from mien.nn.whole import Moments, Statistics

LAYER, STEP = "relu3_1", 4
"""What is decoded: the encoder's layer, and how many pixels a side one of its places has."""
WIDTHS = (128, 96, 64, 32)


def decoder(channels: int, widths: Sequence[int] = WIDTHS) -> nn.Sequential:
    """(B, channels, H / 4, W / 4) maps and colours -> (B, 3, H, W) to add to the colours; nearest neighbours between (section 6)."""
    deep, quarter, half, whole = widths

    def conv(c_in: int, c_out: int) -> list[nn.Module]:
        return [nn.ReflectionPad2d(1), nn.Conv2d(c_in, c_out, 3), nn.ReLU(inplace=True)]

    return nn.Sequential(
        *conv(channels, deep), *conv(deep, quarter), nn.UpsamplingNearest2d(scale_factor=2),
        *conv(quarter, half), nn.UpsamplingNearest2d(scale_factor=2),
        *conv(half, whole), nn.ReflectionPad2d(1), nn.Conv2d(whole, 3, 3),
    )  # fmt: skip


class AdaIN(nn.Module):
    """`AdaIN(encoder)(x, styles, weights, strength)`: (B, 3, H, W) RGB in 0..1 -> the same size, not clipped.

    The encoder is no part of `state_dict`: its weights are VGG16's own. `usual_mean` and `usual_spread`, (1, 259, 1, 1), are what maps
    of photos have: the decoder is given maps relative to them.
    """

    usual_mean: Tensor
    usual_spread: Tensor

    def __init__(self, encoder: VGGFeatures, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self._encoder = [encoder]  # in a list, so that it is not registered
        self.whole = Statistics()
        self.channels = int(encoder.convs["conv3_1"].out_channels)  # pyright: ignore[reportArgumentType]
        """Of the maps, 256; after them come three colours."""
        self.decoder = decoder(self.channels + 3, widths)
        self.register_buffer("usual_mean", torch.tensor([200.0] * self.channels + [0.5] * 3).view(1, -1, 1, 1))
        self.register_buffer("usual_spread", torch.tensor([300.0] * self.channels + [0.25] * 3).view(1, -1, 1, 1))
        for part in self.decoder:
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight)
                nn.init.zeros_(part.bias)  # pyright: ignore[reportArgumentType]
        nn.init.normal_(self.decoder[-1].weight, std=0.01)  # pyright: ignore[reportArgumentType]

    @property
    def encoder(self) -> VGGFeatures:
        """On the decoder's device."""
        return self._encoder[0].to(next(self.parameters()).device)

    @property
    def last(self) -> tuple[nn.Module, ...]:
        """The layer whose outputs are colours."""
        return (self.decoder[-1],)

    def encode(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) RGB in 0..1, sides in multiples of 4 -> (B, 259, H / 4, W / 4): relu3_1 and, at its size, the colours."""
        return joined(self.encoder(x, [LAYER])[LAYER], x)

    def style(self, picture: Tensor) -> Moments:
        """What is kept of a style: (1, 3, H, W) -> mean and deviation of each channel, (1, 259, 1, 1)."""
        return statistics(self.encode(filled(picture)))

    def decode(self, maps: Tensor) -> Tensor:
        """Maps and colours as `encode` gives them -> a picture."""
        drawn = self.decoder(torch.addcmul(-self.usual_mean / self.usual_spread, maps, 1 / self.usual_spread))
        return drawn + nn.functional.interpolate(maps[:, self.channels:], scale_factor=STEP, mode="bilinear")

    def target(self, maps: Tensor, styles: Sequence[Moments], weights: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """The maps the decoder is to make a picture of: equation 8 for each style, mixed (equation 15), and with the content's own
        (equation 14).

        weights (S,), adding up to 1; strength 0..1, the paper's alpha. Mixing maps that differ in mean and deviation alone is mixing
        these.
        """
        mean, spread = self.whole(maps)
        wanted, deviation = (sum(weight * style[part] for weight, style in zip(weights, styles, strict=True)) for part in (0, 1))
        wanted, deviation = (strength * new + (1 - strength) * old for new, old in ((wanted, mean), (deviation, spread)))
        scale = deviation / spread
        return torch.addcmul((wanted - mean * scale).to(maps.dtype), maps, scale.to(maps.dtype))

    def forward(self, x: Tensor, styles: Sequence[Moments], weights: Tensor, strength: float = 1.0) -> Tensor:
        """Any size: sides are `filled` up, and what was added is cut off."""
        height, width = x.shape[-2:]
        return self.decode(self.target(self.encode(filled(x)), styles, weights, strength))[..., :height, :width]


def joined(maps: Tensor, x: Tensor) -> Tensor:
    """The encoder's maps (B, 256, h, w) and a picture (B, 3, 4 h, 4 w), made as small -> (B, 259, h, w)."""
    return torch.cat([maps, nn.functional.avg_pool2d(x, STEP).to(maps.dtype)], 1)


def filled(x: Tensor) -> Tensor:
    """(B, C, H, W) -> sides in multiples of 4, 8 or more: the last row and column repeated."""
    add = [max(-side % STEP, 2 * STEP - side) for side in x.shape[-2:]]  # a reflected edge needs a second place
    return nn.functional.pad(x, (0, add[1], 0, add[0]), mode="replicate")
