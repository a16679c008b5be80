"""
Bias and variance, read off learning curves
===========================================

The network is not good enough: does it need more data, or a larger model? Learning curves tell. If the errors on training and on new
data are both high and close together, the model is too simple (bias). If they lie far apart, it is too free for its data (variance).

**从学习曲线看偏差与方差**：模型不够好时，该增加数据还是换更大的模型？学习曲线会告诉你。如果训练误差与新数据上的误差都高且彼
此接近，说明模型太简单（偏差大）；如果两者相距很远，说明对这点数据而言模型太自由（方差大）。
"""

import matplotlib.pyplot as plt
import numpy as np

NOISE = 0.3
rng = np.random.default_rng(0)


def truth(x: np.ndarray) -> np.ndarray:
    """The curve behind the data."""
    return np.sin(1.5 * np.pi * x)


def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
    """That many noisy examples."""
    x = rng.uniform(-1, 1, count)
    return x, truth(x) + NOISE * rng.standard_normal(count)


# %%
# Three models
# ------------
# Polynomials of degree 1, 5 and 12, fitted by least squares to 15 to 200 examples, each 200 times with fresh data. The noise alone
# costs 0.3² = 0.09: no model can do better on new data.


def features(x: np.ndarray, degree: int) -> np.ndarray:
    """(N,) -> (N, degree + 1): Legendre polynomials, which keep the fit well conditioned."""
    return np.polynomial.legendre.legvander(x, degree)


def errors(degree: int, count: int, repeats: int = 200) -> tuple[float, float]:
    """Median squared error on the training data, and on new data."""
    pairs = []
    for _ in range(repeats):
        x, y = draw(count)
        weights = np.linalg.lstsq(features(x, degree), y, rcond=None)[0]
        fresh_x, fresh_y = draw(300)
        pairs.append([np.mean((features(a, degree) @ weights - b) ** 2) for a, b in ((x, y), (fresh_x, fresh_y))])
    train, dev = np.median(pairs, axis=0)
    return float(train), float(dev)


DEGREES, COUNTS = (1, 5, 12), (15, 20, 30, 50, 80, 120, 200)
curves = {degree: np.array([errors(degree, count) for count in COUNTS]) for degree in DEGREES}

# %%
# Bias and variance themselves
# ----------------------------
# Since here the truth is known, they can be measured: over many training sets of 30, the mean fit's distance from the truth (bias),
# and the fits' spread about their mean (variance). Error on new data = bias² + variance + noise.

grid = np.linspace(-0.95, 0.95, 200)


def fits(degree: int, count: int = 30, repeats: int = 300) -> np.ndarray:
    """(repeats, 200): what each training set makes of the grid."""
    out = []
    for _ in range(repeats):
        x, y = draw(count)
        out.append(features(grid, degree) @ np.linalg.lstsq(features(x, degree), y, rcond=None)[0])
    return np.array(out)


models = {degree: fits(degree) for degree in DEGREES}
bias = {degree: float(np.mean((np.median(fit, 0) - truth(grid)) ** 2)) for degree, fit in models.items()}
variance = {degree: float(np.median(np.mean((fit - np.median(fit, 0)) ** 2, axis=1))) for degree, fit in models.items()}

# %%
# (Medians instead of means, since a free model is sometimes wildly wrong at the edge.)

figure, panels = plt.subplots(2, 3, figsize=(12, 6.4), sharey="row")
for column, degree in zip(panels.T, DEGREES, strict=True):
    column[0].plot(grid, models[degree][:25].T, color="C0", lw=0.5, alpha=0.5)
    column[0].plot(grid, truth(grid), "k--", lw=1.5)
    column[0].set(title=f"degree {degree}: bias² {bias[degree]:.3f}, variance {variance[degree]:.3f}", ylim=(-2, 2))
    column[1].plot(COUNTS, curves[degree][:, 1], "o-", color="C1", label="new data")
    column[1].plot(COUNTS, curves[degree][:, 0], "o-", color="C0", label="training data")
    column[1].axhline(NOISE**2, color="C5", ls="--", lw=1, label="noise")
    column[1].set(xlabel="examples", ylim=(0, 0.9))
for panel, verdict in zip(panels[1], ("high bias: more data does not help", "neither", "high variance: more data helps"), strict=True):
    panel.set_title(verdict)
panels[0, 0].set_ylabel("25 fits to 30 examples")
panels[1, 0].set_ylabel("squared error")
panels[1, 0].legend()

numbers = {
    "bias_of_degree_1": bias[1], "bias_of_degree_12": bias[12],
    "variance_of_degree_1": variance[1], "variance_of_degree_12": variance[12],
    "gap_of_degree_1_at_200": curves[1][-1, 1] - curves[1][-1, 0], "error_of_degree_1_at_200": curves[1][-1, 1],
    "gap_of_degree_12_at_30": curves[12][2, 1] - curves[12][2, 0], "error_of_degree_5_at_200": curves[5][-1, 1],
}  # fmt: skip
