"""
Gradient descent on a curve
===========================

How does one find the lowest point of a curve when only the slope underfoot is known? Step against the slope, in proportion to it:
x ← x - η f'(x). What does the learning rate η do, and is the point that is found the lowest?

**曲线上的梯度下降**：只知道脚下的斜率，如何找到曲线的最低点？沿斜率的反方向走，步长与斜率成正比：x ← x - η f'(x)。学习率 η
起什么作用？找到的点一定是最低点吗？
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np


def descend(slope: Callable[[float], float], start: float, rate: float, steps: int) -> np.ndarray:
    """The points that are visited, start included."""
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - rate * slope(path[-1]))
    return np.array(path)


# %%
# Three learning rates
# --------------------
# On f(x) = x² the slope is 2x, so each step multiplies x by 1 - 2η. At η = 0.1 that is 0.8: slow and sure. At 0.45 it is 0.1:
# fast. At 0.95 it is -0.9: it jumps from side to side and still arrives. At 1.05 it is -1.1: every jump is longer than the last.

paths = {rate: descend(lambda x: 2 * x, 1.0, rate, 10) for rate in (0.1, 0.45, 0.95, 1.05)}

# %%
# Two valleys
# -----------
# f(x) = x⁴ - 3x² + x is level where 4x³ - 6x + 1 = 0. Which valley is found depends on the start alone; the lower one is on the
# left.


def f(x: np.ndarray) -> np.ndarray:
    """The curve with two valleys."""
    return x**4 - 3 * x**2 + x


starts = {start: descend(lambda x: 4 * x**3 - 6 * x + 1, start, 0.03, 60) for start in (-0.2, 0.4)}
left, right = (float(path[-1]) for path in starts.values())

# %%

figure, panels = plt.subplots(1, 5, figsize=(14, 3.6), width_ratios=(1, 1, 1, 1, 1.6))
x = np.linspace(-2.8, 2.8, 300)
for panel, (rate, path) in zip(panels, paths.items(), strict=False):
    panel.plot(x, x**2, color="C5", lw=1)
    panel.plot(path, path**2, "o-", color="C3" if rate > 1 else "C0", ms=4, lw=1)
    panel.plot(1, 1, "ko", ms=5)
    panel.set(title=f"η = {rate}: times {1 - 2 * rate:.1f} a step", xlim=(-2.8, 2.8), ylim=(-0.3, 7))
valleys = panels[-1]
x = np.linspace(-2, 1.8, 300)
valleys.plot(x, f(x), color="C5", lw=1)
for (start, path), colour in zip(starts.items(), ("C2", "C1"), strict=True):
    valleys.plot(path, f(path), "o-", color=colour, ms=4, lw=1, label=f"from {start}: ends at {path[-1]:.3f}")
valleys.set(title="Two valleys: the start decides", xlabel="x")
valleys.legend(loc="upper center")

numbers = {
    "after_10_steps_at_0.1": float(paths[0.1][-1]), "after_10_steps_at_0.45": float(paths[0.45][-1]),
    "after_10_steps_at_0.95": float(paths[0.95][-1]), "after_10_steps_at_1.05": float(paths[1.05][-1]),
    "left_valley": left, "right_valley": right, "left_depth": float(f(np.array(left))), "right_depth": float(f(np.array(right))),
}  # fmt: skip
