"""
Activation functions
====================

Why is the sum bent at all, and which bend is used when? Layers without a bend collapse into a single layer: a product of
matrices is a matrix. So every layer ends with a function that is not straight: sigmoid, tanh, ReLU, leaky ReLU, ELU or Maxout.

**激活函数**：为什么加权和之后还要经过非线性函数，各种函数又分别用在何处？没有非线性，多层网络会退化为一层，因为矩阵的乘积仍
是矩阵。因此每层之后都有一个非线性函数：sigmoid、tanh、ReLU、Leaky ReLU、ELU 或 Maxout。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn.functional import elu, leaky_relu

from mien.nn.activations import Maxout

# %%
# Without a bend, depth is nothing
# --------------------------------
# Three linear layers give exactly what one layer with the product of their matrices gives.

torch.manual_seed(0)
first, second, third = (torch.randn(5, 5, dtype=torch.float64) for _ in range(3))
x = torch.randn(5, dtype=torch.float64)
collapse = (third @ (second @ (first @ x)) - (third @ second @ first) @ x).abs().max().item()

# %%
# Six bends
# ---------
# Sigmoid ends in 0..1 and is kept for the last layer, as a probability. Tanh is a sigmoid stretched to -1..1. ReLU is cheap and its
# slope is 1 wherever it is on. A ReLU that is off for every example gets no gradient and stays off; leaky ReLU and ELU keep a
# slope below zero. Maxout takes the largest of several learnt lines; here two, max(x, -x/2).

FUNCTIONS = {
    "sigmoid  1 / (1 + e⁻ˣ)": torch.sigmoid,
    "tanh": torch.tanh,
    "ReLU  max(0, x)": torch.relu,
    "leaky ReLU  max(0.01 x, x)": lambda x: leaky_relu(x, 0.01),
    "ELU  x, or eˣ - 1 below 0": elu,
    "Maxout  max(x, -x/2)": lambda x: torch.maximum(x, -x / 2),
}


def slope(function, at: float) -> float:
    """The derivative, from autograd."""
    x = torch.tensor(at, requires_grad=True)
    function(x).backward()
    return float(x.grad)


# %%
# Maxout learns its own shape: four lines are fitted to the parabola x² on -1..1. Each takes a quarter, h = 1/2 wide. The straight
# line nearest to a parabola in the mean square is off by h²/6 at its two ends and by h²/12 in the middle: 1/24 = 0.0417 at most.

x = torch.linspace(-1, 1, 401)[:, None]
maxout = Maxout(1, 1, pieces=4)
with torch.no_grad():  # a start that gives each line its part
    maxout.linear.weight[:, 0], maxout.linear.bias[:] = torch.tensor([-2.0, -0.5, 0.5, 2.0]), torch.tensor([-0.8, 0.0, 0.0, -0.8])
descent = torch.optim.LBFGS(maxout.parameters(), max_iter=100, line_search_fn="strong_wolfe")


def misfit() -> Tensor:
    """The mean square, and its gradient."""
    descent.zero_grad()
    loss = (maxout(x) - x**2).square().mean()
    loss.backward()
    return loss


descent.step(misfit)
lines = list(zip(maxout.linear.weight[:, 0].tolist(), maxout.linear.bias.tolist(), strict=True))
maxout_error = (maxout(x) - x**2).abs().max().item()

# %%
# Function and slope
# ------------------
# Solid: the function. Dashed: its slope, which is what backpropagation multiplies by. The sigmoid's is never above 1/4.

figure, panels = plt.subplots(2, 4, figsize=(12, 5.6), sharex=True)
for panel, (name, function) in zip(panels[:, :3].flat, FUNCTIONS.items(), strict=True):
    x4 = torch.linspace(-4, 4, 801, requires_grad=True)
    y = function(x4)
    (change,) = torch.autograd.grad(y.sum(), x4)
    panel.plot(x4.detach(), y.detach())
    panel.plot(x4.detach(), change, "--", color="C1", lw=1.3)
    panel.axhline(0, color="C5", lw=0.6)
    panel.axvline(0, color="C5", lw=0.6)
    panel.set(title=name, ylim=(-1.2, 2.2))
for panel in panels[:, 3]:
    panel.remove()
learnt = figure.add_subplot(panels[0, 3].get_gridspec()[:, 3])
learnt.plot(x, x**2, color="C5", lw=5, alpha=0.4, label="x²")
for w, b in lines:
    learnt.plot(x, w * x + b, color="C2", lw=0.8, ls=":")
learnt.plot(x, maxout(x).detach(), color="C2", label="Maxout of four lines")
learnt.set(title="Maxout learns its shape", ylim=(-0.3, 1.1))
learnt.legend(loc="upper center")

numbers = {
    "three_linear_layers_minus_one": collapse,
    "sigmoid_slope_at_0": slope(torch.sigmoid, 0.0),
    "tanh_slope_at_0": slope(torch.tanh, 0.0),
    "sigmoid_slope_at_minus_4": slope(torch.sigmoid, -4.0),
    "leaky_relu_at_minus_1": leaky_relu(torch.tensor(-1.0), 0.01).item(),
    "elu_at_minus_1": elu(torch.tensor(-1.0)).item(),
    "maxout_error": maxout_error,
}
