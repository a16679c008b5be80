"""
Backpropagation is the chain rule
=================================

How does a network know which way to turn each of its weights? The derivative of the loss by a weight is a sum over all paths from
that weight to the loss, and along a path the slopes are multiplied. Here it is done by hand for two weights of a small network.

**反向传播就是链式法则**：网络怎样知道每个权重该往哪个方向调整？损失对某个权重的导数，等于从该权重到损失的所有路径之和，每条
路径上各段的斜率相乘。这里对一个小网络的两个权重亲手推导。
"""

import math

import matplotlib.pyplot as plt
import torch

# %%
# The network
# -----------
# Three inputs, two hidden neurons, three outputs, a sigmoid on each neuron, no biases:
#
# - In_h1 = w1 x1 + w3 x2 + w5 x3 and In_h2 = w2 x1 + w4 x2 + w6 x3;
# - In_o1 = w7 h1 + w10 h2, In_o2 = w8 h1 + w11 h2 and In_o3 = w9 h1 + w12 h2;
# - L = ½ Σ (o - t)².

w = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.1, 0.2, 0.3], dtype=torch.float64, requires_grad=True)
x = torch.tensor([1.0, 4.0, 5.0], dtype=torch.float64)
t = torch.tensor([0.1, 0.05, 0.9], dtype=torch.float64)

h = torch.sigmoid(w[:6].view(3, 2).T @ x)
o = torch.sigmoid(w[6:].view(2, 3).T @ h)
loss = 0.5 * (o - t).square().sum()
loss.backward()

# %%
# By hand
# -------
# The slope of a sigmoid with output a is a (1 - a). From w12 to L there is one path, through o3:
# dL/dw12 = (o3 - t3) · o3 (1 - o3) · h2.

h1, h2 = h.tolist()
outputs, truths, (w10, w11, w12) = o.tolist(), t.tolist(), w[9:].tolist()
deltas = [(a - want) * a * (1 - a) for a, want in zip(outputs, truths, strict=True)]
dw12 = deltas[2] * h2

# %%
# From w6 there are three, all through h2 and then one through each output:
# dL/dw6 = (δ1 w10 + δ2 w11 + δ3 w12) · h2 (1 - h2) · x3, where δk = (ok - tk) · ok (1 - ok).
# The deltas are computed once and used by all earlier weights: that is what makes backpropagation fast.

dw6 = (deltas[0] * w10 + deltas[1] * w11 + deltas[2] * w12) * h2 * (1 - h2) * 5.0
autograd = w.grad.tolist()

# %%
# The picture
# -----------
# Each line is a weight. Its width is the size of its derivative; red lines should become smaller, blue ones larger. The hidden
# neurons are nearly saturated (0.978 and 0.992), so their slopes h (1 - h) are small, and with them all derivatives on the left.

figure, (drawing, bars) = plt.subplots(1, 2, width_ratios=(1.5, 1), figsize=(11, 5))
places = {"x1": (0, 2), "x2": (0, 1), "x3": (0, 0), "h1": (1, 1.5), "h2": (1, 0.5), "o1": (2, 2), "o2": (2, 1), "o3": (2, 0)}
ends = [(f"x{i}", f"h{j}") for i in (1, 2, 3) for j in (1, 2)] + [(f"h{j}", f"o{k}") for j in (1, 2) for k in (1, 2, 3)]
for k, ((start, end), slope) in enumerate(zip(ends, autograd, strict=True)):
    (xa, ya), (xb, yb) = places[start], places[end]
    drawing.plot((xa, xb), (ya, yb), color="C3" if slope > 0 else "C0", lw=6 + 1.5 * math.log10(abs(slope)))
    drawing.text(xa + 0.24 * (xb - xa), ya + 0.24 * (yb - ya), f"w{k + 1}", ha="center", va="center",
                 bbox={"fc": "white", "ec": "none", "pad": 1}, weight="bold" if k in (5, 11) else "normal")  # fmt: skip
values = dict(zip(places, [*x.tolist(), *h.tolist(), *o.tolist()], strict=True))
for name, (a, b) in places.items():
    drawing.scatter(a, b, s=1500, color="white", edgecolors="black", zorder=3)
    drawing.text(a, b, f"{name}\n{values[name]:.3g}", ha="center", va="center", zorder=4)
for k, want in enumerate(truths):
    drawing.text(2.22, 2 - k, f"t{k + 1} = {want:g}", va="center")
drawing.set(xlim=(-0.25, 2.6), ylim=(-0.35, 2.35), title=f"The network at work: L = {loss.item():.4f}")
drawing.axis("off")
bars.barh(range(1, 13), [abs(slope) for slope in autograd], color=["C3" if slope > 0 else "C0" for slope in autograd])
bars.plot(abs(dw6), 6, "kD", label="by hand")
bars.plot(abs(dw12), 12, "kD")
bars.set(xscale="log", yticks=range(1, 13), yticklabels=[f"w{k}" for k in range(1, 13)], title="Size of dL/dw")
bars.invert_yaxis()
bars.legend()

numbers = {
    "loss": loss.item(), "dL_dw6_by_hand": dw6, "dL_dw6_autograd": autograd[5],
    "dL_dw12_by_hand": dw12, "dL_dw12_autograd": autograd[11],
}  # fmt: skip
