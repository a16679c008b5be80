"""
What each generation of R-CNN saved
===================================

R-CNN (2014) shows 2000 cut-out proposals to VGG16, one after the other: 47 seconds a picture. Fast R-CNN (2015) runs the convolutions
once and cuts the proposals from their maps: a third of a second. Faster R-CNN (2015) makes the proposals from the same maps: a fifth,
all included. How much of that can be counted beforehand?

**每一代 R-CNN 节省了什么**：R-CNN（2014）把 2000 个候选区域逐个剪下来送进 VGG16，每张图 47 秒。Fast R-CNN（2015）只做一次卷积，
再从特征图上剪出候选区域，三分之一秒。Faster R-CNN（2015）连候选区域也从同一特征图得到，全部只要五分之一秒。这些有多少可以事先算出来？
"""

import matplotlib.pyplot as plt
import torch

from mien.models.faster_rcnn import vgg16
from mien.models.vgg import vgg
from mien.nn.trace import trace

# %%
# By hand
# -------
# A convolution from c to d channels multiplies 9 · c · d times at each place, and a place is where a map still has one: VGG16 halves
# five times. In a picture of 224 x 224 pixels its thirteen convolutions make 15.35 billion multiplications, its dense layers 0.12.

by_hand, side, channels = 0, 224, 3
for width, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
    for _ in range(convolutions):
        by_hand += side * side * 9 * channels * width
        channels = width
    side //= 2
dense = 512 * 7 * 7 * 4096 + 4096 * 4096

# %%
# R-CNN: everything for each of 2000 proposals, each stretched to 224 x 224 pixels; what a proposal shares with its neighbours is
# computed again and again.

with torch.device("meta"):
    classifier, detector = vgg("vgg16"), vgg16(20)
one = trace(classifier, (3, 224, 224)).macs - 4096 * 1000  # without the thousand classes of ImageNet
rcnn = {"convolutions": 2000 * (one - dense), "dense layers": 2000 * dense}

# %%
# Fast R-CNN: a picture of 600 x 1000 pixels once through the convolutions, then 2000 pieces of 7 x 7 places through the dense layers.
# Now these cost more than the convolutions: the paper takes them apart into two thin ones each (truncated SVD).

picture = (3, 600, 1000)
body, head = trace(detector.body, picture).macs, trace(detector.head, (512, 7, 7)).macs
answers = 4096 * (21 + 4 * 21)
fast = {"convolutions": body, "dense layers": 2000 * (head + answers)}

# %%
# Faster R-CNN: one more convolution over the last map finds the proposals. They are better than those of selective search, which took
# 1.5 seconds of its own, so 300 are enough.

places = (512, 600 // 16, 1000 // 16)
proposer = trace(detector.proposer, places).macs
faster = {"convolutions": body, "dense layers": 300 * (head + answers), "proposals": proposer}

# %%
# The seconds are those of the papers, with VGG16 on a graphics card, Fast R-CNN's without the proposals. Fast R-CNN gained twice what
# the count says: thousands of small passes, and files between them, cost time of their own.

generations = {"R-CNN": rcnn, "Fast R-CNN": fast, "Faster R-CNN": faster}
totals = {name: sum(parts.values()) for name, parts in generations.items()}
SECONDS = {"R-CNN": 47.0, "Fast R-CNN": 0.32, "Faster R-CNN": 0.198}
figure, (count, share, clock) = plt.subplots(1, 3, figsize=(12.5, 3.8), width_ratios=(1.2, 1.2, 1))
count.barh(list(totals), [total / 1e9 for total in totals.values()], color="C0")
for row, total in enumerate(totals.values()):
    count.text(total / 1e9 * 1.1, row, f"{total / 1e9:,.0f}", va="center")
count.set(title="Billion multiplications a picture", xscale="log", xlim=(10, 200_000))
start = [0.0] * 3
for part, colour in (("convolutions", "C0"), ("dense layers", "C1"), ("proposals", "C2")):
    widths = [parts.get(part, 0) / totals[name] for name, parts in generations.items()]
    share.barh(list(totals), widths, left=start, color=colour, label=part)
    start = [a + b for a, b in zip(start, widths, strict=True)]
share.set(title="Where they are spent", xlim=(0, 1), yticklabels=[])
share.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize=9)
clock.barh(list(SECONDS), list(SECONDS.values()), color="C3")
for row, seconds in enumerate(SECONDS.values()):
    clock.text(seconds * 1.15, row, f"{seconds:g} s", va="center")
clock.set(title="Seconds a picture, as published", xscale="log", xlim=(0.05, 400), yticklabels=[])
for panel in (count, share, clock):
    panel.invert_yaxis()

numbers = {
    "billions_of_convolutions_by_hand": by_hand / 1e9, "by_hand_minus_traced": by_hand + dense - one,
    "rcnn_billions": totals["R-CNN"] / 1e9, "fast_billions": totals["Fast R-CNN"] / 1e9,
    "faster_billions": totals["Faster R-CNN"] / 1e9, "counted_rcnn_over_fast": totals["R-CNN"] / totals["Fast R-CNN"],
    "published_rcnn_over_fast": SECONDS["R-CNN"] / SECONDS["Fast R-CNN"],
    "counted_fast_over_faster": totals["Fast R-CNN"] / totals["Faster R-CNN"],
    "share_of_dense_layers_in_fast": fast["dense layers"] / totals["Fast R-CNN"],
    "share_of_the_proposals_in_faster": proposer / totals["Faster R-CNN"],
}  # fmt: skip
