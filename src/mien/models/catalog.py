"""Every architecture of the library by name: how it is built, what it takes, where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from mien.models import deepfake, fast_rcnn, faster_rcnn, swap
from mien.models.alexnet import alexnet
from mien.models.densenet import densenet, densenet_cifar
from mien.models.detector import layers_of
from mien.models.dlib_face import dlib_face
from mien.models.drn import drn_c_26, drn_c_26_field
from mien.models.efficientnet import EfficientNetLite0
from mien.models.googlenet import googlenet
from mien.models.inspector import Inspector
from mien.models.lenet import lenet5, lenet5_1998
from mien.models.localiser import Localiser
from mien.models.mien_detect import lite0, mien_detect, mien_fast, mien_rcnn
from mien.models.mien_face import mien_face
from mien.models.mien_upscale import MienUpscale
from mien.models.mlp import mlp_classifier
from mien.models.rcnn import rcnn_alexnet, rcnn_vgg16
from mien.models.recurrent import recurrent
from mien.models.resnet import resnet
from mien.models.resnet_cifar import resnet_cifar
from mien.models.siamese import siamese
from mien.models.signal import signal_net
from mien.models.speed import speednet
from mien.models.srcnn import srcnn
from mien.models.srresnet import SRResNet, discriminator
from mien.models.style_net import StyleNet
from mien.models.vdsr import vdsr
from mien.models.vgg import vgg, vgg_cifar
from mien.models.volume import volume_net
from mien.models.zfnet import zfnet


@dataclass(frozen=True)
class Network:
    """One architecture."""

    build: Callable[..., nn.Module]
    """`build(classes=...)` where it classifies, `build()` else; untrained."""
    shape: tuple[int, ...]
    """Of one input, without the batch: (C, H, W), (C, L) or (C, D, H, W)."""
    paper: str
    parameters: int | None
    """As published, with the builder's defaults; None where no number was."""
    classifies: bool = True
    run: Callable[[Any, Tensor], object] | None = None
    """How a network whose own work hangs on what it sees is followed layer by layer; None: it is called."""


SIMONYAN, HE, HUANG = "Simonyan and Zisserman 2014", "He et al. 2015", "Huang et al. 2016"
DIGITS, CIFAR, IMAGENET, INSPECTED, ENLARGED = (1, 28, 28), (3, 32, 32), (3, 224, 224), (3, 400, 400), (1, 128, 128)


def _original() -> nn.Sequential:
    """Encoder and one decoder: a face goes through these two."""
    return nn.Sequential(deepfake.encoder(), deepfake.decoder())


def _compact() -> nn.Sequential:
    return nn.Sequential(swap.encoder("compact"), swap.Decoder("compact"))


