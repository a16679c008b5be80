"""
What goes in: mean, scale, whitening
====================================

What should be done to pictures before the first weights see them? Neighbouring pixels are nearly equal, so a few directions hold
almost all variance, and gradient descent crawls along the others. Removing the mean, dividing by the spread, and turning the data
onto its principal axes make all directions alike.

**输入的处理：去均值、归一化与白化**：图片在进入第一层权重之前该做什么处理？相邻像素几乎相等，所以少数几个方向就占了几乎全部方差，
梯度下降在其余方向上走得极慢。减去均值、除以标准差，再旋转到主成分轴上，能让各个方向变得一样。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy

from mien.data.examples import read_examples
from mien.data.folder import data_folder
from mien.nn.inputs import InputLayer

# %%
# The pictures
# ------------
# Ten thousand photographs of CIFAR-10, here in grey and 16 x 16 pixels: 256 numbers each.

examples = read_examples(data_folder("cifar10"), "test", channels=1)
pictures = avg_pool2d(torch.tensor(examples.images).permute(0, 3, 1, 2) / 255, 2)
labels = torch.tensor(examples.labels)

# %%
# Five input layers
# -----------------
# "mean" removes the mean, "standard" also divides by the standard deviation. "pca" turns a picture onto the principal axes and gives
# each unit variance; "zca" turns it back, so that it is a picture again, with little but its edges left.

layers = {kind: InputLayer((1, 16, 16), kind) for kind in ("none", "mean", "standard", "pca", "zca")}
for layer in layers.values():
    layer.fit(pictures)
inputs = {kind: layer(pictures).flatten(1) for kind, layer in layers.items()}
covariance = {kind: torch.cov(x.T) for kind, x in inputs.items()}
variances = torch.linalg.eigvalsh(covariance["none"].double()).flip(0)
shares = variances.cumsum(0) / variances.sum()
needed = int((shares < 0.95).sum()) + 1
middle = [8 * 16 + 7, 8 * 16 + 8]
neighbours = {kind: torch.corrcoef(x[:, middle].T)[0, 1].item() for kind, x in inputs.items()}

# %%
# Does it help?
# -------------
# A linear classifier, 60 steps of gradient descent on all pictures. Each input gets the largest rate that is sure not to diverge:
# two over the largest eigenvalue of the mean of x xᵀ. Directions of small variance are slow at that rate, and whitening leaves
# none. Scaling alone changes little here, where all inputs are of one kind; it matters where they come in different units.


def descend(x: Tensor) -> list[float]:
    """The losses of 60 steps."""
    w, losses, target = torch.zeros(257, 10), [], torch.eye(10)[labels]
    x = torch.cat([x, torch.ones(len(x), 1)], 1)
    rate = 2 / torch.linalg.eigvalsh(x.T @ x / len(x))[-1]
    for _ in range(60):
        logits = x @ w
        losses.append(cross_entropy(logits, labels).item())
        w = w - rate / len(x) * x.T @ (logits.softmax(1) - target)
    return losses


names = {"none": "pixels", "mean": "mean removed", "standard": "and scaled", "zca": "whitened (ZCA)"}
curves = {kind: descend(inputs[kind]) for kind in names}

# %%

figure = plt.figure(figsize=(12.5, 6))
upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.6))
for panel, (kind, name) in zip(upper.subplots(1, 4), names.items(), strict=True):
    tiles = inputs[kind][[1, 2, 3, 9, 12, 18, 25, 30]]
    tiles = tiles / tiles.std(1, keepdim=True) if kind == "zca" else tiles
    low, high = {"none": (0, 1), "mean": (-0.5, 0.5), "standard": (-2, 2), "zca": (-2.5, 2.5)}[kind]
    panel.imshow(tiles.view(2, 4, 16, 16).permute(0, 2, 1, 3).reshape(32, 64).numpy(), vmin=low, vmax=high)
    panel.set(title=f"{name}: {low} black, {high} white", xticks=[], yticks=[])
clouds, axes, spectrum, race = lower.subplots(1, 4, width_ratios=(1, 1, 1, 1.2))
for kind, colour in (("standard", "C0"), ("zca", "C1")):
    label = f"{names[kind]}: {neighbours[kind]:.2f}"
    clouds.scatter(*inputs[kind][:1500, middle].T.numpy(), s=3, color=colour, alpha=0.4, label=label)
clouds.set(title="Two neighbours: correlation", xlim=(-4, 4), ylim=(-4, 5.5), aspect="equal")
clouds.legend(markerscale=3, loc="upper left")
principal = layers["pca"].matrix[:16].view(16, 16, 16)
principal = principal / principal.abs().amax((1, 2), keepdim=True)
axes.imshow(principal.view(4, 4, 16, 16).permute(0, 2, 1, 3).reshape(64, 64).numpy(), cmap="RdBu_r", vmin=-1, vmax=1)
axes.set(title="The 16 strongest axes", xticks=[], yticks=[])
spectrum.plot(range(1, 257), 100 * shares.numpy())
spectrum.plot(needed, 95, "o", color="C3")
spectrum.annotate(f"95 % in {needed} of 256", (needed, 95), (needed * 1.2, 80), color="C3", ha="center")
spectrum.set_xticks([1, 10, 100], ["1", "10", "100"])
spectrum.set(xscale="log", title="Variance in the first axes, %", xlabel="axes", ylim=(0, 105))
for kind, curve in curves.items():
    race.plot(curve, label=names[kind])
race.set(title="Loss of a linear classifier", xlabel="step", ylabel="cross-entropy")
race.legend(loc="center right", bbox_to_anchor=(1, 0.23), fontsize=8)

numbers = {
    "neighbours_before": neighbours["none"], "neighbours_whitened": neighbours["zca"], "axes_for_95_percent": needed,
    "mean_after_removal": inputs["mean"].mean().abs().item(), "spread_after_scaling": inputs["standard"].std().item(),
    "off_diagonal_after_pca": (covariance["pca"] - covariance["pca"].diag().diag()).abs().max().item(),
    "largest_over_smallest_variance": (variances[0] / variances[-1]).item(),
    "loss_pixels": curves["none"][-1], "loss_scaled": curves["standard"][-1], "loss_whitened": curves["zca"][-1],
}  # fmt: skip
