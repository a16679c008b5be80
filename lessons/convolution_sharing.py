"""
Why weights are shared
======================

Why not connect every pixel to every hidden neuron? A picture of 1000 x 1000 pixels and a hidden layer of the same size need 10¹²
weights: four terabytes. Looking at a small patch only, and with the same weights everywhere, leaves a hundred for each kind of
neuron.

**为什么要共享权重**：为什么不把每个像素与每个隐藏神经元相连？1000 × 1000 像素的图片加上同样大小的隐藏层需要 10¹² 个权重，即
4 TB。若每个神经元只看一小块，并且处处使用同一组权重，则每种神经元只需一百个。
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

# %%
# Counting
# --------
# On torch's `meta` device a layer has its shape but no memory, so even the impossible one can be counted.

with torch.device("meta"):
    full = nn.Linear(1000 * 1000, 1000 * 1000, bias=False).weight
    shared = nn.Conv2d(1, 1, 10, bias=False).weight
    hundred = nn.Conv2d(1, 100, 10, bias=False).weight
counts = {
    "fully connected": full.numel(),
    "each neuron sees 10 x 10 pixels": 1000 * 1000 * 10 * 10,
    "and all use the same weights,\n100 kinds of them": hundred.numel(),
    "one kind": shared.numel(),
}

# %%
# A convolution is a full layer
# -----------------------------
# Only most of its weights are zero, and the others are equal. Written out for 12 pixels and a kernel of 3, the matrix gives the
# same.

kernel, signal = torch.tensor([0.25, 1.0, -0.6]), torch.arange(12.0).sin()
matrix = torch.zeros(12, 12)
for row in range(12):
    for tap in range(3):
        if 0 <= row + tap - 1 < 12:
            matrix[row, row + tap - 1] = kernel[tap]
by_matrix = matrix @ signal
by_convolution = nn.functional.conv1d(signal[None, None], kernel[None, None], padding=1)[0, 0]
difference = (by_matrix - by_convolution).abs().max().item()

# %%
# What sharing gives besides: what is learnt in one place is known everywhere. If the picture moves, the answer moves with it.

torch.manual_seed(0)
picture = torch.randn(1, 1, 40, 40)
edge = nn.Conv2d(1, 1, 5, bias=False)
with torch.no_grad():
    moved = (edge(picture.roll((3, 7), (2, 3)))[..., 3:, 7:] - edge(picture)[..., :-3, :-7]).abs().max().item()

# %%

figure = plt.figure(figsize=(12.5, 5))
grid = figure.add_gridspec(2, 3, height_ratios=(1.15, 1))
rng = np.random.default_rng(3)
band = (matrix != 0).numpy()
tables = {
    "fully connected: 144 weights": rng.uniform(-1, 1, (12, 12)),
    "local: 34 weights": np.where(band, rng.uniform(-1, 1, (12, 12)), np.nan),
    "local and shared: 3 weights": np.where(band, matrix.numpy(), np.nan),
}
for k, (name, table) in enumerate(tables.items()):
    panel = figure.add_subplot(grid[0, k])
    panel.imshow(table, cmap="RdBu", vmin=-1.2, vmax=1.2)
    panel.set(title=name, xticks=[], yticks=[], xlabel="12 pixels", ylabel="12 neurons")
bars = figure.add_subplot(grid[1, :])
bars.barh(list(counts), list(counts.values()), color=["C3", "C1", "C0", "C2"])
for k, count in enumerate(counts.values()):
    bars.text(count * 1.3, k, f"{count:,} weights, {count * 4 / 1e12:.0f} TB" if count > 1e11 else f"{count:,}", va="center")
bars.set(xscale="log", xlim=(1, 3e15), xticks=[], title="Weights from 1000 x 1000 pixels to as many hidden neurons")
bars.invert_yaxis()
bars.minorticks_off()

numbers = {
    "full": float(full.numel()), "terabytes": full.numel() * 4 / 1e12, "local": float(1000 * 1000 * 10 * 10),
    "hundred_shared": float(hundred.numel()), "matrix_minus_convolution": difference, "moved_minus_moved_answer": moved,
}  # fmt: skip
