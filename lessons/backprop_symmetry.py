"""
Equal weights never separate
============================

May all weights start from the same value? Neurons of one layer that start equal get equal gradients, so they stay equal for ever: a
hundred of them are worth one. That is why weights start at random.

**相同的初始权重永远不会分开**：所有权重可以从同一个值开始吗？同一层中初值相同的神经元得到相同的梯度，因而始终相同：一百个这
样的神经元只顶一个用。这就是权重要随机初始化的原因。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from mien.models.mlp import mlp

# %%
# The task
# --------
# Is a point inside the circle? 300 points, eight hidden neurons, a border that bends around the middle.

torch.manual_seed(1)
x = torch.rand(300, 2) * 4 - 2
y = (x.norm(dim=1) < 1.2).float()


def train(equal: bool) -> tuple[list[float], Tensor]:
    """Losses, and the (steps, 8, 2) weights of the hidden neurons on the way."""
    net = mlp(2, 8, 1, act="tanh")
    if equal:
        for parameter in net.parameters():
            torch.nn.init.constant_(parameter, 0.5)
    optimiser = torch.optim.Adam(net.parameters(), 0.03)
    losses, path = [], []
    for _ in range(400):
        optimiser.zero_grad()
        loss = binary_cross_entropy_with_logits(net(x)[:, 0], y)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        path.append(net[1].weight.detach().clone())
    return losses, torch.stack(path)


runs = {"all weights 0.5": train(equal=True), "random weights": train(equal=False)}

# %%
# The spread
# ----------
# How far apart the eight neurons' weights are at the end: nothing (or rounding), against several units.

spread = {name: path[-1].std(0).max().item() for name, (_, path) in runs.items()}

# %%
# The picture
# -----------
# Left and middle: each line is one hidden neuron's pair of weights on its way; the dot is where it ends. All eight that start equal
# travel on one line. Right: they can learn no more than one neuron could.

figure, panels = plt.subplots(1, 3, figsize=(12, 4))
for panel, (name, (_, path)), note in zip(panels, runs.items(), ("one line is eight neurons", "eight neurons"), strict=False):
    for neuron in range(8):
        panel.plot(*path[:, neuron].T, lw=1.2, color=f"C{neuron % 6}")
        panel.plot(*path[-1, neuron], "o", color=f"C{neuron % 6}")
    panel.set(title=f"{name}: {note}", xlabel="weight of $x_1$", ylabel="weight of $x_2$", xlim=(-4, 4), ylim=(-4, 4))
for (name, (losses, _)), colour in zip(runs.items(), ("C3", "C0"), strict=True):
    panels[2].plot(losses, color=colour, label=name)
panels[2].set(title="Loss", xlabel="step", ylabel="cross-entropy", ylim=(0, 0.9))
panels[2].legend()

numbers = {
    "spread_of_equal": spread["all weights 0.5"], "spread_of_random": spread["random weights"],
    "loss_of_equal": runs["all weights 0.5"][0][-1], "loss_of_random": runs["random weights"][0][-1],
}  # fmt: skip
