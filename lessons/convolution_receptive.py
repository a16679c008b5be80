"""
The receptive field
===================

How much of the picture does one number deep in a network see? A 3 x 3 convolution sees three pixels. The next one sees three of those,
five pixels in all; behind a stride of two, each further step is two pixels wide. So the field grows slowly at first, then fast.

**感受野**：网络深处的一个数能看到图片的多大范围？一层 3 × 3 卷积看到三个像素，下一层看到其中三个，合起来是五个像素；
经过步长为 2 的层之后，每向外一步就是两个像素。所以感受野起初增长得慢，后来增长得快。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.cbook import get_sample_data
from matplotlib.patches import Rectangle
from torch import nn

from mien.models.alexnet import alexnet
from mien.models.resnet import resnet
from mien.models.vgg import vgg
from mien.nn.trace import trace

# %%
# By hand
# -------
# Keep two numbers: the field r, and the jump j, the pixels between two neighbouring places. A layer with kernel k and stride s makes
# r + (k - 1) j and j s of them. VGG16 is 13 convolutions of 3 x 3 and five poolings of 2 x 2.

r, j = 1, 1
for convolutions in (2, 2, 3, 3, 3):
    r += 2 * j * convolutions
    r, j = r + j, 2 * j

# %%
# By the library: `trace` runs any network once without numbers and follows what every position sees.

with torch.device("meta"):
    nets = {"VGG16": vgg("vgg16"), "ResNet-18": resnet("resnet18"), "AlexNet": alexnet()}
traces = {name: trace(net, (3, 227, 227) if name == "AlexNet" else (3, 224, 224)) for name, net in nets.items()}
fields = {name: traced.field[0] for name, traced in traces.items()}

# %%
# Not all of it counts alike
# --------------------------
# A pixel in the middle of the field reaches the output on many paths, one at its border on a single one. Ten 3 x 3 convolutions see 21
# pixels; with equal weights the influence is close to a Gaussian of standard deviation √(10 · 2/3) = 2.58 (Luo et al. 2016).

ten = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(10)))
for layer in ten:
    nn.init.constant_(layer.weight, 1 / 9)
x = torch.zeros(1, 1, 31, 31, requires_grad=True)
ten(x)[0, 0, 15, 15].backward()
influence = x.grad[0, 0]
row = influence.sum(0)
spread = (row * (torch.arange(31) - 15) ** 2).sum().sqrt().item()
middle = influence[15 - 5 : 15 + 6, 15 - 5 : 15 + 6].sum().item()

# %%
# The picture
# -----------
# Left: what one position in the middle of five of VGG16's layers sees. (Rear Admiral Grace Hopper, public domain, from matplotlib.)

with get_sample_data("grace_hopper.jpg") as file:
    picture = plt.imread(file, format="jpg")[20:468, 40:488][::2, ::2]
figure, (photo, growth, within) = plt.subplots(1, 3, figsize=(13, 4.4), width_ratios=(1.2, 1.2, 1))
photo.imshow(picture)
pools = [layer for layer in traces["VGG16"].layers if layer.kind == "MaxPool2d"]
for number, layer in enumerate(pools):
    place = layer.shape[1] // 2
    (top, bottom), (left, right) = layer.window((place, place))
    colour = f"C{(3, 1, 2, 0, 4)[number]}"
    photo.add_patch(Rectangle((left, top), right - left, bottom - top, fc="none", ec=colour, lw=2))
    photo.text(228, 214 - 22 * number, f"pool{number + 1}: {bottom - top}", color=colour, weight="bold", va="center")
photo.spines[:].set_visible(False)
photo.set(title="VGG16: the field of one position", xticks=[], yticks=[], xlim=(-0.5, 275), ylim=(223.5, -0.5))
for name, traced in traces.items():
    windows = [layer for layer in traced.layers if layer.kind in ("Conv2d", "MaxPool2d") and "shortcut" not in layer.name]
    seen = [layer.field[0] for layer in windows]
    growth.plot(range(1, len(seen) + 1), seen, "o-", ms=4, label=f"{name}: {fields[name]}")
growth.axhline(224, color="C5", ls="--", lw=1)
growth.text(1, 230, "the whole picture: 224", color="C5")
growth.set(title="Receptive field, layer by layer", xlabel="convolution or pooling", ylabel="pixels")
growth.set_xticks(range(2, 19, 4))
growth.legend(loc="upper left")
shade = within.imshow(influence[3:28, 3:28].numpy(), cmap="viridis", extent=(-12.5, 12.5, -12.5, 12.5))
within.add_patch(Rectangle((-10.5, -10.5), 21, 21, fc="none", ec="white", ls="--"))
within.text(-10, 11, "field: 21 x 21", color="white", va="center")
within.set(title="Ten 3 x 3 layers: each pixel's influence", xlabel="pixels from the middle")
figure.colorbar(shade, ax=within, shrink=0.8)

numbers = {
    "vgg16_by_hand": r, "vgg16": fields["VGG16"], "resnet18": fields["ResNet-18"], "alexnet": fields["AlexNet"],
    "ten_layers": trace(ten, (1, 31, 31)).field[0], "spread_of_ten": spread, "influence_of_the_middle_11": middle,
}  # fmt: skip
