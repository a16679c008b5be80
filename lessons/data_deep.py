"""
Deep against classical learning
===============================

When is a deep network worth its cost? Three ways to read handwritten digits: a linear model on the raw pixels, a linear model on
features made by hand (histograms of edge directions), and a convolutional network that finds its own. They get 30 to 60,000 digits.

**深度学习与传统学习**：什么时候值得用深度网络？识别手写数字的三种办法：直接用像素的线性模型、用人工设计的特征（边缘方向直方
图）的线性模型，以及自己寻找特征的卷积网络。训练数据从 30 个数字到 60,000 个。
"""

import time
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy, one_hot, pad, unfold

from mien.data.examples import read_examples
from mien.data.folder import data_folder
from mien.models.lenet import lenet5
from mien.models.mlp import mlp

# %%
# The digits
# ----------
# MNIST: all of its 60,000 training digits, in random order. Every second one of its test digits measures the accuracy (5,000: sure
# to 0.2 % at 98 %). This page takes some twenty seconds on one core.

digits, order = data_folder("digits"), np.random.default_rng(0).permutation(60_000)
train, test = read_examples(digits, "train").take(order), read_examples(digits, "test").take(np.arange(0, 10_000, 2))
x, test_x = (torch.from_numpy(part.images).permute(0, 3, 1, 2) / 255 for part in (train, test))
y, test_y = (torch.from_numpy(part.labels) for part in (train, test))

# %%
# Features by hand
# ----------------
# Histograms of oriented gradients (Dalal and Triggs 2005): in each cell of 4 x 4 pixels, how much edge there is in each of nine
# directions; 2 x 2 cells together are brought to length 1, so that thick and thin strokes look alike. 1,296 numbers.


def cells(x: Tensor) -> Tensor:
    """(B, 1, 28, 28) -> (B, 9, 7, 7): edge strength by direction."""
    p = pad(x[:, 0], (1, 1, 1, 1))
    right, down = p[:, 1:-1, 2:] - p[:, 1:-1, :-2], p[:, 2:, 1:-1] - p[:, :-2, 1:-1]
    bins = (torch.atan2(down, right).remainder(torch.pi) / torch.pi * 9).long().clamp(max=8)
    return avg_pool2d((one_hot(bins, 9) * right.hypot(down)[..., None]).permute(0, 3, 1, 2), 4)


def hog(x: Tensor) -> Tensor:
    """(B, 1, 28, 28) -> (B, 1296)."""
    blocks = torch.cat([unfold(cells(part), 2) for part in x.split(1000)])
    return (blocks / (blocks.norm(dim=1, keepdim=True) + 0.05)).flatten(1)


# %%
# Three learners
# --------------
# The linear models get 30 steps of L-BFGS and a little L2. The network is LeNet-5 with Adam and a falling rate; it needs many
# passes over few digits, and little more than one over many.

STEPS = {30: 120, 300: 120, 3000: 300, 60_000: 1600}


def linear(x: Tensor, y: Tensor, penalty: float) -> nn.Sequential:
    """Softmax regression."""
    net = mlp(x[0].numel(), 10)
    descent = torch.optim.LBFGS(net.parameters(), max_iter=30, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        descent.zero_grad()
        value = cross_entropy(net(x), y) + penalty / len(x) * net[1].weight.square().sum()
        value.backward()
        return value

    descent.step(loss)
    return net


def convolutional(x: Tensor, y: Tensor) -> nn.Sequential:
    """LeNet-5."""
    torch.manual_seed(0)
    net, steps = lenet5(), STEPS[len(x)]
    descent = torch.optim.Adam(net.parameters(), 0.006)
    falling = torch.optim.lr_scheduler.OneCycleLR(descent, 0.006, total_steps=steps)
    for _ in range(steps):
        chosen = torch.randint(0, len(x), (50,))
        descent.zero_grad()
        cross_entropy(net(x[chosen]), y[chosen]).backward()
        descent.step()
        falling.step()
    return net


start = time.process_time()
made, test_made = hog(x), hog(test_x)
seconds = {"pixels": 0.0, "hog": time.process_time() - start, "cnn": 0.0}
LEARNERS = {"pixels": (partial(linear, penalty=5.0), x, test_x), "hog": (partial(linear, penalty=0.3), made, test_made),
            "cnn": (convolutional, x, test_x)}  # fmt: skip
nets: dict[str, nn.Sequential] = {}
accuracy: dict[str, list[float]] = {"pixels": [], "hog": [], "cnn": []}
for count in STEPS:
    for name, (fit, data, test_data) in LEARNERS.items():
        start = time.process_time()
        nets[name] = fit(data[:count], y[:count])
        seconds[name] += time.process_time() - start
        with torch.no_grad():
            accuracy[name].append((nets[name](test_data).argmax(1) == test_y).float().mean().item())
size = {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}

# %%
# Who wins
# --------
# With few digits the knowledge put into the features by hand is worth most. With many, the network has found better features than
# those, with five times the weights and about twice the computing time (all four trainings together, on the machine that made this
# page). The linear model on pixels soon stops gaining: its error is bias.

figure, panels = plt.subplot_mosaic([["digit", "hog", "maps", "curve"]], figsize=(14, 4), width_ratios=(0.7, 0.7, 0.9, 1.7))
shown = test_x[test_y == 5][:1]
panels["digit"].imshow(shown[0, 0].numpy())
panels["digit"].set_title("784 pixels")
strength, direction = cells(shown)[0].max(0)
for row, column in np.ndindex(7, 7):
    angle, reach = (direction[row, column] + 0.5) / 9 * np.pi + np.pi / 2, strength[row, column].mul(3).clamp(max=0.5)
    across, down = reach * angle.cos(), reach * angle.sin()
    panels["hog"].plot((column - across, column + across), (row - down, row + down), color="white", lw=3)
panels["hog"].set(title="strongest edge by cell", xlim=(-0.5, 6.5), ylim=(6.5, -0.5), aspect="equal", facecolor="black")
with torch.no_grad():
    maps = nets["cnn"][:2](shown)[0]
panels["maps"].imshow(maps.view(3, 2, 28, 28).permute(0, 2, 1, 3).reshape(84, 56).numpy(), cmap="magma")
panels["maps"].set_title("six learnt features")
for name in ("digit", "hog", "maps"):
    panels[name].set(xticks=[], yticks=[])
curve, labels = panels["curve"], ("pixels, linear", "edge histograms, linear", "convolutional network")
for (name, right), label, colour in zip(accuracy.items(), labels, ("C5", "C1", "C0"), strict=True):
    label = f"{label}: {size[name]:,} weights, {seconds[name]:.0f} s"
    curve.plot(list(STEPS), 100 * (1 - np.array(right)), "o-", color=colour, label=label)
curve.set(xscale="log", yscale="log", title="Error on new digits, %", xlabel="digits to learn from", yticks=(1, 2, 5, 10, 20, 50),
          yticklabels=("1", "2", "5", "10", "20", "50"), xticks=list(STEPS), xticklabels=[f"{n:,}" for n in STEPS])  # fmt: skip
curve.minorticks_off()
curve.legend(loc="lower left", fontsize=9)

numbers = {f"{name}_{count}": value for name, values in accuracy.items() for count, value in zip(STEPS, values, strict=True)}
numbers |= {f"{name}_weights": float(count) for name, count in size.items()}
