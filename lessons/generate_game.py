"""
A game of two networks
======================

A generator turns noise into numbers, a judge says which numbers are real and which are made, and each learns from the other. The
real ones come from two heaps, around -2 and 2. Nobody tells the generator so: all it ever hears is how the judge's answer would
change if its own number were a little larger. How does it find both heaps?

**两个网络的博弈**：生成器把噪声变成数，判别器说哪些数是真的、哪些是造的，双方互相学习。真数来自两堆，一堆在 -2 附近，一堆在
2 附近。没有人告诉生成器：它听到的只是，如果自己造的数再大一点，判别器的回答会怎样变化。它怎样找到这两堆？
"""

import math

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from mien.nn.gan import LOSSES, r1

torch.manual_seed(1)
BATCH, STEPS, SHOWN = 128, 500, (0, 50, 200, 500)


def real(count: int) -> Tensor:
    """(count, 1): a half around -2, a half around 2, deviation 0.4."""
    return 0.4 * torch.randn(count, 1) + 4 * (torch.rand(count, 1) < 0.5) - 2


def density(x: Tensor) -> Tensor:
    """Of the real numbers."""
    return (torch.exp(-((x - 2) / 0.4) ** 2 / 2) + torch.exp(-((x + 2) / 0.4) ** 2 / 2)) / (0.8 * math.sqrt(2 * math.pi))


# %%
# What the best judge knows
# -------------------------
# If p is the density of real numbers and q that of made ones, the best judge says D = p / (p + q) (Goodfellow et al. 2014,
# proposition 1), and costs log 4 - 2 JS(p, q): log 4 = 1.386 where it can only guess. Before the first step let q be N(0, 1): at 2 is
# p = 0.4987, q = 0.0540 and D = 0.902; at 0 it is next to nothing.

points = torch.tensor([2.0, 0.0])
p, q = density(points), torch.exp(-points.square() / 2) / math.sqrt(2 * math.pi)
at_2, at_0 = (p / (p + q)).tolist()

# %%
# The game
# --------
# In turn: a step of the judge on real and made numbers, a step of the generator, which lessens -log D. The judge pays for being steep
# at real numbers (R1, Mescheder et al. 2018); otherwise both would run around each other without end.

generator = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
judge = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
forging, judging = (torch.optim.Adam(net.parameters(), rate, (0.0, 0.99)) for net, rate in ((generator, 3e-3), (judge, 1e-2)))
game = LOSSES["non-saturating"]
noise, line = torch.randn(4000, 1), torch.linspace(-4, 4, 200)[:, None]
kept, costs = {}, []
for step in range(STEPS + 1):
    if step in SHOWN:
        with torch.no_grad():
            kept[step] = generator(noise).flatten(), torch.sigmoid(judge(line)).flatten()
    x = real(BATCH)
    cost = game.judge(judge(x), judge(generator(torch.randn(BATCH, 1)).detach()))
    judging.zero_grad()
    (cost + 0.15 * r1(judge, x)).backward()
    judging.step()
    deceit = game.generator(judge(generator(torch.randn(BATCH, 1))))
    forging.zero_grad()
    deceit.backward()
    forging.step()
    costs.append(cost.item())

# %%
# The end
# -------
# How far would the made numbers have to be carried? On a line, sort both and take the mean difference.

truth = real(4000).flatten().sort().values
carried = {step: (made.sort().values - truth).abs().mean().item() for step, (made, _) in kept.items()}
end = kept[STEPS][0]

figure, axes = plt.subplots(1, 5, figsize=(15, 3.6), width_ratios=(1, 1, 1, 1, 1.1))
for panel, (step, (made, told)) in zip(axes, kept.items(), strict=False):
    panel.fill_between(line.flatten(), density(line).flatten(), color="C0", alpha=0.25, lw=0)
    panel.hist(made.numpy(), 60, range=(-4, 4), density=True, color="C1", alpha=0.7)
    panel.plot(line, told, "C2")
    panel.set(title=f"step {step}", ylim=(0, 1.4), xlim=(-4, 4))
axes[0].text(-3.8, 1.25, "real", color="C0")
axes[0].text(-3.8, 1.13, "made", color="C1")
axes[0].text(-3.8, 1.01, "the judge's D", color="C2")
axes[4].plot(costs, "C2", lw=0.8)
axes[4].axhline(math.log(4), color="C5", ls="--", lw=1)
axes[4].text(STEPS, 1.0, "dashed: log 4, guessing", color="C5", ha="right")
axes[4].set(title="The judge's cost", xlabel="step")

numbers = {
    "best_judge_at_2": at_2, "best_judge_at_0": at_0, "carried_at_the_start": carried[0], "carried_at_the_end": carried[STEPS],
    "share_above_0": (end > 0).float().mean().item(), "cost_at_the_end": sum(costs[-100:]) / 100,
}  # fmt: skip
