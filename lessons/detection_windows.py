"""
From sliding windows to proposals to anchors
============================================

A classifier says what a picture shows. To say where, one can show it every window of the picture: how many are there? R-CNN lets the
picture itself propose a few, Faster R-CNN lays a grid of boxes over it and asks a network which of them to move, and how far.

**从滑动窗口到候选区域再到锚框**：分类器只说图里有什么。要说出在哪里，可以把图中每个窗口都给它看：那有多少个窗口？
R-CNN 让图片自己提出少数候选区域；Faster R-CNN 在图上铺一层锚框，让网络判断哪些要移动、移动多远。
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Rectangle

from mien.nn.boxes import anchors, clip, decode, encode, iou

# %%
# A drawn scene
# -------------
# Eight areas of one colour each: sky and meadow, and three objects of two areas: a house with its roof, a tree, a ball with a stripe.

HEIGHT, WIDTH = 96, 128
areas = np.zeros((HEIGHT, WIDTH), int)
y, x = np.mgrid[:HEIGHT, :WIDTH]
areas[y >= 56] = 1
areas[(y >= 40) & (y < 76) & (x >= 14) & (x < 50)] = 2
areas[(y >= 24) & (y < 40) & (abs(x - 31.5) < (y - 20) * 1.1)] = 3
areas[(y >= 48) & (y < 80) & (x >= 82) & (x < 88)] = 4
areas[((y - 34) / 18) ** 2 + ((x - 85) / 15) ** 2 < 1] = 5
ball = (y - 82) ** 2 + (x - 62) ** 2 < 81
areas[ball] = 6
areas[ball & (abs(y - 82) < 3)] = 7
COLOURS = np.array([(176, 212, 240), (140, 190, 110), (226, 200, 160), (150, 70, 50), (110, 80, 50), (40, 110, 60), (220, 60, 60),
                    (250, 220, 90)])  # fmt: skip


def box_of(mask: np.ndarray) -> list[int]:
    """x1, y1, x2, y2 around what is true."""
    ys, xs = np.nonzero(mask)
    return [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


truth = torch.tensor([box_of(np.isin(areas, pair)) for pair in ((2, 3), (4, 5), (6, 7))]).float()

# %%
# Every window
# ------------
# A box is two columns and two rows: W(W + 1)/2 · H(H + 1)/2 of them. Even three sizes in three shapes, moved by eight pixels, are
# hundreds, and fit an object only by chance.

every = WIDTH * (WIDTH + 1) // 2 * (HEIGHT * (HEIGHT + 1) // 2)
SIZES, RATIOS, STEP = (16, 32, 64), (0.5, 1.0, 2.0), 8
grid = anchors(HEIGHT // STEP, WIDTH // STEP, STEP, SIZES, RATIOS)
inside = (grid == clip(grid, HEIGHT, WIDTH)).all(1)
windows = grid[inside]
by_window = iou(windows, truth).max(0)

# %%
# What the picture proposes
# -------------------------
# Selective search (Uijlings et al. 2013): again and again the two neighbours that are most alike in colour, small, and fill their
# common box become one area. All areas on the way are proposals: of eight areas fifteen, and the parts of one object meet early.

masks = [areas == number for number in range(len(COLOURS))]
colour = [one / 255 for one in COLOURS.astype(float)]
alive, proposals = set(range(len(masks))), [box_of(mask) for mask in masks]


def alike(i: int, j: int) -> float:
    """Colour, size and fill, each up to 1; areas that do not touch are not alike."""
    a, b = masks[i], masks[j]
    if not ((a[1:] & b[:-1]) | (a[:-1] & b[1:])).any() and not ((a[:, 1:] & b[:, :-1]) | (a[:, :-1] & b[:, 1:])).any():
        return -1.0
    x1, y1, x2, y2 = box_of(a | b)
    size, around = a.sum() + b.sum(), (x2 - x1) * (y2 - y1)
    return 1 - np.abs(colour[i] - colour[j]).mean() + 1 - size / areas.size + 1 - (around - size) / areas.size


while len(alive) > 1:
    i, j = max(((i, j) for i in alive for j in alive if i < j), key=lambda pair: alike(*pair))
    a, b = masks[i].sum(), masks[j].sum()
    masks.append(masks[i] | masks[j])
    colour.append((colour[i] * a + colour[j] * b) / (a + b))
    proposals.append(box_of(masks[-1]))
    alive = alive - {i, j} | {len(masks) - 1}
by_proposal = iou(torch.tensor(proposals).float(), truth).max(0)

# %%
# Anchors
# -------
# The same grid again, but a small network sees the picture at each place and says two things of each of its nine boxes: is there an
# object, and how far off is the box: t = (Δx/w, Δy/h, log w, log h). So an anchor need not fit; an overlap of a half is enough.

by_anchor = iou(grid, truth).max(0)
best = grid[by_anchor.indices]
shifts = encode(best, truth)
moved = iou(decode(best, shifts), truth).diagonal()

# %%

figure, panels = plt.subplots(2, 2, figsize=(11, 8.2))
titles = (f"Three objects; {every / 1e6:.0f} million boxes are possible",
          f"Some of {len(windows)} windows; the best overlap by {by_window.values.min():.2f} at least",
          f"{len(proposals)} proposals; the best overlap by {by_proposal.values.min():.2f}",
          f"{len(grid)} anchors, {len(SIZES) * len(RATIOS)} a place; the best (dashed) and where they move")  # fmt: skip
for panel, title in zip(panels.flat, titles, strict=True):
    panel.imshow(COLOURS[areas].astype(np.uint8), extent=(0, WIDTH, HEIGHT, 0))
    panel.set(title=title, xticks=[], yticks=[], xlim=(-14, WIDTH + 14), ylim=(HEIGHT + 10, -10))
    panel.spines[:].set_visible(False)


def draw(panel: plt.Axes, boxes: torch.Tensor | list, colour: str, width: float, style: str = "-") -> None:
    """Frames."""
    for x1, y1, x2, y2 in np.asarray(boxes).tolist():
        panel.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fc="none", ec=colour, lw=width, ls=style))


draw(panels[0, 0], truth, "C3", 2)
draw(panels[0, 1], windows[::37], "0.4", 0.7)
draw(panels[0, 1], windows[by_window.indices], "C3", 2)
draw(panels[1, 0], proposals, "0.3", 0.9)
draw(panels[1, 0], np.array(proposals)[by_proposal.indices], "C3", 2)
place = 9 * (6 * (WIDTH // STEP) + 13)
panels[1, 1].plot(*np.meshgrid(np.arange(4, WIDTH, 8), np.arange(4, HEIGHT, 8)), ".", color="0.35", ms=2)
draw(panels[1, 1], grid[place : place + 9], "0.3", 0.9)
draw(panels[1, 1], best, "C1", 2, "--")
draw(panels[1, 1], truth, "C3", 2)

numbers = {
    "every_box": every, "windows": len(windows), "windows_best_worst": by_window.values.min().item(),
    "proposals": len(proposals), "proposals_best_worst": by_proposal.values.min().item(), "anchors": len(grid),
    "anchors_positive_at_0.5": (iou(grid, truth).max(1).values >= 0.5).sum().item(),
    "anchors_best_worst": by_anchor.values.min().item(), "after_the_shift": moved.min().item(),
}  # fmt: skip
