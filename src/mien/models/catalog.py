"""Every architecture of the library by name: how it is built, what it takes, where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn

from mien.models.lenet import lenet5
from mien.models.mlp import mlp_classifier
from mien.models.resnet import resnet
from mien.models.resnet_cifar import resnet_cifar
from mien.models.speed import speednet
from mien.models.vgg import vgg, vgg_cifar


@dataclass(frozen=True)
class Network:
    """One architecture."""

    build: Callable[..., nn.Module]
    """`build(classes=...)` where it classifies, `build()` else; untrained."""
    shape: tuple[int, ...]
    """Of one input, without the batch: (C, H, W), (C, L) or (C, D, H, W)."""
    paper: str
    parameters: int | None
    """With the builder's defaults; None where nobody has published the number."""


SIMONYAN, HE = "Simonyan and Zisserman 2014", "He et al. 2015"
IMAGENET, CIFAR = (3, 224, 224), (3, 32, 32)

NETWORKS: dict[str, Network] = {
    "mlp": Network(mlp_classifier, CIFAR, "Rumelhart et al. 1986", 646_260),
    "lenet5": Network(lenet5, (1, 28, 28), "LeCun et al. 1998", 61_706),
    "vgg11": Network(partial(vgg, "vgg11"), IMAGENET, SIMONYAN, 132_863_336),
    "vgg13": Network(partial(vgg, "vgg13"), IMAGENET, SIMONYAN, 133_047_848),
    "vgg16": Network(partial(vgg, "vgg16"), IMAGENET, SIMONYAN, 138_357_544),
    "vgg19": Network(partial(vgg, "vgg19"), IMAGENET, SIMONYAN, 143_667_240),
    "vgg16-cifar": Network(partial(vgg_cifar, "vgg16"), CIFAR, SIMONYAN, 14_728_266),
    "resnet18": Network(partial(resnet, "resnet18"), IMAGENET, HE, 11_689_512),
    "resnet34": Network(partial(resnet, "resnet34"), IMAGENET, HE, 21_797_672),
    "resnet50": Network(partial(resnet, "resnet50"), IMAGENET, HE, 25_557_032),
    "resnet101": Network(partial(resnet, "resnet101"), IMAGENET, HE, 44_549_160),
    "resnet152": Network(partial(resnet, "resnet152"), IMAGENET, HE, 60_192_808),
    "resnet20": Network(partial(resnet_cifar, "resnet20"), CIFAR, HE, 269_722),
    "resnet32": Network(partial(resnet_cifar, "resnet32"), CIFAR, HE, None),
    "resnet56": Network(partial(resnet_cifar, "resnet56"), CIFAR, HE, 853_018),
    "resnet110": Network(partial(resnet_cifar, "resnet110"), CIFAR, HE, 1_727_962),
    "speednet": Network(speednet, CIFAR, "Jordan 2024", None),
}
"""Name -> network."""
