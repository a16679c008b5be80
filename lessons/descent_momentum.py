"""
Momentum and Adam
=================

What if the valley is long and narrow? Plain descent jumps from wall to wall and creeps along the floor. Momentum adds up past steps:
the jumps cancel, the creeping gathers speed. Adam also divides each weight's step by the size of its recent gradients.

**动量与 Adam**：如果山谷又长又窄怎么办？普通的梯度下降在两壁之间来回跳，沿谷底却爬得很慢。动量把过去的步子累加起来：来回的跳
动相互抵消，沿谷底的移动越来越快。Adam 还把每个权重的步长除以它近期梯度的大小。
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer

# %%
# A narrow valley
# ---------------
# f(x, y) = ½ (x² + 100 y²): a hundred times steeper across than along.

STEEP = 100.0


def f(x: Tensor, y: Tensor) -> Tensor:
    """The height of the valley."""
    return 0.5 * (x**2 + STEEP * y**2)


def descend(optimiser: Callable[[list[Tensor]], Optimizer], steps: int = 800) -> Tensor:
    """(steps + 1, 2): the way from (10, 1)."""
    point = torch.tensor([10.0, 1.0], dtype=torch.float64, requires_grad=True)
    step, path = optimiser([point]), [point.detach().clone()]
    for _ in range(steps):
        point.grad = torch.stack([point[0].detach(), STEEP * point[1].detach()])
        step.step()
        path.append(point.detach().clone())
    return torch.stack(path)


# %%
# The best settings
# -----------------
# For a valley whose steepness lies between 1 and κ, plain descent is fastest with the rate 2 / (1 + κ); each step then leaves
# (κ - 1) / (κ + 1) of the distance. Momentum with rate 4 / (1 + √κ)² and momentum ((√κ - 1) / (√κ + 1))² leaves
# (√κ - 1) / (√κ + 1) (Polyak 1964): with κ = 100, 0.818 instead of 0.980.

root = STEEP**0.5
paths = {
    "plain": descend(lambda p: SGD(p, 2 / (1 + STEEP))),
    "momentum": descend(lambda p: SGD(p, 4 / (1 + root) ** 2, momentum=((root - 1) / (root + 1)) ** 2)),
    "Nesterov": descend(lambda p: SGD(p, 1 / STEEP, momentum=(root - 1) / (root + 1), nesterov=True)),
    "Adam": descend(lambda p: Adam(p, 0.5, betas=(0.9, 0.999))),
}


def steps_to(path: Tensor, share: float) -> int:
    """The first step from which on the distance stays below `share` of that at the start."""
    far = path.norm(dim=1) >= share * path[0].norm()
    return int(far.nonzero()[-1]) + 1


needed = {name: steps_to(path, 1e-4) for name, path in paths.items()}

# %%
# Adam's first step is known beforehand: both averages are corrected for starting at zero, so the step is rate · ``g / |g|``, the
# same length for every weight however large its gradient. It goes diagonally, where plain descent goes across.

first = (paths["Adam"][1] - paths["Adam"][0]).tolist()

# %%
# The picture
# -----------
# Momentum at its best first swings out wide (its panel shows three times the height) and is there first all the same.

figure, panels = plt.subplot_mosaic([["plain", "momentum", "far"], ["Nesterov", "Adam", "far"]], figsize=(13, 4.8),
                                    width_ratios=(1, 1, 1.1))  # fmt: skip
x, y = torch.linspace(-4, 11, 150), torch.linspace(-4, 4, 450)
height = f(*torch.meshgrid(x, y, indexing="xy"))
for (name, path), colour in zip(paths.items(), ("C3", "C0", "C4", "C2"), strict=True):
    panel = panels[name]
    panel.contour(x, y, height, levels=[0.5, 2, 6, 14, 28, 50, 80, 200, 450, 800], colors="C5", linewidths=0.5)
    panel.plot(*path[:41].T, ".-", color=colour, lw=1, ms=4)
    panel.plot(0, 0, "k*", ms=9)
    panel.set(title=f"{name}, 40 steps", xlim=(-4, 11), ylim=(-4, 4) if name == "momentum" else (-1.3, 1.3))
    panels["far"].plot(path.norm(dim=1), color=colour, label=f"{name}: {needed[name]} steps to 1e-4")
panels["far"].set(yscale="log", ylim=(1e-6, 20), xlim=(0, 700), title="Distance from the lowest point", xlabel="step")
panels["far"].legend(loc="upper right")

numbers = {
    "steps_plain": float(needed["plain"]), "steps_momentum": float(needed["momentum"]), "steps_nesterov": float(needed["Nesterov"]),
    "steps_adam": float(needed["Adam"]), "adam_first_step_x": first[0], "adam_first_step_y": first[1],
    "left_by_plain_step": (paths["plain"][101].norm() / paths["plain"][100].norm()).item(),
}  # fmt: skip
