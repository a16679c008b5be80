"""
Grouped convolutions
====================

Must every kernel see all channels? AlexNet did not fit on one graphics card, so its layers 2, 4 and 5 were cut in two groups that see
only their own half: half the weights, half the work. Taken to the end, each channel is a group of its own.

**分组卷积**：每个卷积核都必须看到所有通道吗？AlexNet 一张显卡装不下，于是第 2、4、5 层被分成两组，各组只看自己那一半通道：
权重减半，计算量也减半。推到极致，每个通道自成一组。
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

from mien.models.alexnet import alexnet
from mien.nn.trace import trace

# %%
# Two layers in one
# -----------------
# A convolution of two groups is two convolutions side by side, each with half of the input.

torch.manual_seed(0)
x = torch.randn(1, 8, 9, 9)
grouped, upper, lower = nn.Conv2d(8, 12, 3, groups=2), nn.Conv2d(4, 6, 3), nn.Conv2d(4, 6, 3)
with torch.no_grad():
    for part, half in ((slice(0, 6), upper), (slice(6, 12), lower)):
        half.weight.copy_(grouped.weight[part])
        half.bias.copy_(grouped.bias[part])
    difference = (grouped(x) - torch.cat([upper(x[:, :4]), lower(x[:, 4:])], dim=1)).abs().max().item()

# %%
# AlexNet, with one group and with two
# ------------------------------------
# Layer 2 goes from 96 to 256 maps by 5 x 5: 614,400 weights in one group, 307,200 in two. In the whole network this saves only 1.4 of
# 62.4 million parameters, since the dense layers hold most of them; but a third of the multiplications.

with torch.device("meta"):
    traces = {groups: trace(alexnet(groups=groups), (3, 227, 227)) for groups in (1, 2)}
layers = {groups: [layer for layer in traced.layers if layer.kind == "Conv2d"] for groups, traced in traces.items()}

# %%
# To the end
# ----------
# 256 channels to 256 by 3 x 3: more groups, fewer weights. With 256 groups no channel knows of another, so a 1 x 1 convolution has to
# mix them afterwards. Both together are a "separable" convolution (MobileNet, Howard et al. 2017), an eighth to a ninth of the price.

counts = {groups: nn.Conv2d(256, 256, 3, groups=groups, bias=False).weight.numel() for groups in (1, 2, 4, 8, 16, 32, 64, 128, 256)}
separable = counts[256] + 256 * 256

# %%
# The picture
# -----------
# Above: which input channel (across) each output channel (down) sees, found by sending one channel at a time through the layer.


def sees(groups: int) -> torch.Tensor:
    """(24, 24) 1 where the output channel depends on the input channel."""
    layer = nn.Conv2d(24, 24, 3, groups=groups, bias=False)
    with torch.no_grad():
        return (layer(torch.eye(24)[:, :, None, None].expand(24, 24, 3, 3))[:, :, 0, 0].T != 0).float()


figure = plt.figure(figsize=(12.5, 6.2))
above, below = figure.subfigures(2, 1, height_ratios=(1, 1.2))
for panel, groups in zip(above.subplots(1, 4), (1, 2, 6, 24), strict=True):
    panel.imshow(sees(groups).numpy(), cmap="Blues", vmin=0, vmax=1.4)
    name = {1: "1 group", 24: "24 groups: depthwise"}.get(groups, f"{groups} groups")
    panel.set(title=f"{name}, {24 * 24 * 9 // groups:,} weights", xticks=[], yticks=[], xlabel="24 channels in", ylabel="24 out")
weights, work, end = below.subplots(1, 3, width_ratios=(1, 1, 1.2))
for panel, attribute, unit, title in ((weights, "parameters", 1e3, "AlexNet's convolutions: thousand parameters"),
                                      (work, "macs", 1e6, "and million multiplications")):  # fmt: skip
    for shift, groups, colour in ((-0.2, 1, "C3"), (0.2, 2, "C0")):
        values = [getattr(layer, attribute) / unit for layer in layers[groups]]
        panel.bar(torch.arange(1, 6) + shift, values, 0.4, color=colour, label=f"{groups} group{'s' * (groups > 1)}")
    panel.set(title=title, xlabel="layer")
weights.legend()
end.plot(list(counts), list(counts.values()), "o-")
end.axhline(separable, color="C1", ls="--")
end.text(256, separable * 1.15, "256 groups and then 1 x 1", color="C1", ha="right")
end.set(xscale="log", yscale="log", title="256 to 256 channels, 3 x 3: weights", xlabel="groups",
        xticks=[1, 4, 16, 64, 256], xticklabels=["1", "4", "16", "64", "256"])  # fmt: skip
end.minorticks_off()

numbers = {
    "grouped_minus_two_layers": difference, "alexnet_two_groups": traces[2].parameters, "alexnet_one_group": traces[1].parameters,
    "layer_2_weights_in_two": layers[2][1].parameters - 256, "layer_2_weights_in_one": layers[1][1].parameters - 256,
    "million_multiplications_in_two": traces[2].macs / 1e6, "million_multiplications_in_one": traces[1].macs / 1e6,
    "separable_saves": counts[1] / separable,
}  # fmt: skip
