"""
Drawing without seeing the future
=================================

A PixelCNN draws row by row, each pixel from those before it. How does a convolution, which looks at a whole square, not see what is
to come? Half of its weights are zero: those for what lies below, and to the right in the same row. The first layer's mask hides the
middle too. Many such layers still leave a blind spot, above and far to the right; two stacks, one of rows and one of cells, do not.

**作画而不偷看未来**：PixelCNN 逐行作画，每个像素只取决于在它之前的像素。卷积看的是整个方块，怎样才能看不到尚未画出的部分？
它有一半权重是零：下方的、同一行右边的。第一层的掩码连中心也遮住。这样的层再多，右上方仍有一块盲区；若分成“行”与“格”两叠，盲
区就消失了。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Rectangle
from torch import nn

from mien.models.pixelcnn import Gated, GatedPixelCNN, Masked, PixelCNN, sampled

torch.manual_seed(0)
SIDE = 11
Y, X = 6, 5
"""The pixel that is drawn."""

# %%
# Two masks
# ---------
# Of the 9 weights of a 3 x 3 convolution mask A leaves 4 (three above, one to the left), mask B 5: deeper layers may look at what the
# first one made of the middle, for it has not seen the middle.

masks = {"A": Masked(1, 1, 3, own=False).mask, "B": Masked(1, 1, 3, own=True).mask}

# %%
# What three layers see
# ---------------------
# Each layer goes one row up (and one column either way) or one column to the left. With n layers a pixel r rows above is reached only
# up to r columns to the right: r steps went up, and none of the others leads to the right. The square above and to the left
# holds 24 pixels; n + r + 1 of row r are seen, and 3 of the own: 3 + 5 + 6 + 7 = 21. The other 3 are the blind spot.


def seen(net: nn.Module) -> torch.Tensor:
    """(SIDE, SIDE): whether a pixel changes the answer at (Y, X)."""
    x = torch.rand(1, 1, SIDE, SIDE, dtype=torch.float64, requires_grad=True)
    (grad,) = torch.autograd.grad(net(x)[0, 0, Y, X], x)
    return grad[0, 0] != 0


class Stacks(nn.Module):
    """Three gated layers of 3 x 3: rows above, and the own row."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Gated(1 if i == 0 else 4, 4, 3, i == 0) for i in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The sum of all maps."""
        above = beside = x
        for layer in self.layers:
            above, beside = layer(above, beside)
        return beside.sum(1, keepdim=True)


plain = nn.Sequential(Masked(1, 4, 3, own=False), Masked(4, 4, 3, own=True), Masked(4, 1, 3, own=True)).double()
fields = {"three masked 3 x 3": seen(plain), "three gated layers, two stacks": seen(Stacks().double())}
counts = {name: int(one.sum()) for name, one in fields.items()}

# %%
# What is kept
# ------------
# To draw a pixel needs a whole pass, 784 passes for a digit. But nothing that was computed for the pixels before changes any more: a
# drawing that keeps it gives the same picture, bit for bit.

chances = torch.rand(1, 1, 12, 12, dtype=torch.float64)
nets = (PixelCNN(half=4, blocks=2, last=4).double(), GatedPixelCNN(width=4, layers=3, last=4).double())
different = sum(int((sampled(net, chances) != sampled(net, chances, cached=False)).sum()) for net in nets)

figure, axes = plt.subplots(1, 4, figsize=(13, 3.6))
for panel, (name, mask) in zip(axes, masks.items(), strict=False):
    panel.imshow(mask[0, 0].numpy(), vmin=-0.4, vmax=2.4, cmap="Blues")
    for y in range(3):
        for x in range(3):
            panel.text(x, y, f"{mask[0, 0, y, x]:.0f}", ha="center", va="center", fontsize=14)
    panel.set(title=f"mask {name}: {int(mask.sum())} weights of 9", xticks=[], yticks=[])
before = torch.zeros(SIDE, SIDE, dtype=torch.bool)
before.view(-1)[: Y * SIDE + X] = True
for panel, (name, field) in zip(axes[2:], fields.items(), strict=True):
    colours = torch.full((SIDE, SIDE, 3), 1.0)
    colours[before] = torch.tensor([0.88, 0.88, 0.88])
    colours[field] = torch.tensor([0.16, 0.44, 0.73])
    inside = before.clone()
    inside[: Y - 3], inside[:, : X - 3], inside[:, X + 4 :] = False, False, False
    colours[inside & ~field] = torch.tensor([0.76, 0.23, 0.23])
    panel.imshow(colours.numpy())
    panel.add_patch(Rectangle((X - 0.5, Y - 0.5), 1, 1, fc="none", ec="C1", lw=2.5))
    panel.set(title=f"{name}:\n{counts[name]} pixels", xticks=[], yticks=[])
legend = "orange: the pixel that is drawn; blue: what it is drawn from; red: within reach, but not seen; light: drawn before"
figure.supxlabel(legend, fontsize=9)

numbers = {
    "weights_of_mask_a": masks["A"].sum().item(), "weights_of_mask_b": masks["B"].sum().item(),
    "seen_by_three": counts["three masked 3 x 3"], "seen_by_two_stacks": counts["three gated layers, two stacks"],
    "future_seen": sum(int((field & ~before).sum()) for field in fields.values()), "pixels_drawn_otherwise": different,
}  # fmt: skip
