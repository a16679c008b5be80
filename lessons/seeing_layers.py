"""
What layers see
===============

A unit deep in a network answers to something in a picture, but to what? Ask it twice: which piece of a photograph excites it most,
and which picture would, if pixels may be anything? The first layer wants edges and colours, the next ones textures, the last ones
parts of things.

**各层看到了什么**：网络深处的一个单元会对图像中的某种东西作出反应，那是什么？可以问两次：照片里哪一块最能激发它？
如果像素可以任意取值，什么样的图像最能激发它？第一层想要边缘和颜色，随后是纹理，最后是物体的部件。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.cbook import get_sample_data
from torch import Tensor, nn
from torch.nn.functional import interpolate

from mien.models import classifier, vgg_features
from mien.models.vgg_features import VGGFeatures
from mien.nn.explain.dreaming import dream, stretched
from mien.nn.explain.field import fields, patch
from mien.nn.explain.layers import layers, outputs
from mien.nn.explain.maximise import Ascent
from mien.nn.explain.patches import answers

torch.manual_seed(0)

# %%
# A first layer, where the answer is known
# ----------------------------------------
# A unit of LeNet's first layer adds up 25 weighted pixels. So the picture it answers to most needs no search: white where a weight is
# positive, black where it is negative. Gradient ascent knows nothing of that. It starts from noise, asks which pixels to change, and
# moves and turns the picture a little at each step: what remains is the part of the pattern that survives that, which is what makes
# pictures for deeper units readable.

lenet, plan = classifier.load("lenet5-digits")
lenet.requires_grad_(False)
found = {layer.name: layer for layer in layers(lenet, lenet, torch.zeros(1, *plan.shape))}
first = next(name for name, module in lenet.named_modules() if isinstance(module, nn.Conv2d))
module, row = lenet.get_submodule(first), fields(lenet, plan.shape, [first])[first]
assert isinstance(module, nn.Conv2d)
best = (module.weight > 0).float()
climbed = torch.stack(dream(lenet, module, found[first], row, plan.shape, range(6), Ascent(steps=64, rate=0.2, contrast=4)))


def answer(pieces: Tensor) -> Tensor:
    """(6, 1, 5, 5), one for each unit -> (6,): what the unit says to it."""
    shown = torch.zeros(6, *plan.shape)
    shown[:, :, 12:17, 12:17] = pieces
    return outputs(lenet, [module], shown)[0][range(6), range(6), 14, 14]


reached = (answer(climbed) - answer(1 - best)) / (answer(best) - answer(1 - best))

# %%
# A deep network
# --------------
# VGG16 where its weights are here, else the small classifier of CIFAR-10 that comes with the library. Each unit of a map sees a square
# of the picture, its receptive field: it follows from kernels, strides and padding, so it is exact.

has_vgg = vgg_features.at_hand()
if has_vgg:
    net, shape, tile, step = vgg_features.load(), (3, 96, 96), 96, 48
    names, run = [f"convs.conv{place}" for place in ("2_2", "3_3", "4_3", "5_3")], lambda x: net(x, ["pool5"])
else:
    net, shape, tile, step = classifier.load("speednet-cifar10")[0].requires_grad_(False), (3, 32, 32), 32, 16
    names, run = ["1.body.0", "1.body.1", "1.body.2", "1.body.3"], net
with torch.device("meta"):
    architecture = VGGFeatures()
deep = [f"convs.conv{place}" for place in ("1_1", "2_2", "3_3", "4_3", "5_3")]
sees = [traced.field[0] for traced in fields(architecture, (3, 224, 224), deep, lambda x: architecture(x, ["pool5"])).values()]

# %%
# Pieces of a photograph
# ----------------------
# The photograph (Rear Admiral Grace Hopper, public domain; comes with matplotlib) is cut into overlapping squares. Shown are units
# that answer to a few of them far more than to the others, each with the piece that excites it most.

with get_sample_data("grace_hopper.jpg") as file:
    photo = torch.tensor(plt.imread(file, format="jpg")).permute(2, 0, 1)[None].float()
photo = interpolate(photo, scale_factor=5 * step / 512, mode="bicubic", antialias=True).clamp(0, 255).byte()[0]
tiles = photo.unfold(1, tile, step).unfold(2, tile, step).flatten(1, 2).transpose(0, 1)
rows, kinds = fields(net, shape, names, run), {layer.name: layer for layer in layers(net, run, torch.zeros(1, *shape))}
told = answers(run, [net.get_submodule(name) for name in names], tiles)
seen = []
for name, own in zip(names, told, strict=True):
    units = own.telling(3)
    peaks = [own.best(unit, 1)[0] for unit in units]
    pieces = [patch(rows[name], tiles[peak.picture].float() / 255, peak.at) for peak in peaks]
    made = dream(run, net.get_submodule(name), kinds[name], rows[name], shape, units, Ascent(steps=16, rate=0.2, contrast=2))
    seen.append((name, [stretched(one).clamp(0, 1) for one in made], pieces))

# %%

figure = plt.figure(figsize=(12, 8), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1, 3.2))
left.suptitle("LeNet, first layer:\nbest possible, and climbed to", fontsize=10)
for line, one, two in zip(left.subplots(6, 2), best, climbed, strict=True):
    line[0].imshow(one[0].numpy(), vmin=0, vmax=1)
    line[1].imshow(two[0].numpy(), vmin=0, vmax=1)
right.suptitle(f"{'VGG16' if has_vgg else 'SpeedNet, for want of VGG16'}: made from noise, and found in the photograph", fontsize=10)
for line, (name, made, pieces) in zip(right.subplots(4, 6), seen, strict=True):
    for panel, one in zip(line, [*made, *pieces], strict=True):
        panel.imshow(one.permute(1, 2, 0).numpy())
    line[0].set_title(f"{name.rpartition('.')[2] if has_vgg else name}, sees {rows[name].field[0]} pixels", fontsize=9)
for panel in figure.get_axes():
    panel.set(xticks=[], yticks=[])

numbers = {
    "least_reached_of_the_possible": reached.min().item(), "most_reached_of_the_possible": reached.max().item(),
    **{f"pixels_that_{name.rpartition('.')[2]}_sees": side for name, side in zip(deep, sees, strict=True)},
}  # fmt: skip
