"""
The map behind the digits
=========================

A variational autoencoder squeezes a digit of 784 pixels into two numbers and draws it again. Its encoder does not answer with a
point but with a cloud, and pays in nats for every cloud that is unlike the standard normal one. So the clouds of all digits come to
lie side by side without gaps, and any point of the plane can be drawn. What does the map look like?

**数字背后的地图**：变分自编码器把 784 个像素的数字压成两个数，再把它画出来。编码器给出的不是一个点，而是一团云；云与标准正
态越不像，付出的奈特就越多。于是所有数字的云挨在一起，中间没有空隙，平面上任何一点都能画成图。这张地图是什么样子？
"""

import math

import matplotlib.pyplot as plt
import torch

from mien.data.examples import read_examples
from mien.data.folder import data_folder
from mien.models.vae import VAE
from mien.nn.batches import seeded
from mien.nn.latent import divergence, plane
from mien.train.generate import coloured, sheet

torch.manual_seed(0)

# %%
# What a cloud costs
# ------------------
# The divergence of N(m, s²) from N(0, 1) is (s² + m² - 1 - log s²) / 2 for each number. A cloud of deviation 0.5 around 1 costs
# (0.25 + 1 - 1 + 1.386) / 2 = 0.818 nats; the standard one costs nothing, and tells nothing either.

cloud = divergence(torch.tensor([[1.0]]), torch.tensor([[math.log(0.25)]])).item()
idle = divergence(torch.zeros(1, 1), torch.zeros(1, 1)).item()

# %%
# Learning
# --------
# Both costs are in nats, and their sum is what this code needs to send a digit. Ten thousand digits, five times.

digits = read_examples(data_folder("digits"), "train", 28, 1)
order = torch.randperm(len(digits))
grey, labels = torch.tensor(digits.images)[order[:11_000]], torch.tensor(digits.labels)[order[10_000:11_000]]
learnt, held = grey[:10_000], coloured(grey[10_000:], seeded(0))
net = VAE(latent=2, width=128)
optimiser = torch.optim.Adam(net.parameters(), 8e-3, fused=True)
STEPS = 5 * 100
schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 8e-3, STEPS)
for step in range(STEPS):
    at = step % 100 * 100
    x = coloured(learnt[at:at + 100], seeded(1, step))  # fmt: skip
    pixels, latent = net.bound(x, torch.randn(100, 2))
    optimiser.zero_grad()
    (pixels + latent).mean().backward()
    optimiser.step()
    schedule.step()

# %%
# The map
# -------
# Even steps in 0..1, sent through the inverse of the normal distribution: every tile stands for as much probability as the others.

net.eval()
with torch.no_grad():
    pixels, latent = (part.mean().item() for part in net.bound(held, torch.randn(1000, 2)))
    means, spreads = net.encode(held)
    tiles = torch.sigmoid(net.decode(plane(16)))[:, 0]
one_tile_right = plane(4)[1, 0].item()
far, which = torch.cdist(means, means).fill_diagonal_(math.inf).min(1)
neighbours_agree = (labels[which] == labels).float().mean().item()

figure, (clouds, whole) = plt.subplots(1, 2, figsize=(13, 6.2), width_ratios=(1.1, 1))
for digit in range(10):
    mine = labels == digit
    clouds.scatter(*means[mine].T, s=8, color=plt.get_cmap("tab10")(digit), label=str(digit))
clouds.legend(markerscale=3, ncols=2, title="digit")
clouds.set(title="Where 1,000 new digits lie (the middles of their clouds)", xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal")
whole.imshow(sheet((tiles * 255).byte().numpy(), 16))
whole.set(title="What is drawn at each place, as much probability in every tile", xticks=[], yticks=[])

numbers = {
    "cost_of_a_cloud": cloud, "cost_of_the_standard_cloud": idle, "second_of_four_tiles": one_tile_right,
    "bound": pixels + latent, "latent": latent, "neighbours_agree": neighbours_agree,
}  # fmt: skip
