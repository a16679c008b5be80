"""
Gaussian kernels, and a slide that is wrong
===========================================

What does a Gaussian kernel do, and how wide is it? It replaces each pixel by a weighted mean of its surroundings; sigma says how far
they reach. Two printed 7 x 7 kernels do not say their sigma: it can be found. And one well-known worked example is wrong.

**高斯卷积核，以及一张有错的幻灯片**：高斯卷积核做什么，它有多宽？它把每个像素换成周围像素的加权平均，sigma 决定范围有多大。
有两个印出来的 7 × 7 卷积核没有注明 sigma，但可以求出来。另有一个广为流传的算例算错了。
"""

import matplotlib.pyplot as plt
import numpy as np

# %%
# Which sigma?
# ------------
# The weights are exp(-(x² + y²) / 2 sigma²), divided by their sum. One kernel has 0.1592 in its centre and 0.0000 in its corners,
# the other 0.0211 and 0.0194. We try many sigmas and keep the one that comes nearest to both numbers.


def gaussian(sigma: float, size: int = 7) -> np.ndarray:
    """(size, size) weights that add up to 1."""
    x = np.arange(size) - size // 2
    kernel = np.exp(-(x[:, None] ** 2 + x**2) / (2 * sigma**2))
    return kernel / kernel.sum()


sigmas = np.logspace(-0.5, 1.5, 801)
centres = np.array([gaussian(sigma)[3, 3] for sigma in sigmas])
corners = np.array([gaussian(sigma)[0, 0] for sigma in sigmas])


def best_sigma(centre: float, corner: float) -> float:
    """The sigma whose kernel comes nearest to both printed numbers."""
    return float(sigmas[np.argmin((centres - centre) ** 2 + (corners - corner) ** 2)])


narrow, wide = best_sigma(0.1592, 0.0), best_sigma(0.0211, 0.0194)

# %%
# The first is sigma 1 exactly; its centre is 1 / (2 pi), the height of the continuous Gaussian, of which the pixels are a good sum.
# The second comes out as 10.35, and it was surely meant to be 10: there the corner is 0.0194 as printed, and the centre 0.0212, one
# more in the last digit. So wide a kernel is nearly flat (a plain mean is 1 / 49 = 0.0204), and four digits do not hold its sigma
# any better.

# %%
# The slide
# ---------
# The kernel 1 2 1 / 2 4 2 / 1 2 1, divided by 16, over nine pixels. The nine products add up to 1164, so the answer is 72.75. A
# well-known slide prints 68.125. That is 1090 / 16: the sum without its last product, 1 · 74. A check needs no pencil: the eight
# pixels around weigh 3/4 and are all between 74 and 77, the 65 weighs 1/4, so the mean is at least 3/4 · 74 + 1/4 · 65 = 71.75.

kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]])
pixels = np.array([[77, 75, 76], [74, 65, 77], [75, 75, 74]])
products = kernel * pixels
right, slide = products.sum() / 16, (products.sum() - products[2, 2]) / 16

# %%
# The picture
# -----------

figure, panels = plt.subplots(1, 4, figsize=(13, 3.7), width_ratios=(1, 1, 1.15, 1.25))
for panel, sigma in zip(panels, (1, 10), strict=False):
    weights = gaussian(sigma)
    panel.imshow(weights, cmap="viridis", vmin=0, vmax=weights.max())
    for (row, column), value in np.ndenumerate(weights):
        colour = "w" if value < 0.6 * weights.max() else "k"
        panel.text(column, row, f"{value:.4f}"[1:], ha="center", va="center", fontsize=7, color=colour)
    panel.set(title=f"sigma {sigma}", xticks=[], yticks=[])
    panel.spines[:].set_visible(False)
for curve, name, colour in ((centres, "centre", "C0"), (corners, "corner", "C1")):
    panels[2].plot(sigmas, curve, color=colour, label=name)
for sigma, marks in ((narrow, (0.1592, 0.0)), (wide, (0.0211, 0.0194))):
    panels[2].axvline(sigma, color="C5", lw=1, ls=":")
    panels[2].plot([sigma] * 2, marks, "k.")
panels[2].axhline(1 / 49, color="C5", lw=1)
panels[2].text(0.33, 1 / 49 + 0.004, "1 / 49", color="C5")
panels[2].set(xscale="log", ylim=(-0.005, 0.25), xlim=(0.32, 30), title="Dots: the printed numbers", xlabel="sigma", ylabel="weight",
              xticks=[1, 10], xticklabels=["1", "10"])  # fmt: skip
panels[2].legend()
panels[3].imshow(pixels, cmap="gray", vmin=40, vmax=90)
for (row, column), value in np.ndenumerate(pixels):
    lost = (row, column) == (2, 2)
    text = f"{kernel[row, column]} · {value}\n= {products[row, column]}" + ("\nlost" if lost else "")
    panels[3].text(column, row, text, ha="center", va="center", color="C3" if lost else "k", weight="bold" if lost else "normal")
panels[3].set(title="1164 / 16 = 72.75; the slide: 68.125", xticks=[], yticks=[])
panels[3].spines[:].set_visible(False)

numbers = {
    "sigma_of_narrow": narrow, "narrow_centre": gaussian(1)[3, 3], "narrow_corner": gaussian(1)[0, 0],
    "sigma_of_wide": wide, "wide_centre": gaussian(10)[3, 3], "wide_corner": gaussian(10)[0, 0],
    "sum_of_products": products.sum(), "right_answer": right, "printed_on_the_slide": slide,
}  # fmt: skip
