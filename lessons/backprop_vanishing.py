"""
The sigmoid's vanishing gradient
================================

Why were deep networks with sigmoids so hard to train? Backpropagation multiplies by the slope of every layer it passes, and the
sigmoid's slope is at most 1/4. After ten layers at most a millionth is left, unless the weights make up for it. The ReLU's slope is
1.

**Sigmoid 的梯度消失**：为什么用 sigmoid 的深层网络那么难训练？反向传播每经过一层就乘以该层的斜率，而 sigmoid 的斜率最大只有
1/4。若权重不加补偿，十层之后最多只剩百万分之一。ReLU 的斜率是 1。
"""

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from mien.models.mlp import mlp

# %%
# One neuron a layer
# ------------------
# The best case for the sigmoid: ten neurons in a row, each at its steepest point (z = 0), each with weight 1.
# The slope from end to end is (1/4)^10, about 9.5e-7.

z = torch.zeros(1, dtype=torch.float64, requires_grad=True)
a = z
for _ in range(10):
    a = torch.sigmoid(a - a.detach())  # the bias brings each neuron back to z = 0
a.backward()
chain = z.grad.item()

# %%
# Ten layers of 32
# ----------------
# Random weights of variance 1 / inputs (2 / inputs for ReLU: He et al. 2015), so that the signal keeps its size on the way forward.
# The gradient's size in each layer says what learning there has to go by.


def deep(act: str) -> nn.Sequential:
    """2 inputs, ten layers of 32, 1 output."""
    net = mlp(2, *[32] * 10, 1, act=act)
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, ((2 if act == "relu" else 1) / layer.in_features) ** 0.5)
            nn.init.zeros_(layer.bias)
    return net


torch.manual_seed(0)
x = torch.rand(400, 2) * 4 - 2
y = (x.norm(dim=1) < 1.6).float()


def gradients(net: nn.Sequential) -> list[float]:
    """Root mean square of the gradient of each layer's weights, first layer first."""
    net.zero_grad()
    binary_cross_entropy_with_logits(net(x)[:, 0], y).backward()
    return [p.grad.square().mean().sqrt().item() for p in net.parameters() if p.ndim == 2]


nets = {act: deep(act) for act in ("sigmoid", "tanh", "relu")}
sizes = {act: gradients(net) for act, net in nets.items()}
kept = {act: size[0] / size[-1] for act, size in sizes.items()}

# %%
# What it does to learning
# ------------------------
# Is a point inside the circle? Gradient descent, the same rate for all three. The sigmoid's network gets as far as knowing how
# frequent each answer is, and stays there.


def train(net: nn.Sequential) -> list[float]:
    """The losses of 230 steps."""
    optimiser = torch.optim.SGD(net.parameters(), 0.01, momentum=0.5)
    losses = []
    for _ in range(230):
        optimiser.zero_grad()
        loss = binary_cross_entropy_with_logits(net(x)[:, 0], y)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


losses = {act: train(net) for act, net in nets.items()}
share = y.mean()
knows_nothing = -(share * share.log() + (1 - share) * (1 - share).log()).item()

# %%

figure, (left, right) = plt.subplots(1, 2)
for (act, size), colour in zip(sizes.items(), ("C3", "C2", "C0"), strict=True):
    left.plot(range(1, 12), size, "o-", color=colour, label=act)
    right.plot(losses[act], color=colour, label=act)
left.set(yscale="log", title="Gradient before training, by layer", xlabel="layer (1 is next to the input)", ylabel="root mean square",
         xticks=range(1, 12))  # fmt: skip
left.legend()
right.axhline(knows_nothing, color="C5", ls="--", lw=1)
right.text(230, knows_nothing + 0.015, "knows only the share", color="C5", ha="right")
right.set(title="Loss, ten hidden layers", xlabel="step", ylabel="cross-entropy", ylim=(0, 0.95))

numbers = {
    "slope_of_ten_sigmoids": chain, "kept_by_sigmoid": kept["sigmoid"], "kept_by_tanh": kept["tanh"], "kept_by_relu": kept["relu"],
    "loss_sigmoid": losses["sigmoid"][-1], "loss_relu": losses["relu"][-1], "loss_knowing_nothing": knows_nothing,
}  # fmt: skip
