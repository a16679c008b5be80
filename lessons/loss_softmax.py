"""
Softmax, cross-entropy and squared error
========================================

How do ten numbers become ten probabilities, and how is a network told that it was wrong? Softmax makes outputs positive with sum 1;
cross-entropy is minus the logarithm of the probability given to the truth. Why not simply the squared error?

**Softmax、交叉熵与平方误差**：网络输出的几个数如何变成概率，又如何告诉网络它错了？Softmax 使各输出为正且总和为 1；交叉熵是真
实类别所得概率的负对数。为什么不直接用平方误差？
"""

import matplotlib.pyplot as plt
import torch
from torch.nn.functional import cross_entropy

# %%
# By hand
# -------
# For the logits 2, 1 and 0.1: e² = 7.389, e¹ = 2.718, e^0.1 = 1.105, sum 11.212. If the first class is the truth, the loss is
# -ln 0.659 = 0.417, and the derivative by each logit is probability minus truth.

logits = torch.tensor([2.0, 1.0, 0.1], requires_grad=True)
chances = logits.softmax(0)
loss = cross_entropy(logits[None], torch.tensor([0]))
loss.backward()

# %%
# Only differences count: softmax(z + c) = softmax(z). So the largest logit is taken off first, and nothing overflows.

large = torch.tensor([1002.0, 1001.0, 1000.1]).softmax(0)

# %%
# Confidently wrong
# -----------------
# One sigmoid output a for a truth of 1. The slope of the cross-entropy by the logit is a - 1: the more wrong, the steeper. The
# squared error's slope is 2 (a - 1) a (1 - a): where the neuron is confidently wrong, a is near 0, and so is the slope.

z = torch.linspace(-8, 8, 401)
a = z.sigmoid()
crossed, squared = -a.log(), (a - 1) ** 2
slopes = {"cross-entropy": a - 1, "squared error": 2 * (a - 1) * a * (1 - a)}


def slope_at(z: float) -> tuple[float, float]:
    """Both slopes at one logit."""
    a = torch.tensor(z, dtype=torch.float64).sigmoid().item()
    return a - 1, 2 * (a - 1) * a * (1 - a)


# %%
# So a neuron that starts out wrong (z = -6) needs 34 steps to an output of 0.9 with the one loss, and 497 with the other.


def recover(squared: bool, steps: int = 600) -> list[float]:
    """The output over gradient descent steps of rate 0.5 on the logit."""
    z, path = -6.0, []
    for _ in range(steps):
        path.append(1 / (1 + torch.tensor(-z).exp().item()))
        z -= 0.5 * slope_at(z)[squared]
    return path


paths = {"cross-entropy": recover(False), "squared error": recover(True)}
needed = {name: next(step for step, a in enumerate(path) if a > 0.9) for name, path in paths.items()}

# %%

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.8))
left.plot(z, crossed, label="cross-entropy")
left.plot(z, squared, label="squared error")
left.set(title="Loss, when the truth is 1", xlabel="logit z", ylabel="loss")
left.legend()
for name, slope in slopes.items():
    middle.plot(z, slope, label=name)
middle.annotate("wrong, and no slope", (-6, -0.005), (-7.6, -0.45), arrowprops={"arrowstyle": "->"}, color="C1")
middle.set(title="Slope of the loss by z", xlabel="logit z")
for name, path in paths.items():
    right.plot(path, label=name)
right.axhline(0.9, color="C5", lw=0.8, ls="--")
right.set(title="Recovering from z = -6", xlabel="step of gradient descent", ylabel="output a", ylim=(0, 1))
right.legend(loc="center")

numbers = {
    "softmax_1": chances[0].item(), "softmax_2": chances[1].item(), "softmax_3": chances[2].item(),
    "cross_entropy": loss.item(), "slope_by_true_logit": logits.grad[0].item(), "softmax_1_of_large_logits": large[0].item(),
    "cross_entropy_slope_at_minus_6": slope_at(-6.0)[0], "squared_error_slope_at_minus_6": slope_at(-6.0)[1],
    "steps_with_cross_entropy": float(needed["cross-entropy"]), "steps_with_squared_error": float(needed["squared error"]),
}  # fmt: skip
