"""
How two boxes are compared, and one is kept of many
===================================================

A detector never hits a box to the pixel. When is it right? The measure is the intersection over the union of the two boxes (IoU). It
also tells which of many boxes are the same find: non-maximum suppression keeps the surest and drops what overlaps it.

**如何比较两个框，又如何在许多框中只留一个**：检测器从来不会精确到像素。什么时候算对？看两个框的交集与并集之比（IoU）。
它也告诉我们同一物体周围的许多框是否是同一个发现：非极大值抑制保留最有把握的一个，去掉与它重叠的。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Ellipse, Rectangle

from mien.nn.boxes import iou, suppress

# %%
# By hand
# -------
# On squared paper: a from (0, 0) to (4, 4), b from (2, 1) to (6, 5). They share 2 columns and 3 rows, 6 squares; together they cover
# 16 + 16 - 6 = 26. So the IoU is 6/26 = 0.23. Counted square by square it is the same.

a, b = torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[2.0, 1, 6, 5]])
by_hand = (4 - 2) * (4 - 1) / (16 + 16 - 6)
y, x = torch.meshgrid(torch.arange(6), torch.arange(6), indexing="ij")
in_a, in_b = (x < 4) & (y < 4), (x >= 2) & (y >= 1) & (y < 5)
counted = (in_a & in_b).sum().item() / (in_a | in_b).sum().item()

# %%
# Why not simply the distance?
# ----------------------------
# The same four pixels to the right are half of a small box and nothing to a large one. IoU sees the difference: 4/12 against 60/68.

small, large = torch.tensor([[0.0, 0, 8, 8]]), torch.tensor([[0.0, 0, 64, 64]])
shift = torch.tensor([4.0, 0, 4, 0])
of_small, of_large = iou(small, small + shift).item(), iou(large, large + shift).item()

# %%
# One of many
# -----------
# Two people half behind each other, five boxes. Take the surest, 0.9; what overlaps it by more than the threshold is dropped. Of what
# is left take the surest, and so on. Boxes 10 wide that are s apart overlap by (10 - s)/(10 + s): 9/11 for one person, 5/15 for two.

boxes = torch.tensor([[x, 0.0, x + 10, 20] for x in (0, 1, 5, 2, 6)])
scores = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5])
overlaps = iou(boxes, boxes)
left, kept_by_hand = list(range(len(boxes))), []
while left:
    first = left.pop(0)  # they are sorted by score
    kept_by_hand.append(first)
    left = [other for other in left if overlaps[first, other] <= 0.5]
kept = {threshold: suppress(boxes, scores, threshold).tolist() for threshold in (0.2, 0.5, 0.9)}

# %%
# Above 0.2 the second person is lost, above 0.9 each is found again and again. No threshold is right everywhere; 0.3 to 0.5 is usual.

figure, (paper, curve, crowd) = plt.subplots(1, 3, figsize=(12.5, 4.2), width_ratios=(1, 1.1, 1.5))
for square in zip(*torch.nonzero(in_a & in_b, as_tuple=True), strict=True):
    paper.add_patch(Rectangle((square[1], square[0]), 1, 1, fc="C1", alpha=0.5, ec="none"))
for box, colour, name in ((a, "C0", "a"), (b, "C3", "b")):
    x1, y1, x2, y2 = box[0].tolist()
    paper.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fc="none", ec=colour, lw=2.5))
    paper.text(*((x1 + 0.15, y1 + 0.5) if name == "a" else (x2 - 0.4, y2 - 0.25)), name, color=colour, weight="bold")
paper.set(title=f"6 of 26 squares: IoU {by_hand:.2f}", xlim=(-0.5, 6.5), ylim=(5.5, -0.5), aspect="equal")
paper.set_xticks(range(7))
paper.set_yticks(range(6))
paper.grid(color="0.9", zorder=0)
paper.set_axisbelow(True)
shifts = torch.arange(0, 24)
for side, colour in ((8, "C1"), (24, "C0"), (64, "C2")):
    curve.plot(shifts, [max(side - s, 0) / (side + min(s, side)) for s in shifts.tolist()], color=colour, label=f"{side} pixels wide")
curve.axhline(0.5, color="0.6", ls="--", lw=1)
curve.text(10, 0.52, "right in VOC", color="0.4")
curve.set(title="A box that is some pixels off", xlabel="pixels to the right", ylabel="IoU with the true box")
curve.legend(loc="upper right", bbox_to_anchor=(1, 0.9))
crowd.set(title="Two people: what stays at three thresholds", xlim=(-1, 66), ylim=(24, -3), xticks=[], yticks=[], aspect="equal")
crowd.spines[:].set_visible(False)
for column, (threshold, places) in enumerate(kept.items()):
    for middle, shade in ((5, "0.82"), (10, "0.9")):
        crowd.add_patch(Ellipse((23 * column + middle, 3.5), 5, 6, fc=shade, ec="0.6", zorder=-middle))
        crowd.add_patch(Ellipse((23 * column + middle, 13.2), 8, 13, fc=shade, ec="0.6", zorder=-middle))
    for place in places:
        x1, y1, x2, y2 = boxes[place].tolist()
        crowd.add_patch(Rectangle((23 * column + x1, y1 + place / 3), 10, 20 - place / 1.5, fc="none", ec=f"C{place}", lw=2))
        crowd.text(23 * column + 17, 4 + 3 * place, f"{scores[place]:.1f}", color=f"C{place}", weight="bold")
    crowd.text(23 * column + 8, 23.5, f"above {threshold}", ha="center")

numbers = {
    "iou_by_hand": by_hand, "iou_counted": counted, "iou": iou(a, b).item(), "small_shifted": of_small, "large_shifted": of_large,
    "kept_by_hand_as_by_the_library": float(kept_by_hand == kept[0.5]),
    "kept_above_0.2": len(kept[0.2]), "kept_above_0.5": len(kept[0.5]), "kept_above_0.9": len(kept[0.9]),
    "iou_of_two_people": overlaps[0, 2].item(),
}  # fmt: skip
