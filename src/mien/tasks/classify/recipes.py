"""Complete trainings of classifiers; each docstring says what it reproduces. `mien train classify/NAME` runs one."""

from __future__ import annotations

from dataclasses import replace

from mien.data.examples import CIFAR10
from mien.train.recipe import Recipe

CIFAR = Recipe("resnet20", "cifar10", names=CIFAR10, batch=128, lr=0.1, momentum=0.9, flip=True, shift=4, dev=0.0)
"""What trainings on CIFAR-10 have in common: all 50,000 pictures, mirrored and shifted by up to 4 pixels."""

IMAGENET = Recipe("resnet50", "", size=224, batch=256, lr=0.1, momentum=0.9, l2=1e-4, schedule="step", flip=True, shift=16, dev=0.0,
                  mirror=True)  # fmt: skip
"""What trainings on ImageNet have in common, for any folder of folders: `mien train classify/NAME --data FOLDER`.

The papers cut 224 pixels anywhere out of 256: here pictures of 224 are shifted by up to 16, edges reflected. They also change
colours (AlexNet, VGG, ResNet) and sizes (GoogLeNet, ResNet, DenseNet), take the rate's next step when the validation error stands
still, and test on ten crops and more: here colours and sizes stay, the steps have their places, and the test is of the picture and
its mirror image. Errors are top-1 on ImageNet unless said otherwise.
"""


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


def resnet32() -> Recipe:
    """ResNet-32 as in the paper (table 6): 92.49 %."""
    return replace(resnet20(), network="resnet32")


def resnet56() -> Recipe:
    """ResNet-56 as in the paper: 93.03 %."""
    return replace(resnet20(), network="resnet56")


def resnet110() -> Recipe:
    """ResNet-110 as in the paper (section 4.2, table 6): 93.57 %; the first 400 steps, there at a tenth of the rate, rise to it."""
    return replace(resnet20(), network="resnet110", warmup=400 / 64_000)


def vgg16_bn() -> Recipe:
    """VGG-16 with batch norm for 32-pixel pictures: about 93.6 %."""
    return replace(CIFAR, network="vgg16-cifar", epochs=160, lr=0.05, l2=5e-4, schedule="cosine", warmup=0.02)


def densenet_bc() -> Recipe:
    """DenseNet-BC-100-12 as in the paper (Huang et al. 2016, section 4.2): 300 epochs of 64, 95.49 %."""
    return replace(resnet20(), network="densenet-bc-100-12", epochs=300, batch=64, nesterov=True)


def alexnet() -> Recipe:
    """AlexNet (Krizhevsky et al. 2012, section 5) on a folder of folders: 90 epochs of 128, rate 0.01, lowered thrice; 40.7 % error.

    Pixels have unit variance here, and 0..255 there, beside the paper's first weights of 0.01.
    """
    return replace(IMAGENET, network="alexnet", size=227, shift=14, epochs=90, batch=128, lr=0.01, l2=5e-4,
                   milestones=(0.25, 0.5, 0.75))  # fmt: skip


def zfnet() -> Recipe:
    """ZFNet (Zeiler and Fergus 2013, section 3) on a folder of folders: 70 epochs of 128, rate 0.01; 38.4 % error.

    The paper names no penalty (AlexNet's here), and scales filters that grow too large down (not done here).
    """
    return replace(alexnet(), network="zfnet", size=224, shift=16, epochs=70)


def vgg16() -> Recipe:
    """VGG-16 (Simonyan and Zisserman 2014, section 3.1, table 3: D at 256) on a folder of folders: 74 epochs of 256; 27.0 % error.

    There the first layers come from VGG-11; here all weights start as He et al. 2015 draw them.
    """
    return replace(IMAGENET, network="vgg16", epochs=74, lr=0.01, l2=5e-4, milestones=(0.25, 0.5, 0.75))


def vgg11() -> Recipe:
    """VGG-11 as `vgg16` (table 3: A): 29.6 % error."""
    return replace(vgg16(), network="vgg11")


def vgg13() -> Recipe:
    """VGG-13 as `vgg16` (table 3: B): 28.7 % error."""
    return replace(vgg16(), network="vgg13")


def vgg19() -> Recipe:
    """VGG-19 as `vgg16` (table 3: E at 256): 27.3 % error."""
    return replace(vgg16(), network="vgg19")


def googlenet() -> Recipe:
    """GoogLeNet with its side heads (Szegedy et al. 2014, sections 5 and 6) on a folder of folders: 10.07 % top-5 error (one crop).

    The paper gives momentum 0.9, 4 % less rate every 8 epochs, averaged weights, and side losses times 0.3. Batch, rate, penalty and
    length are Caffe's (bvlc_googlenet: 32, 0.01, 2e-4, 250 epochs).
    """
    return replace(IMAGENET, network="googlenet", options={"heads": True}, epochs=250, batch=32, lr=0.01, l2=2e-4, gamma=0.96,
                   milestones=tuple(8 * n / 250 for n in range(1, 32)), average=0.9999)  # fmt: skip


def resnet18() -> Recipe:
    """ResNet-18 (He et al. 2015, section 3.4, table 2) on a folder of folders: 120 epochs of 256, rate 0.1; 27.88 % error.

    Where the shape changes the shortcut is a convolution (option B), in the paper's table 2 it is padded with zeros (A).
    """
    return replace(IMAGENET, network="resnet18", epochs=120, penalised="all", milestones=(0.25, 0.5, 0.75))


def resnet34() -> Recipe:
    """ResNet-34 as `resnet18` (table 3: B): 24.52 % error."""
    return replace(resnet18(), network="resnet34")


def resnet50() -> Recipe:
    """ResNet-50 as `resnet18` (table 3), strides on the first 1 x 1 convolutions as in the paper: 22.85 % error."""
    return replace(resnet18(), network="resnet50", options={"v1": True})


def resnet101() -> Recipe:
    """ResNet-101 as `resnet50`: 21.75 % error."""
    return replace(resnet50(), network="resnet101")


def resnet152() -> Recipe:
    """ResNet-152 as `resnet50`: 21.43 % error."""
    return replace(resnet50(), network="resnet152")


def densenet121() -> Recipe:
    """DenseNet-BC-121 (Huang et al. 2016, section 4.2, table 3) on a folder of folders: 90 epochs of 256; 25.02 % error (one crop)."""
    return replace(IMAGENET, network="densenet121", epochs=90, nesterov=True, penalised="all", milestones=(1 / 3, 2 / 3))


def densenet169() -> Recipe:
    """DenseNet-BC-169 as `densenet121`: 23.80 % error."""
    return replace(densenet121(), network="densenet169")


def densenet201() -> Recipe:
    """DenseNet-BC-201 as `densenet121`: 22.58 % error."""
    return replace(densenet121(), network="densenet201")


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
