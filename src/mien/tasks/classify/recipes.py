"""Complete trainings of classifiers; each docstring says what it reproduces. `mien train classify/NAME` runs one."""

from __future__ import annotations

from dataclasses import replace

from mien.data.examples import CIFAR10
from mien.train.recipe import Recipe

CIFAR = Recipe("resnet20", "cifar10", names=CIFAR10, batch=128, lr=0.1, momentum=0.9, flip=True, shift=4, dev=0.0)
"""What trainings on CIFAR-10 have in common: all 50,000 pictures, mirrored and shifted by up to 4 pixels."""


def digits_256() -> Recipe:
    """16 x 16 digits, 256 inputs and 10 outputs, one layer, plain gradient descent on all pictures at once."""
    return Recipe("mlp", "digits", {"widths": [256]}, size=16, epochs=300, batch=0, lr=0.5)


def lenet5() -> Recipe:
    """LeNet-5 on MNIST (LeCun et al. 1998: 0.95 % error; here with ReLU and max pooling, shifts by up to 2 pixels)."""
    return Recipe("lenet5", "digits", epochs=20, batch=128, lr=0.1, momentum=0.9, nesterov=True, l2=5e-4, schedule="onecycle",
                  shift=2, dev=0.05)  # fmt: skip


def mlp_cifar() -> Recipe:
    """Flatten, 200 ReLU, 150 ReLU, 10 softmax; Adam 0.0005, batch 32, 10 epochs, shuffled: 51.6 % training accuracy."""
    return Recipe("mlp", "cifar10", {"widths": [3072, 200, 150]}, names=CIFAR10, inputs="none", epochs=10, batch=32,
                  optimiser="adam", lr=5e-4, eps=1e-7, dev=0.0)  # fmt: skip


def resnet20() -> Recipe:
    """ResNet-20, shortcut A, as in the paper (He et al. 2015, section 4.2): 64,000 steps of 128, 91.25 %."""
    return replace(CIFAR, epochs=164, l2=1e-4, penalised="all", schedule="step")


def resnet20_quick() -> Recipe:
    """ResNet-20 in a tenth of the paper's epochs: one cycle, Nesterov's momentum."""
    return replace(CIFAR, epochs=16, lr=0.2, nesterov=True, l2=5e-4, schedule="onecycle", shift=2)


def resnet56() -> Recipe:
    """ResNet-56 as in the paper: 93.03 %."""
    return replace(resnet20(), network="resnet56")


def vgg16_bn() -> Recipe:
    """VGG-16 with batch norm for 32-pixel pictures: about 93.6 %."""
    return replace(CIFAR, network="vgg16-cifar", epochs=160, lr=0.05, l2=5e-4, schedule="cosine", warmup=0.02)


def densenet_bc() -> Recipe:
    """DenseNet-BC-100-12 as in the paper (Huang et al. 2016, section 4.2): 300 epochs of 64, 95.49 %."""
    return replace(resnet20(), network="densenet-bc-100-12", epochs=300, batch=64, nesterov=True)


def speed() -> Recipe:
    """CIFAR-10 in little time (Jordan 2024): the settings of airbench94, its look-ahead replaced by a moving average."""
    return replace(CIFAR, network="speednet", epochs=12, batch=1000, lr=1.5, momentum=0.85, nesterov=True, l2=1.33e-3, bias_lr=64.0,
                   schedule="linear", warmup=0.23, final=0.07, label_smoothing=0.2, shift=2, average=0.95, mirror=True)  # fmt: skip


def speed_longer() -> Recipe:
    """The same in 19 epochs, with a square of 8 pixels blanked out: the bundled network."""
    return replace(speed(), epochs=19, cutout=8, average=0.97)


def photos() -> Recipe:
    """A folder of folders, from a bundled network whose last layer is made anew."""
    return Recipe("speednet", "", size=32, epochs=30, batch=64, lr=0.3, momentum=0.85, nesterov=True, l2=1.33e-3, bias_lr=8.0,
                  schedule="linear", warmup=0.1, final=0.02, label_smoothing=0.1, flip=True, shift=2, average=0.95, dev=0.1,
                  mirror=True)  # fmt: skip
