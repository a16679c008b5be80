"""
XOR: what one neuron cannot do
==============================

Exclusive or is true when exactly one of two inputs is true. Can one neuron compute it, and if not, how many are needed? The border
of one neuron is a straight line, and no straight line has (0, 1) and (1, 0) on one side and (0, 0) and (1, 1) on the other.

**异或：单个神经元做不到的事**：两个输入恰有一个为真时，异或为真。单个神经元能算出它吗？如果不能，至少需要几个？单个神经元的
分界是一条直线，而没有一条直线能把 (0, 1)、(1, 0) 与 (0, 0)、(1, 1) 分在两侧。
"""

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from mien.models.mlp import mlp

x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = torch.tensor([0.0, 1.0, 1.0, 0.0])

# %%
# Why not
# -------
# A perceptron would need b <= 0, w1 + b > 0, w2 + b > 0 and w1 + w2 + b <= 0. The middle two add up to w1 + w2 + 2b > 0, the
# outer two to w1 + w2 + 2b <= 0: a contradiction. Of a million random perceptrons none gets more than three of four right.

torch.manual_seed(0)
w, b = torch.randn(1_000_000, 2), torch.randn(1_000_000)
right = ((w @ x.T + b[:, None] > 0) == (y > 0)).sum(1)
best_of_random = right.max().item() / 4

# %%
# Learning does not help. The cross-entropy of one neuron is a bowl; its lowest point is w = 0, b = 0: "a half" everywhere.


def train(net: nn.Module) -> float:
    """Adam on all four points; the final cross-entropy."""
    optimiser = torch.optim.Adam(net.parameters(), 0.1)
    for _ in range(200):
        optimiser.zero_grad()
        loss = binary_cross_entropy_with_logits(net(x)[:, 0], y)
        loss.backward()
        optimiser.step()
    return loss.item()


one = mlp(2, 1)
loss_of_one = train(one)

# %%
# Two hidden neurons suffice
# --------------------------
# By hand, with steps: h1 = [x1 + x2 > 0.5] is "or", h2 = [x1 + x2 > 1.5] is "and"; XOR is "or, but not and": [h1 - h2 > 0.5].

h = torch.stack([x.sum(1) > 0.5, x.sum(1) > 1.5], 1).float()
by_hand = ((h[:, 0] - h[:, 1] > 0.5) == (y > 0)).float().mean().item()

# %%
# And learnt. In 200 steps two hidden neurons get there from a few of ten random starts only; the others are stuck or slow. Eight
# hidden neurons get there from all ten: more than needed makes learning easier.


def train_ten(hidden: int) -> tuple[list[nn.Sequential], list[float]]:
    """Ten networks from different starts, and their losses."""
    nets = [mlp(2, hidden, 1, act="tanh") for _ in range(10)]
    return nets, [train(net) for net in nets]


nets, losses = train_ten(2)
two = nets[losses.index(min(losses))]
solved = {2: sum(loss < 0.05 for loss in losses), 8: sum(loss < 0.05 for loss in train_ten(8)[1])}

# %%
# What the hidden neurons see
# ---------------------------
# They move the four points to a place where one straight line is enough.

figure, (single, double, hidden) = plt.subplots(1, 3, figsize=(12, 4))
side = torch.linspace(-0.5, 1.5, 200)
grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1).view(-1, 2)
for panel, net, title in ((single, one, "One neuron: a half, everywhere"), (double, two, "Two hidden neurons")):
    with torch.no_grad():
        shade = panel.imshow(net(grid).sigmoid().view(200, 200).numpy(), extent=(-0.5, 1.5, -0.5, 1.5), origin="lower",
                             cmap="PuOr_r", vmin=0, vmax=1, alpha=0.7)  # fmt: skip
    panel.set(title=title, xlabel="$x_1$", ylabel="$x_2$", xlim=(-0.5, 1.5), ylim=(-0.5, 1.5), xticks=(0, 1), yticks=(0, 1))
figure.colorbar(shade, ax=double, label="output", ticks=[0, 0.5, 1])
with torch.no_grad():
    seen = two[:3](x)
    (v1, v2), c = two[3].weight[0], two[3].bias[0]
    for (w1, w2), b in zip(two[1].weight, two[1].bias, strict=True):
        double.plot(side, -(w1 * side + b) / w2, "k--", lw=1)
    hidden.plot(side * 4 - 2, -(v1 * (side * 4 - 2) + c) / v2, "k-", lw=1)
for points, panel in ((x, single), (x, double), (seen, hidden)):
    panel.scatter(*points[y == 0].T, s=110, color="C4", edgecolors="white", zorder=3, label="XOR = 0")
    panel.scatter(*points[y == 1].T, s=110, color="C1", edgecolors="white", zorder=3, marker="^", label="XOR = 1")
for k, (name, place) in enumerate({"0,0": (-26, 10), "0,1": (10, 10), "1,0": (10, 10), "1,1": (10, 10)}.items()):
    hidden.annotate(name, tuple(seen[k]), place, textcoords="offset points")
hidden.set(title="What the hidden neurons make of it", xlabel="$h_1$", ylabel="$h_2$", xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
hidden.legend(loc="lower right")

numbers = {
    "best_of_a_million_perceptrons": best_of_random, "loss_of_one_neuron": loss_of_one, "two_hidden_by_hand": by_hand,
    "best_loss_of_two_hidden": min(losses),
    "solved_of_10_with_2_hidden": float(solved[2]), "solved_of_10_with_8_hidden": float(solved[8]),
}  # fmt: skip
