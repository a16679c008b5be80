"""
Learning-rate decay
===================

Why should the steps get smaller? The gradient of a mini-batch is noisy. A high rate moves fast and then trembles around the goal; a
low rate arrives close to it, late. A rate that falls has both: first far, then fine.

**学习率衰减**：为什么步子要越走越小？小批量的梯度带有噪声。学习率高，前进快，但最后在目标附近抖动；学习率低，最终能靠得很
近，但到得晚。让学习率逐渐下降可以兼得：先走得远，再走得细。
"""

import matplotlib.pyplot as plt
import torch

from mien.train.optim import rate
from mien.train.recipe import Recipe

# %%
# The task
# --------
# A line in 20 dimensions through 2,000 noisy points; batches of 4, three passes. What counts is the excess over the loss of the best
# line, since the noise itself cannot be learnt.

torch.manual_seed(0)
x = torch.randn(2000, 20)
y = x @ torch.randn(20) + torch.randn(2000)
best = torch.linalg.lstsq(x, y[:, None]).solution[:, 0]

# %%
# Schedules
# ---------
# `rate` is what the library's training uses: the factor on the rate when a share of the training is done.

SCHEDULES = {
    "high, constant": Recipe("mlp", "", lr=0.05),
    "low, constant": Recipe("mlp", "", lr=0.002),
    "step: a tenth after 50 % and 75 %": Recipe("mlp", "", lr=0.05, schedule="step"),
    "cosine": Recipe("mlp", "", lr=0.05, schedule="cosine"),
}
STEPS = 1500


def descend(recipe: Recipe) -> list[float]:
    """The excess of the mean squared error after every step."""
    torch.manual_seed(1)
    order = torch.cat([torch.randperm(2000) for _ in range(3)]).split(4)
    w, gap = torch.zeros(20), []
    for step, chosen in enumerate(order):
        error = x[chosen] @ w - y[chosen]
        w = w - recipe.lr * rate(recipe, step / STEPS) * x[chosen].T @ error / 4
        gap.append((x @ (w - best)).square().mean().item())
    return gap


excess = {name: descend(recipe) for name, recipe in SCHEDULES.items()}
left = {name: sum(gap[-100:]) / 100 for name, gap in excess.items()}

# %%

figure, (rates, curves) = plt.subplots(1, 2, figsize=(11.5, 4.2), width_ratios=(1, 1.5))
for (name, gap), recipe, colour in zip(excess.items(), SCHEDULES.values(), ("C3", "C5", "C1", "C0"), strict=True):
    rates.plot([recipe.lr * rate(recipe, step / STEPS) for step in range(STEPS)], color=colour, label=name)
    curves.plot(gap, color=colour, lw=1, label=f"{name}: {left[name]:.4f} left")
rates.set(title="Learning rate", xlabel="step", ylim=(0, 0.056))
curves.set(title="Excess over the best line", xlabel="step", ylabel="mean squared error", yscale="log")
curves.legend(loc="upper right")

numbers = {
    "left_by_high": left["high, constant"], "left_by_low": left["low, constant"],
    "left_by_step": left["step: a tenth after 50 % and 75 %"], "left_by_cosine": left["cosine"],
    "cosine_factor_half_way": rate(SCHEDULES["cosine"], 0.5),
}  # fmt: skip
