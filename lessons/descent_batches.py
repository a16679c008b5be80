"""
Batch, mini-batch and stochastic descent
========================================

How many examples should be looked at before each step? All of them (batch), one (stochastic), or some (mini-batch)? The gradient of
few is a noisy guess of the gradient of all, but it costs little, so many more steps can be made.

**批量、小批量与随机梯度下降**：每走一步之前该看多少个样本？全部（批量）、一个（随机），还是若干个（小批量）？少量样本的梯度
只是全体梯度的带噪声的估计，但代价很小，同样的计算量可以走多得多的步。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor

# %%
# The task
# --------
# A straight line through 256 noisy points, y = 1.5 x + 0.5 + noise: two parameters, so that the way can be drawn. The loss is half
# the mean squared error. The noise has spread 0.5, so about 0.125 cannot be had by any line.

torch.manual_seed(0)
x = torch.randn(256)
y = 1.5 * x + 0.5 + 0.5 * torch.randn(256)
inputs = torch.stack([x, torch.ones(256)], 1)
best = torch.linalg.lstsq(inputs, y[:, None]).solution[:, 0]


def loss(w: Tensor) -> Tensor:
    """(..., 2) slope and offset -> (...): half the mean squared error over all points."""
    return 0.5 * (w @ inputs.T - y).square().mean(-1)


# %%
# Three ways
# ----------
# The same two passes over the data and the same rate 0.1: 2 steps of 256, 32 steps of 16, 512 steps of 1.


def descend(batch: int, epochs: int = 2, rate: float = 0.1) -> Tensor:
    """(steps + 1, 2): every point on the way; each pass goes over the examples in a new order."""
    w, path = torch.tensor([-0.5, -0.9]), [torch.tensor([-0.5, -0.9])]
    for _ in range(epochs):
        for chosen in torch.randperm(256).split(batch):
            error = inputs[chosen] @ w - y[chosen]
            w = w - rate * inputs[chosen].T @ error / len(chosen)
            path.append(w)
    return torch.stack(path)


paths = {"batch (256)": descend(256), "mini-batch (16)": descend(16), "stochastic (1)": descend(1)}

# %%
# What is left above the best line's loss, and how much the end still jumps about: the mean excess over the last half pass.

floor = loss(best).item()
excess = {name: (loss(path[-max(1, len(path) // 4) :]).mean() - floor).item() for name, path in paths.items()}

# %%
# The picture
# -----------
# Batch descent goes straight, but has hardly left when the two passes are over. One example at a time arrives early and then
# trembles. Some at a time is the usual compromise; on real machines it also fills the arithmetic units.

figure, (plane, curve) = plt.subplots(1, 2, figsize=(11.5, 4.4))
side_w, side_b = torch.linspace(-0.8, 2.4, 120), torch.linspace(-1.2, 1.2, 120)
height = loss(torch.stack(torch.meshgrid(side_w, side_b, indexing="xy"), -1))
plane.contour(side_w, side_b, height, levels=floor + torch.arange(1, 11).square() * 0.025, colors="C5", linewidths=0.5)
for (name, path), colour in zip(reversed(paths.items()), ("C1", "C0", "C3"), strict=True):
    dots = "o-" if len(path) < 5 else ".-"
    plane.plot(*path.T, dots, color=colour, lw=0.7 if len(path) > 100 else 1.4, ms=2 if len(path) > 100 else 6, label=name)
    seen = torch.linspace(0, 512, len(path))
    curve.plot(seen, loss(path), color=colour, lw=0.7 if len(path) > 100 else 1.6, marker="o" if len(path) < 5 else None, label=name)
plane.plot(*best, "k*", ms=13)
plane.set(title="The way to the best line (star)", xlabel="slope", ylabel="offset")
plane.legend(loc="upper left")
curve.axhline(floor, color="C5", ls="--", lw=1)
curve.set(title="Loss over examples looked at", xlabel="examples", ylabel="half the mean squared error", yscale="log",
          yticks=(0.15, 0.3, 1, 3), yticklabels=("0.15", "0.3", "1", "3"))  # fmt: skip
curve.minorticks_off()

numbers = {
    "best_slope": best[0].item(), "best_offset": best[1].item(), "best_loss": floor, "excess_batch": excess["batch (256)"],
    "excess_mini_batch": excess["mini-batch (16)"], "excess_stochastic": excess["stochastic (1)"],
}  # fmt: skip
