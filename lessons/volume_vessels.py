"""
Three dimensions: vessels in a CT
=================================

A CT scan is a block of voxels, and the window becomes a cube: 14 x 14 x 14 voxels and five kernels of 5 x 5 x 5 give five maps of
10 x 10 x 10. What does the third dimension bring? In one slice a vessel is a spot or a streak. The cube shows where it goes.

**三维卷积：CT 中的血管**：CT 扫描是一块体素，窗口也就成了立方体：14 × 14 × 14 个体素配上五个 5 × 5 × 5 的卷积核，得到五张
10 × 10 × 10 的特征图。第三个维度带来什么？在单张切片里，血管只是一个点或一道痕迹；立方体才显示它的走向。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from mien.data.folder import data_folder
from mien.data.volumes import read_volume
from mien.models.volume import volume_net

# %%
# Counting
# --------
# Five kernels of 5 x 5 x 5 on one channel: 5 · (125 + 1) = 630 parameters.

layer = volume_net()[0]
maps = layer(torch.zeros(1, 1, 14, 14, 14)).shape[1:]
parameters = sum(p.numel() for p in layer.parameters())

# %%
# Pieces of vessel
# ----------------
# The scan shows the vessels of a head, filled with contrast agent. It is brought to voxels of 1 mm. Around 6000 bright voxels
# chosen at random a cube of 14 mm is cut out. The truth comes from geometry: the longest axis of the bright matter in the cube.
# Does the vessel run upwards (within 32 degrees), or across (more than 66)? All others, and cubes without a clear axis, are left
# out.

scan = read_volume(data_folder("ct") / "CT_AVM.nii.gz")
sides = [round(n * mm) for n, mm in zip(scan.values.shape, scan.spacing, strict=True)]
head = interpolate(torch.tensor(scan.values)[None, None], sides, mode="trilinear")[0, 0]
torch.manual_seed(0)
bright = (head[8:-8, 8:-8, 8:-8] > 200).nonzero() + 8
bright = bright[torch.randperm(len(bright))[:6000]]
reach = torch.arange(-7, 7)
d, h, w = (bright[:, k, None] + reach for k in range(3))
cubes = head[d[:, :, None, None], h[:, None, :, None], w[:, None, None, :]]

grid = torch.cartesian_prod(*[reach + 0.5] * 3)
mass = (cubes.flatten(1) - 100).clamp_min(0)
mass = mass / mass.sum(1, keepdim=True)
middle = mass @ grid
spread = torch.einsum("np,pi,pj->nij", mass, grid, grid) - middle[:, :, None] * middle[:, None]
lengths, axes = torch.linalg.eigh(spread)
clear = 1 - lengths[:, 1] / lengths[:, 2] > 0.4
upward = axes[:, 0, 2].abs()
chosen = clear & ((upward > 0.85) | (upward < 0.4))
x, y, place = cubes[chosen][:, None] / 300, (upward[chosen] > 0.85).long(), bright[chosen]

# %%
# Learning
# --------
# Two networks: one with cubes for windows, and the same in two dimensions, which sees only the middle slice. The left side of the
# head is kept for the test, so that no tested vessel has been seen. Both kinds count alike in the loss and in the score, since
# vessels across are more frequent.

train, test = (place[:, 2] < 100).nonzero()[:, 0], (place[:, 2] >= 107).nonzero()[:, 0]
balance = 1 / torch.bincount(y[train]).float()


def learn(net: nn.Module, x: Tensor) -> float:
    """Mean of the shares found of both kinds, on the side kept for the test."""
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(8):
        for batch in train[torch.randperm(len(train))].split(32):
            optimiser.zero_grad()
            cross_entropy(net(x[batch]), y[batch], balance).backward()
            optimiser.step()
    with torch.no_grad():
        right = net(x[test]).argmax(1) == y[test]
    return (right[y[test] == 0].float().mean() + right[y[test] == 1].float().mean()).item() / 2


torch.manual_seed(0)
solid = learn(volume_net(), x)
flat = learn(nn.Sequential(nn.Conv2d(1, 5, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 10, 5), nn.ReLU(),
                           nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(10, 2)), x[:, :, 7])  # fmt: skip

# %%

figure = plt.figure(figsize=(12.5, 6))
left, right = figure.subfigures(1, 2, width_ratios=(1, 1.1))
views = left.subplots(2, 1, height_ratios=(sides[0], sides[1]))
for panel, view, name in ((views[0], head.amax(1).flip(0), "from the front"), (views[1], head.amax(0), "from above")):
    panel.imshow(view.sqrt().numpy(), cmap="bone")
    panel.set(title=f"The vessels {name}: brightest voxel on each line", xticks=[], yticks=[])
rows = right.subplots(4, 6)
for k, (kind, name) in enumerate(((1, "upwards"), (0, "across"))):
    for column, cube in enumerate(x[test[y[test] == kind]][[0, 15, 40, 60, 90, 120], 0]):
        rows[2 * k, column].imshow(cube[7].numpy(), cmap="bone", vmin=0, vmax=1.3)
        rows[2 * k + 1, column].imshow(cube.amax(1).flip(0).numpy(), cmap="bone", vmin=0, vmax=1.3)
    rows[2 * k, 0].set_ylabel(f"{name}:\nits slice")
    rows[2 * k + 1, 0].set_ylabel("its cube,\nfrom the front")
for panel in rows.flat:
    panel.set(xticks=[], yticks=[])
right.suptitle(f"Right on the other side of the head: {100 * solid:.0f} % with cubes, {100 * flat:.0f} % with slices", fontsize=11)

numbers = {
    "maps": maps[0], "map_side": maps[1], "parameters": parameters,
    "learnt_from": len(train), "tested_on": len(test), "right_with_cubes": solid, "right_with_slices": flat,
}  # fmt: skip
