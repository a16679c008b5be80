"""
L1 against L2
=============

Both penalties keep weights small: L2 adds λ/2 Σ w², L1 adds ``λ Σ |w|``. Why does L1 set weights to exactly zero, and L2 never? L2
pulls in proportion to the weight, so its pull fades near zero; L1 pulls with the same force all the way.

**L1 与 L2 正则化**：两种惩罚都使权重变小：L2 加上 λ/2 Σ w²，L1 加上 ``λ Σ |w|``。为什么 L1 会把权重恰好变为零，而 L2 从不会？
L2 的拉力与权重成正比，越接近零越弱；L1 的拉力始终不变。
"""

import matplotlib.pyplot as plt
import numpy as np

# %%
# One weight
# ----------
# Minimise ½ (w - a)² plus the penalty. With L2 the answer is a / (1 + λ): smaller, never zero. With L1 it is a moved towards zero
# by λ, and zero where ``|a| <= λ`` ("soft threshold").


def soft(a: np.ndarray, penalty: float) -> np.ndarray:
    """The weight that L1 leaves of `a`."""
    return np.sign(a) * np.maximum(np.abs(a) - penalty, 0)


a = np.linspace(-2, 2, 401)
one_l2, one_l1 = a / 1.5, soft(a, 0.5)

# %%
# Thirty weights, three of which matter
# -------------------------------------
# 60 noisy examples y = 3 x1 - 2 x2 + x3 + noise; the other 27 inputs have nothing to do with y. L2 has a closed form. L1 has none:
# a step down the slope of the error, then a soft threshold, repeated (ISTA).

rng = np.random.default_rng(0)
true = np.zeros(30)
true[:3] = 3, -2, 1
x, fresh = rng.standard_normal((60, 30)), rng.standard_normal((5000, 30))
y = x @ true + 1.5 * rng.standard_normal(60)


def with_l2(penalty: float) -> np.ndarray:
    """Minimise 1/(2n) |y - xw|² + penalty/2 |w|²."""
    return np.linalg.solve(x.T @ x / 60 + penalty * np.eye(30), x.T @ y / 60)


def with_l1(penalty: float) -> np.ndarray:
    """Minimise 1/(2n) |y - xw|² + penalty |w|, by proximal gradient descent."""
    w, rate = np.zeros(30), 60 / np.linalg.norm(x, 2) ** 2
    for _ in range(1500):
        w = soft(w - rate * x.T @ (x @ w - y) / 60, rate * penalty)
    return w


penalties = np.logspace(-2, 1, 40)
paths = {"L2": np.array([with_l2(p) for p in penalties]), "L1": np.array([with_l1(p) for p in penalties])}

# %%
# Of each, the penalty with the smallest error on fresh data. L1 has dropped most of the useless inputs; L2 keeps all of them, small.

errors = {name: ((fresh @ (path - true).T) ** 2).mean(0) for name, path in paths.items()}
best = {name: int(error.argmin()) for name, error in errors.items()}
zeros = {name: int((paths[name][best[name]] == 0).sum()) for name in paths}
plain = float(((fresh @ (with_l2(0.0) - true)) ** 2).mean())

# %%

figure, panels = plt.subplots(1, 4, figsize=(14, 3.9))
panels[0].plot(a, a, color="C5", lw=1, ls="--", label="no penalty")
panels[0].plot(a, one_l2, color="C0", label="L2: a / (1 + λ)")
panels[0].plot(a, one_l1, color="C1", label="L1: towards 0 by λ")
panels[0].set(title="One weight, λ = 0.5", xlabel="a, the best weight without penalty", ylabel="weight")
panels[0].legend()
for panel, (name, path) in zip(panels[1:3], paths.items(), strict=True):
    panel.plot(penalties, path[:, 3:], color="C5", lw=0.7)
    for k in range(3):
        panel.plot(penalties, path[:, k], color=f"C{k + 2}", label=f"$w_{k + 1}$, truly {true[k]:g}")
    panel.axvline(penalties[best[name]], color="black", lw=0.8, ls=":")
    panel.set(xscale="log", title=f"{name}: {zeros[name]} of 30 are exactly 0 at the best λ", xlabel="λ", ylim=(-2.6, 3.6))
panels[1].legend()
for (name, error), colour in zip(errors.items(), ("C0", "C1"), strict=True):
    panels[3].plot(penalties, error, color=colour, label=name)
panels[3].axhline(plain, color="C5", ls="--", lw=1, label="no penalty")
panels[3].set(xscale="log", title="Error on fresh data", xlabel="λ", ylim=(0, 4.5))
panels[3].legend()

numbers = {
    "l1_of_1_at_0.3": float(soft(np.array(1.0), 0.3)), "l2_of_1_at_0.3": 1 / 1.3,
    "zeros_l1": float(zeros["L1"]), "zeros_l2": float(zeros["L2"]),
    "error_l1": float(errors["L1"].min()), "error_l2": float(errors["L2"].min()), "error_without": plain,
}  # fmt: skip
