"""
Random against grid search
==========================

Nine trainings are affordable: which settings should be tried? A grid of 3 x 3 tries three learning rates, nine random points try
nine. Where one setting matters much and the other little, and mostly it is so, random search wins (Bergstra and Bengio 2012).

**随机搜索与网格搜索**：只能训练九次，该试哪些设置？3 × 3 的网格只试了三个学习率，九个随机点试了九个。如果一个设置影响大而另
一个影响小（多数情况正是如此），随机搜索更好（Bergstra 与 Bengio，2012）。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor

# %%
# The true picture
# ----------------
# 40 x 40 trainings at once: logistic regression on 20 inputs, learning rate from 10⁻⁴ to 10², L2 penalty from 10⁻⁶ to 10⁻¹, 30
# steps of mini-batches. Both are searched on a logarithmic scale, since 0.001 is as far from 0.01 as 0.1 is.

torch.manual_seed(0)
SIDE = 40
x, true = torch.randn(400, 20), torch.randn(20)
y = (torch.rand(400) < torch.sigmoid(2 * x @ true)).float()
rates, penalties = torch.logspace(-4, 2, SIDE), torch.logspace(-6, -1, SIDE)
rate, penalty = (table.reshape(-1, 1) for table in torch.meshgrid(rates, penalties, indexing="ij"))

w = torch.zeros(SIDE * SIDE, 20)
for chosen in torch.randint(0, 200, (30, 16)):
    slope = (torch.sigmoid(w @ x[chosen].T) - y[chosen]) @ x[chosen] / 16
    w = w - rate * (slope + penalty * w)
logits = w @ x[200:].T
dev = torch.nn.functional.binary_cross_entropy_with_logits(logits, y[200:].expand_as(logits), reduction="none").mean(1)
loss = dev.view(SIDE, SIDE)
lowest = loss.min().item()

# %%
# How much each setting matters: the spread of the loss along it, the other averaged out. A training that ran off counts as guessing,
# ln 2.

capped = loss.clamp(max=0.6931)
matters = {name: capped.mean(axis).std().item() for name, axis in (("rate", 1), ("penalty", 0))}

# %%
# Three ways to spend n trainings
# -------------------------------
# A grid of √n x √n cells with a random offset; n random points; and coarse to fine: half of them anywhere, the other half in a box
# of a quarter of each side around the best so far. Each 2,000 times; what counts is the loss of the best point found.


def best(points: Tensor) -> Tensor:
    """(repeats, n, 2) places in 0..1 -> (repeats,) lowest loss."""
    row, column = (points.clamp(0, 0.9999) * SIDE).long().unbind(-1)
    return loss[row, column].amin(1)


def grid(side: int, repeats: int = 2000) -> Tensor:
    """side² points at equal distances, moved as a whole by a random offset."""
    cell = (torch.arange(side) + 0.0) / side
    points = torch.stack(torch.meshgrid(cell, cell, indexing="ij"), -1).view(1, -1, 2)
    return points + torch.rand(repeats, 1, 2) / side


def random(count: int, repeats: int = 2000) -> Tensor:
    """Anywhere."""
    return torch.rand(repeats, count, 2)


def coarse_to_fine(count: int, repeats: int = 2000) -> Tensor:
    """Half anywhere, half near the best of the first half."""
    coarse = random(count // 2, repeats)
    row, column = (coarse * SIDE).long().unbind(-1)
    centre = coarse[torch.arange(repeats), loss[row, column].argmin(1)]
    return torch.cat([coarse, centre[:, None] + (random(count - count // 2, repeats) - 0.5) / 4], 1)


SIDES = (2, 3, 4, 5, 6)
found = {
    "grid": [best(grid(side)).median().item() - lowest for side in SIDES],
    "random": [best(random(side**2)).median().item() - lowest for side in SIDES],
    "coarse to fine": [best(coarse_to_fine(side**2)).median().item() - lowest for side in SIDES],
}

# %%

figure, panels = plt.subplots(1, 3, figsize=(13, 4.2))
torch.manual_seed(1)
examples = {"Grid: 3 learning rates": grid(3, 1)[0], "Random: 9 learning rates": random(9, 1)[0]}
for panel, (name, points) in zip(panels, examples.items(), strict=False):
    shade = panel.imshow(loss.log().T.numpy(), extent=(-4, 2, -6, -1), origin="lower", aspect="auto", cmap="viridis_r", vmax=1)
    panel.plot(points[:, 0] * 6 - 4, points[:, 1] * 5 - 6, "o", color="C1", mec="white", ms=9)
    for tried in points[:, 0] * 6 - 4:
        panel.plot((tried, tried), (-6, -5.75), color="C3", lw=3)
    panel.set(title=name, xlabel="learning rate, 10 to the", ylabel="L2 penalty, 10 to the")
figure.colorbar(shade, ax=panels[1], label="log of the loss on dev")
for name, gap in found.items():
    panels[2].plot([side**2 for side in SIDES], gap, "o-", label=name)
panels[2].set(title="Median excess of the best over the true best", xlabel="trainings", yscale="log")
panels[2].legend()

numbers = {
    "rate_matters": matters["rate"], "penalty_matters": matters["penalty"], "lowest_loss": lowest, "excess_grid_9": found["grid"][1],
    "excess_random_9": found["random"][1], "excess_grid_25": found["grid"][3], "excess_random_25": found["random"][3],
    "excess_fine_25": found["coarse to fine"][3],
}  # fmt: skip
