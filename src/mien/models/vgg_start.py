"""Detectors on VGG16 begin with what its authors learnt from ImageNet (Fast R-CNN, section 2.2)."""

from __future__ import annotations

import torch
from torch import nn

from mien.models.fast_rcnn import DEVIATION
from mien.models.vgg_features import CAFFE, VGGFeatures


@torch.no_grad()
def begin(body: nn.Module, seen: VGGFeatures, frozen: int = 2) -> None:
    """Give the 13 convolutions of `body` (`mien.models.fast_rcnn.vgg_layers` and what follows) the weights of `seen`, VGG16.

    frozen: blocks, from the first one on, that will not learn (Fast R-CNN, section 4.5: conv3_1 and up do). ValueError where `body`
    does not have those convolutions.
    """
    own, given = [layer for layer in body.modules() if isinstance(layer, nn.Conv2d)], [*seen.convs.items()]
    if [layer.weight.shape for layer in own] != [layer.weight.shape for _, layer in given]:
        raise ValueError("the network does not stand on the convolutions of VGG16")
    for layer, (name, theirs) in zip(own, given, strict=True):
        layer.load_state_dict(theirs.state_dict())
        layer.requires_grad_(int(name[4]) > frozen)
    colours = own[0].weight.new_tensor(DEVIATION) * CAFFE.scale  # blue, green, red in 0..255 were wanted
    own[0].weight.copy_(own[0].weight.flip(1) * colours[:, None, None])
