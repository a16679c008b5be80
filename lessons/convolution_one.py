"""
What one-by-one convolutions save
=================================

A window of one pixel sees no shape at all. What is it for? It mixes channels: at every pixel the same small dense layer. GoogLeNet
puts one before each dear convolution, so that it works on few channels, and less than a third of the multiplications is left.

**1 × 1 卷积节省了什么**：只有一个像素的窗口看不到任何形状，那它有什么用？它混合各个通道：在每个像素处都是同一个小的全连接层。
GoogLeNet 在每个昂贵的卷积之前放一个，让后者只处理少数通道，乘法次数降到不足三分之一。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.cbook import get_sample_data
from torch import nn

from mien.models.googlenet import STAGES, googlenet
from mien.nn.trace import trace

# %%
# A change of colours is one
# --------------------------
# Brightness and two colour differences (Y, Cb, Cr) out of red, green and blue: nine weights, used at every pixel.

weights = torch.tensor([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]])
with get_sample_data("grace_hopper.jpg") as file:
    picture = torch.tensor(plt.imread(file, format="jpg")[:400, 80:480] / 255.0).float()
one = nn.Conv2d(3, 3, 1, bias=False)
with torch.no_grad():
    one.weight.copy_(weights[:, :, None, None])
    mixed = one(picture.permute(2, 0, 1)[None])[0]
    difference = (mixed - (picture @ weights.T).permute(2, 0, 1)).abs().max().item()

# %%
# The first inception module
# --------------------------
# 28 x 28 places, 192 channels in, 32 maps of a 5 x 5 kernel wanted. Directly: 28 · 28 · 32 · 5 · 5 · 192 multiplications. Through a
# bottleneck of 16 channels: 28 · 28 · 16 · 192 + 28 · 28 · 32 · 5 · 5 · 16, a tenth.

with torch.device("meta"):
    direct_net = nn.Conv2d(192, 32, 5, padding=2)
    bottleneck_net = nn.Sequential(nn.Conv2d(192, 16, 1), nn.Conv2d(16, 32, 5, padding=2))
direct, bottleneck = (trace(net, (192, 28, 28)).macs for net in (direct_net, bottleneck_net))

# %%
# All nine modules
# ----------------
# With the 1 x 1 layers, and without them: then the 3 x 3 and 5 x 5 kernels see all channels, and the pooled maps are handed on as
# they are, so that each module also puts out more channels than it was given, and the next one has more to do. Here the inputs are
# kept as they are in GoogLeNet, which is kind to the network without.

names, costs, c_in = [], [], 192
for number, (stage, side) in enumerate(zip(STAGES, (28, 14, 7), strict=True)):
    for k, (first, three_in, three, five_in, five, pool) in enumerate(stage):
        with_them = c_in * (first + three_in + five_in + pool) + 9 * three_in * three + 25 * five_in * five
        without = c_in * (first + 9 * three + 25 * five)
        names.append(f"{number + 3}{'abcde'[k]}")
        costs.append((side * side * with_them / 1e6, side * side * without / 1e6))
        c_in = first + three + five + pool
saved = sum(without for _, without in costs) / sum(with_them for with_them, _ in costs)

# %%
# The same sums from the library's network, as a check: `trace` counts every multiplication of GoogLeNet.

with torch.device("meta"):
    whole = trace(googlenet(), (3, 224, 224))
modules = sum(layer.macs for layer in whole.layers if ".branches." in layer.name) / 1e6

# %%

figure = plt.figure(figsize=(12.5, 6.4))
upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.1))
titles = ("red, green, blue", "Y: .299 R + .587 G + .114 B", "Cb", "Cr")
for panel, view, title in zip(upper.subplots(1, 4), (picture, *mixed), titles, strict=True):
    panel.imshow(view.numpy(), vmin=0 if title[0] == "Y" else -0.4, vmax=1 if title[0] == "Y" else 0.4)
    panel.set(title=title, xticks=[], yticks=[])
    panel.spines[:].set_visible(False)
first, all_nine = lower.subplots(1, 2, width_ratios=(1, 1.7))
first.barh(["5 x 5 directly", "1 x 1 to 16,\nthen 5 x 5"], [direct / 1e6, bottleneck / 1e6], color=["C3", "C0"])
for k, cost in enumerate((direct, bottleneck)):
    first.text(cost / 1e6 + 2, k, f"{cost / 1e6:.1f} M", va="center")
first.set(title="Module 3a, 192 channels to 32 maps", xlabel="million multiplications", xlim=(0, 150))
first.invert_yaxis()
across = torch.arange(9)
all_nine.bar(across - 0.2, [without for _, without in costs], 0.4, color="C3", label="without 1 x 1")
all_nine.bar(across + 0.2, [with_them for with_them, _ in costs], 0.4, color="C0", label="with (GoogLeNet)")
all_nine.set(title=f"All nine modules: {saved:.1f} times fewer", xticks=across, xticklabels=names, ylabel="million multiplications")
all_nine.legend()

numbers = {
    "convolution_minus_dense": difference, "millions_directly": direct / 1e6, "millions_through_a_bottleneck": bottleneck / 1e6,
    "millions_of_all_modules": sum(cost for cost, _ in costs), "the_same_traced": modules,
    "millions_without": sum(cost for _, cost in costs), "times_saved": saved,
}  # fmt: skip
