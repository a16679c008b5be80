"""
One neuron
==========

What does one artificial neuron compute, and what can it decide? It weighs its inputs, adds a bias, and bends the sum:
a = f(w · x + b). Here one neuron learns to tell two clouds of points apart.

**一个神经元**：一个人工神经元计算什么，又能判定什么？它把各个输入加权求和，加上偏置，再经过激活函数：a = f(w · x + b)。这里
让一个神经元学会区分两团点。
"""

import matplotlib.pyplot as plt
import torch

# %%
# The sum and the bend
# --------------------
# With weights 2 and -1 and bias 0.5, the input (1, 3) gives z = 2·1 - 1·3 + 0.5 = -0.5. The sigmoid turns any z into a
# number between 0 and 1, to be read as a probability: 1 / (1 + e^0.5) = 0.3775.

w, b, x = torch.tensor([2.0, -1.0]), 0.5, torch.tensor([1.0, 3.0])
by_hand = torch.sigmoid(w @ x + b)

# %%
# Learning
# --------
# Two clouds of 100 points, one around (-1, -1), one around (1, 1). The loss is the cross-entropy
# -(y log a + (1 - y) log(1 - a)). Its derivative by z is simply a - y: the neuron moves by how wrong it is.

torch.manual_seed(0)
points = torch.randn(200, 2) * 0.9
points[:100] -= 1
points[100:] += 1
y = torch.arange(200).ge(100).float()

w, b, rate, losses = torch.zeros(2), torch.zeros(()), 0.5, []
for _ in range(100):
    a = torch.sigmoid(points @ w + b)
    losses.append(-(y * a.log() + (1 - y) * (1 - a).log()).mean().item())
    w, b = w - rate * points.T @ (a - y) / 200, b - rate * (a - y).mean()

right = ((points @ w + b > 0) == (y > 0)).float().mean().item()

# %%
# What it has learnt
# ------------------
# The neuron says "second cloud" where w · x + b > 0. The border is always a straight line; w stands at a right angle to it.
# Before the first step a = 0.5 everywhere, and the loss is ln 2 = 0.693.

figure, (plane, curve) = plt.subplots(1, 2, width_ratios=(1.2, 1))
side = torch.linspace(-4, 5, 200)
grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1)
a = torch.sigmoid(grid @ w + b).numpy()
shade = plane.imshow(a, extent=(-4, 5, -4, 5), origin="lower", cmap="PuOr_r", vmin=0, vmax=1, alpha=0.6)
plane.contour(side, side, grid @ w + b, levels=[0], colors="black")
for cloud, mark in ((points[:100], "o"), (points[100:], "^")):
    plane.scatter(*cloud.T, marker=mark, s=18, edgecolors="white", linewidths=0.4, color="C4" if mark == "o" else "C1")
plane.annotate("", w / w.norm() * 1.4, (0, 0), arrowprops={"arrowstyle": "->", "lw": 2})
plane.text(*(w / w.norm() * 1.55), "w", fontsize=13, va="center")
plane.set(title="The neuron's output, and its border", aspect="equal", xlabel="$x_1$", ylabel="$x_2$", xlim=(-4, 4), ylim=(-4, 5))
figure.colorbar(shade, ax=plane, label="output a", ticks=[0, 0.5, 1])
curve.plot(losses)
curve.axhline(0.6931, color="C5", lw=1, ls="--")
curve.annotate("ln 2: it knows nothing yet", (15, 0.705), color="C5")
curve.set(title="Loss while it learns", xlabel="step", ylabel="cross-entropy", ylim=(0, 0.77))

numbers = {"output_by_hand": by_hand.item(), "first_loss": losses[0], "last_loss": losses[-1], "accuracy": right}
