"""A network of few channels in VGG16's shape."""

import torch

from mien.models.vgg_features import VGGFeatures


def tiny(average: bool = True) -> VGGFeatures:
    """The same every time."""
    generator = torch.Generator().manual_seed(0)
    net = VGGFeatures(average, (4, 6, 8, 8, 8))
    for parameter in net.parameters():
        # as He et al. 2015 have it, so that deep maps are neither nothing nor everything
        spread = (2 / parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.1
        torch.nn.init.normal_(parameter, std=spread, generator=generator)
    return net.eval().requires_grad_(False)
