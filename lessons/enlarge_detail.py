"""
What a network adds to bicubic
==============================

A picture is reduced to a third and enlarged again. Interpolation can only blend the pixels that are left; a network has seen which
sharp pictures such blends come from. How much does it win, and what has its first layer learnt to look for?

**网络比双三次插值多了什么**：把一张图缩小到三分之一，再放大回来。插值只能混合剩下的像素；网络则见过这样的模糊来自怎样的清晰图片。
它能赢多少？它的第一层学会了看什么？
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.cbook import get_sample_data

from mien.data.resize import enlarge, resize
from mien.models.enlargers import opened

# %%
# Reduced, and enlarged again
# ---------------------------
# MATLAB's bicubic: made smaller, all pixels count (the kernel is stretched). What a pixel of the small picture is made of lies in a
# square of 12 x 12 pixels. (Rear Admiral Grace Hopper, public domain; comes with matplotlib.)

with get_sample_data("grace_hopper.jpg") as file:
    picture = torch.tensor(plt.imread(file, format="jpg"))[60:360, 110:410].double().mean(2)[None, None] / 255
small = resize(picture, 1 / 3)
interpolated = enlarge(small, 3)

# %%
# SRCNN
# -----
# Three convolutions: 64 filters of 9 x 9 pixels describe each place of the interpolated picture, 32 of 5 x 5 map the description to
# that of a sharp one, and one of 5 x 5 puts it together (Dong et al. 2014): 57,281 numbers, learnt from 283 photographs, none of them
# this one.

srcnn = opened("srcnn", 3)
restored = srcnn.brightness(small.float()).detach().double()


def decibels(told: torch.Tensor) -> float:
    """Peak signal-to-noise ratio inside the border."""
    error = (told.clamp(0, 1) - picture)[..., 3:-3, 3:-3].square().mean()
    return float(-10 * error.log10())


# %%
# What the first layer looks for
# ------------------------------
# Sorted by how strongly they answer. Nearly four of five have weights that add up to nothing: they are silent on even ground, and
# speak at an edge, a corner or a stripe. The last one only hands the picture on: so it was started, as bicubic interpolation. The
# speckles are what is left of the random numbers that the others began with; the authors trained for days, and theirs are smooth.

filters = next(part for part in srcnn.net.modules() if isinstance(part, torch.nn.Conv2d)).weight.detach()[:, 0]
energy = filters.square().sum((1, 2))
order = energy.argsort(descending=True)
silent = filters.sum((1, 2)).abs() / filters.abs().sum((1, 2)) < 0.1

# %%

figure = plt.figure(figsize=(12, 7), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=(1.25, 1))
names = ("photograph", f"bicubic, {decibels(interpolated):.2f} dB", f"SRCNN, {decibels(restored):.2f} dB", "what SRCNN adds")
views = (picture, interpolated, restored, restored - interpolated)
for panel, name, view in zip(above.subplots(1, 4), names, views, strict=True):
    added = name.startswith("what")
    shown = view[0, 0, 60:230, 70:240].numpy()
    panel.imshow(shown, cmap="RdBu_r" if added else "gray", vmin=-0.15 if added else 0, vmax=0.15 if added else 1)
    panel.set(title=name, xticks=[], yticks=[])
for panel, place in zip(below.subplots(4, 16).flat, order.tolist(), strict=True):
    most = float(filters[place].abs().max())
    panel.imshow(filters[place].numpy(), cmap="RdBu_r", vmin=-most, vmax=most)
    panel.set(xticks=[], yticks=[])

numbers = {
    "bicubic_db": decibels(interpolated), "srcnn_db": decibels(restored), "gain_db": decibels(restored) - decibels(interpolated),
    "filters": len(filters), "silent_on_even_ground": silent.float().mean().item(),
}  # fmt: skip
