"""
Adding or appending
===================

ResNet adds what a layer has found to what was there; DenseNet appends it. What is the difference? In a sum the old is no longer to
be told from the new. Appended, every layer reads the originals of all layers before it, so each has to add only a few channels.

**相加还是拼接**：ResNet 把一层的结果加到原有内容上，DenseNet 则把它拼接在后面。区别在哪里？相加之后，旧的内容无法再与新的分开；
拼接之后，每一层都能读到前面所有层的原始输出，因此每层只需增加少数几个通道。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from mien.models.densenet import Grow, densenet_cifar
from mien.models.layers import Residual, conv_norm
from mien.models.resnet_cifar import resnet_cifar
from mien.nn.trace import trace

# %%
# Twelve layers of each kind
# --------------------------
# Twenty-four channels go in. Twelve residual blocks keep them at 24. Twelve dense layers with growth 12 end at 24 + 12 · 12 = 168.

torch.manual_seed(0)
x = torch.randn(64, 24, 8, 8)
added = [Residual(nn.Sequential(conv_norm(24, 24, 3), nn.ReLU(), conv_norm(24, 24, 3)), nn.Identity()) for _ in range(12)]
appended = [Grow(24 + 12 * k, 12) for k in range(12)]


def run(blocks: list) -> list[Tensor]:
    """The channels behind each block, the input first."""
    states = [x]
    with torch.no_grad():
        for block in blocks:
            states.append(block(states[-1]))
    return states


sums, stacks = run(added), run(appended)

# %%
# Is the beginning still there?
# -----------------------------
# Try to read the first 24 channels off the last ones, pixel by pixel, with the best linear map. From DenseNet's they can be read
# exactly: they are there. From the sums less and less of them can.


def readable(state: Tensor) -> float:
    """Share of the input's variance that a linear map of the channels explains."""
    now, first = (each.transpose(0, 1).flatten(1).T.double() for each in (state, x))
    now = torch.cat([now, torch.ones(len(now), 1, dtype=torch.double)], 1)
    left = first - now @ torch.linalg.lstsq(now, first).solution
    return 1 - (left.var() / first.var()).item()


from_sums = [readable(state) for state in sums]
from_stacks = [readable(state) for state in stacks]

# %%
# What it costs
# -------------
# DenseNet-BC with 100 layers and growth 12 has 769,162 parameters and 95.5 % on CIFAR-10 in its paper; ResNet-110 has 1,727,962 and
# 93.6 % in its own. DenseNet's multiplications are a little more, and all those channels want memory.

with torch.device("meta"):
    nets = {"ResNet-110": resnet_cifar("resnet110"), "DenseNet-BC-100-12": densenet_cifar()}
traces = {name: trace(net, (3, 32, 32)) for name, net in nets.items()}
ends = ("add", "cat", "AvgPool2d")
widths = {name: [layer.shape[0] for layer in traced.layers if layer.kind in ends] for name, traced in traces.items()}

# %%

figure, (read, channels, cost) = plt.subplots(1, 3, figsize=(13, 3.9), width_ratios=(1, 1.2, 1))
for name, shares, colour in (("appended", from_stacks, "C0"), ("added", from_sums, "C3")):
    read.plot([100 * share for share in shares], "o-", color=colour, label=name)
read.set(title="How much of the input can be read off, %", xlabel="blocks passed", ylim=(0, 108))
read.legend(loc="center right")
for (name, width), colour in zip(widths.items(), ("C3", "C0"), strict=True):
    channels.plot(range(1, len(width) + 1), width, color=colour, label=name)
channels.set(title="Channels behind each block; transitions halve them", xlabel="block", ylim=(0, 360))
channels.legend(loc="upper left")
for shift, (name, traced), colour in zip((-0.2, 0.2), traces.items(), ("C3", "C0"), strict=True):
    sizes = (traced.parameters / 1e6, traced.macs / 1e9)
    cost.bar([shift, 1 + shift], [sizes[0], sizes[1] * 5], 0.4, color=colour, label=name)
    cost.text(shift, sizes[0] + 0.03, f"{sizes[0]:.2f} M", ha="center")
    cost.text(1 + shift, sizes[1] * 5 + 0.03, f"{1000 * sizes[1]:.0f} M", ha="center")
cost.set(title="Parameters and multiplications", xticks=[0, 1], xticklabels=["parameters", "multiplications"], yticks=[], ylim=(0, 2))
cost.legend(loc="upper right", fontsize=8, bbox_to_anchor=(1, 0.98))

numbers = {
    "channels_added": sums[-1].shape[1], "channels_appended": stacks[-1].shape[1],
    "readable_from_appended": from_stacks[-1], "readable_from_added": from_sums[-1],
    "first_channels_unchanged": (stacks[-1][:, :24] - x).abs().max().item(),
    "parameters_of_resnet110": traces["ResNet-110"].parameters, "parameters_of_densenet": traces["DenseNet-BC-100-12"].parameters,
    "widest_densenet": max(widths["DenseNet-BC-100-12"]),
}  # fmt: skip