NETWORKS: dict[str, Network] = {
    "mlp": Network(mlp_classifier, CIFAR, "Rumelhart et al. 1986", 646_260),
    "lenet5": Network(lenet5, DIGITS, "LeCun et al. 1998, as built today", 61_706),
    "lenet5-1998": Network(lenet5_1998, DIGITS, "LeCun et al. 1998", 60_000),
    "alexnet": Network(alexnet, (3, 227, 227), "Krizhevsky et al. 2012", 60_965_224),
    "alexnet-one": Network(partial(alexnet, groups=1), (3, 227, 227), "Krizhevsky et al. 2012, one group", 62_378_344),
    "zfnet": Network(zfnet, IMAGENET, "Zeiler and Fergus 2013", 62_357_608),
    "vgg11": Network(partial(vgg, "vgg11"), IMAGENET, SIMONYAN, 132_863_336),
    "vgg13": Network(partial(vgg, "vgg13"), IMAGENET, SIMONYAN, 133_047_848),
    "vgg16": Network(partial(vgg, "vgg16"), IMAGENET, SIMONYAN, 138_357_544),
    "vgg19": Network(partial(vgg, "vgg19"), IMAGENET, SIMONYAN, 143_667_240),
    "vgg16-bn": Network(partial(vgg, "vgg16", norm=True), IMAGENET, f"{SIMONYAN}, batch norm", 138_365_992),
    "vgg16-cifar": Network(partial(vgg_cifar, "vgg16"), CIFAR, f"{SIMONYAN}, batch norm", 14_728_266),
    "googlenet": Network(googlenet, IMAGENET, "Szegedy et al. 2014", 6_998_552),
    "resnet18": Network(partial(resnet, "resnet18"), IMAGENET, HE, 11_689_512),
    "resnet34": Network(partial(resnet, "resnet34"), IMAGENET, HE, 21_797_672),
    "resnet50": Network(partial(resnet, "resnet50"), IMAGENET, HE, 25_557_032),
    "resnet101": Network(partial(resnet, "resnet101"), IMAGENET, HE, 44_549_160),
    "resnet152": Network(partial(resnet, "resnet152"), IMAGENET, HE, 60_192_808),
    "resnet20": Network(partial(resnet_cifar, "resnet20"), CIFAR, HE, 269_722),
    "resnet20-b": Network(partial(resnet_cifar, "resnet20", shortcut="B"), CIFAR, f"{HE}, shortcut B", 272_474),
    "resnet32": Network(partial(resnet_cifar, "resnet32"), CIFAR, HE, 464_154),
    "resnet56": Network(partial(resnet_cifar, "resnet56"), CIFAR, HE, 853_018),
    "resnet110": Network(partial(resnet_cifar, "resnet110"), CIFAR, HE, 1_727_962),
    "densenet121": Network(partial(densenet, "densenet121"), IMAGENET, HUANG, 7_978_856),
    "densenet169": Network(partial(densenet, "densenet169"), IMAGENET, HUANG, 14_149_480),
    "densenet201": Network(partial(densenet, "densenet201"), IMAGENET, HUANG, 20_013_928),
    "densenet-bc-100-12": Network(densenet_cifar, CIFAR, HUANG, 769_162),
    "efficientnet-lite0": Network(EfficientNetLite0, IMAGENET, "Tan and Le 2019, Lite", 4_652_008),
    "drn-c-26": Network(drn_c_26, IMAGENET, "Yu et al. 2017", 21_126_584),
    "drn-c-26-field": Network(drn_c_26_field, INSPECTED, "Wang et al. 2019", None, classifies=False),
    "speednet": Network(speednet, CIFAR, "Jordan 2024", None),
    "siamese": Network(siamese, (1, 105, 105), "Koch et al. 2015", None),
    "rnn": Network(partial(recurrent, "plain"), DIGITS, "Elman 1990", None),
    "gru": Network(partial(recurrent, "gru"), DIGITS, "Cho et al. 2014", None),
    "lstm": Network(partial(recurrent, "lstm"), DIGITS, "Hochreiter and Schmidhuber 1997", None),
    "signal": Network(signal_net, (1, 256), "Kiranyaz et al. 2016, smaller", None),
    "volume": Network(volume_net, (1, 14, 14, 14), "Ji et al. 2010, smaller", None),
    "swap-original": Network(_original, (3, 64, 64), "the first face swap, 2017", 75_862_723, classifies=False),
    "swap-compact": Network(_compact, (3, 128, 128), "mien's face swap", None, classifies=False),
    "dlib-face": Network(dlib_face, (3, 150, 150), "King 2017", None, classifies=False),
    "mien-inspect": Network(Inspector, INSPECTED, "mien's own inspector", None, classifies=False),
    "srcnn": Network(srcnn, ENLARGED, "Dong et al. 2014, 9-5-5", 57_281, classifies=False),
    "srcnn-915": Network(partial(srcnn, "9-1-5"), ENLARGED, "Dong et al. 2014, 9-1-5", 8_129, classifies=False),
    "vdsr": Network(vdsr, ENLARGED, "Kim et al. 2016", 665_921, classifies=False),
    "srresnet": Network(SRResNet, (3, 24, 24), "Ledig et al. 2017", None, classifies=False),
    "srgan-discriminator": Network(discriminator, (3, 96, 96), "Ledig et al. 2017", None, classifies=False),
    "mien-upscale": Network(MienUpscale, (1, 64, 64), "mien's own enlarger, at x2", None, classifies=False),
    "mien-style": Network(StyleNet, (3, 256, 256), "Dumoulin et al. 2017, smaller", None, classifies=False),
    "mien-face": Network(mien_face, (3, 96, 96), "Hinton et al. 2015", None, classifies=False),
}
"""Name -> network."""


def _detector(build: Callable[..., nn.Module], shape: tuple[int, ...], paper: str, parameters: int | None = None) -> Network:
    return Network(build, shape, paper, parameters, classifies=False, run=layers_of)


RCNN, FAST, FASTER = "Girshick et al. 2014", "Girshick 2015", "Ren et al. 2015"
PICTURE, SMALL = (3, 600, 1000), (3, 256, 320)
DETECTORS: dict[str, Network] = {
    "rcnn-alexnet": _detector(rcnn_alexnet, (3, 227, 227), f"{RCNN}, one region"),
    "rcnn-vgg16": _detector(rcnn_vgg16, IMAGENET, f"{RCNN}, one region"),
    "fast-rcnn-vgg16": _detector(fast_rcnn.vgg16, PICTURE, f"{FAST}, 300 regions", 134_690_729),
    "faster-rcnn-vgg16": _detector(faster_rcnn.vgg16, PICTURE, f"{FASTER}, 300 regions", 137_078_239),
    "faster-rcnn-lite0": _detector(lite0, SMALL, "mien's own Faster R-CNN on EfficientNet-Lite0, 100 regions"),
    "faster-rcnn-resnet50-fpn": _detector(faster_rcnn.resnet50_fpn, (3, 800, 1344), "Lin et al. 2017, 300 regions"),
    "localiser": _detector(partial(Localiser, 3), SMALL, "Sermanet et al. 2014, smaller"),
    "mien-rcnn": _detector(mien_rcnn, (3, 64, 64), "mien's own R-CNN, one region"),
    "mien-fast": _detector(mien_fast, SMALL, "mien's own Fast R-CNN, 100 regions"),
    "mien-detect": _detector(mien_detect, SMALL, "mien's own Faster R-CNN, 100 regions"),
}
"""Name -> network that finds objects in pictures; `mien.models.detector` builds and opens them."""
