"""
Softer targets: label smoothing and mix-up
==========================================

Cross-entropy is never satisfied: it asks for probability 1, so the logits grow for ever. Two ways to ask for less. Label smoothing
gives a little to every class. Mix-up adds two pictures and asks for both labels in the same proportion.

**更柔和的目标：标签平滑与 mix-up**：交叉熵永不满足，它要求概率为 1，于是 logits 不断变大。有两种办法可以少要求一些：
标签平滑给每个类别都分一点概率；mix-up 把两张图片按比例相加，并按同样的比例要求两个标签。
"""

import math

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from mien.data.examples import read_examples
from mien.data.folder import data_folder
from mien.metrics.classification import calibration_error
from mien.models.mlp import mlp

# %%
# Where the best logits are
# -------------------------
# With smoothing 0.1 over ten classes the target is 0.91 for the right class and 0.01 for the others. The best logits differ by
# ln(0.91 / 0.01) = 4.51, and the loss stops at the target's entropy, 0.500, instead of going to 0. Gradient descent finds the same.

gap, floor = math.log(0.91 / 0.01), -0.91 * math.log(0.91) - 9 * 0.01 * math.log(0.01)
logits = torch.zeros(1, 10, requires_grad=True)
for _ in range(2000):
    smoothed = cross_entropy(logits, torch.tensor([3]), label_smoothing=0.1)
    (slope,) = torch.autograd.grad(smoothed, logits)
    logits = (logits - 2 * slope).detach().requires_grad_()
found = (logits[0, 3] - logits[0, 0]).item()

# %%
# Five hundred digits
# -------------------
# The same network three times; the recipes of `mien train` have both as settings, `label_smoothing` and `mixup`. Mix-up draws its
# share from a Beta(0.4, 0.4) distribution, mostly near 0 or 1.

known, asked = (read_examples(data_folder("digits"), part) for part in ("train", "test"))
x, y = torch.tensor(known.images[::120]).flatten(1) / 255, torch.tensor(known.labels[::120])
test_x, test_y = torch.tensor(asked.images[::2]).flatten(1) / 255, torch.tensor(asked.labels[::2])


def mixed(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Every picture with another, and targets in the same shares."""
    share = torch.distributions.Beta(0.4, 0.4).sample((len(x), 1))
    partner = torch.randperm(len(x))
    target = one_hot(y, 10).float()
    return share * x + (1 - share) * x[partner], share * target + (1 - share) * target[partner]


def learn(smoothing: float = 0.0, mix: bool = False) -> nn.Sequential:
    """1000 steps of 50."""
    torch.manual_seed(0)
    net = mlp(784, 100, 10)
    optimiser = torch.optim.Adam(net.parameters(), 2e-3, fused=True)
    for _ in range(1000):
        which = torch.randint(0, 500, (50,))
        shown, target = mixed(x[which], y[which]) if mix else (x[which], y[which])
        optimiser.zero_grad()
        cross_entropy(net(shown), target, label_smoothing=smoothing).backward()
        optimiser.step()
    return net


nets = {"plain": learn(), "label smoothing": learn(smoothing=0.1), "mix-up": learn(mix=True)}

# %%
# How sure are they?
# ------------------
# Right answers, the mean probability of the answer given, and the calibration error, the mean gap between how sure and how right.
# Plain is surer than it is right; mix-up comes nearer; smoothing overdoes it here. With so few digits and so small a network neither
# answers more of them right: what they cost and bring has to be measured on each task.

with torch.no_grad():
    chances = {name: net(test_x).softmax(1) for name, net in nets.items()}
right = {name: (each.argmax(1) == test_y).float().mean().item() for name, each in chances.items()}
sure = {name: each.amax(1).mean().item() for name, each in chances.items()}
error = {name: calibration_error(test_y.numpy(), each.numpy()) for name, each in chances.items()}

# %%

figure = plt.figure(figsize=(12.5, 6.2))
upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.2))
panels = upper.subplots(1, 8, width_ratios=(1, 1, 1, 1, 1, 1, 0.2, 2.4))
for panel, share in zip(panels, (1, 0.8, 0.6, 0.4, 0.2, 0), strict=False):
    panel.imshow((share * x[125] + (1 - share) * x[370]).view(28, 28).numpy(), cmap="gray_r")
    panel.set(title=f"{share:g} · {y[125]} + {1 - share:g} · {y[370]}", xticks=[], yticks=[])
panels[6].axis("off")
panels[7].bar(range(10), [0.91 if k == 3 else 0.01 for k in range(10)], color="C0")
panels[7].set(title="A smoothed target", xticks=range(10), ylim=(0, 1))
for panel, (name, each) in zip(lower.subplots(1, 3, sharey=True), chances.items(), strict=True):
    panel.hist(each.amax(1).numpy(), bins=20, range=(0, 1), color={"plain": "C3", "mix-up": "C1"}.get(name, "C0"))
    for value, style, what in ((right[name], "-", "right"), (sure[name], ":", "mean sureness")):
        panel.axvline(value, color="black", ls=style, lw=1.3, label=f"{what}: {100 * value:.1f} %")
    panel.set(title=f"{name}: calibration error {100 * error[name]:.1f} %", xlabel="probability of the answer")
    panel.set(yscale="log", xlim=(0, 1.02))
    panel.legend(loc="upper left")

numbers = {
    "best_gap_by_hand": gap, "best_gap_found": found, "lowest_loss_by_hand": floor, "lowest_loss_found": smoothed.item(),
    "right_plain": right["plain"], "right_smoothed": right["label smoothing"], "right_mixed": right["mix-up"],
    "sure_plain": sure["plain"], "sure_smoothed": sure["label smoothing"], "calibration_error_plain": error["plain"],
}  # fmt: skip
