"""
A picture that paints itself
============================

How does style transfer find its picture? Nobody paints: a picture of noise is shown to a network, and each pixel is moved a little in
the direction that brings the network's maps nearer to those of a photograph, and their Gram matrices nearer to those of another
picture. After a hundred steps the noise has become the one in the manner of the other.

**自己画成的画**：风格迁移的图像是怎样得到的？没有人动笔：把一幅噪声图像交给网络，每个像素都朝着这样的方向微调：网络的特征图更接近照片的特征图，
Gram 矩阵更接近另一幅画的 Gram 矩阵。一百步之后，噪声就变成了用那种画法画出的照片。
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.cbook import get_sample_data
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate

from mien.models import vgg_features
from mien.nn.style import content_cost, mean_gram, style_cost, total_variation

torch.manual_seed(0)
SIDE, STEPS = 96, 100

# %%
# Content and style
# -----------------
# The content is a photograph (Rear Admiral Grace Hopper, public domain; comes with matplotlib), the style is drawn by a formula: waves
# of four colours, with a thin dark line wherever one colour meets the next.

with get_sample_data("grace_hopper.jpg") as file:
    photo = torch.tensor(plt.imread(file, format="jpg"))[20:420, 70:470].permute(2, 0, 1)[None].float() / 255
content = interpolate(photo, (SIDE, SIDE), mode="area")
colours = torch.tensor([[0.07, 0.16, 0.42], [0.95, 0.72, 0.20], [0.80, 0.22, 0.15], [0.20, 0.55, 0.62]])
y, x = torch.meshgrid(*[torch.linspace(0, 1, SIDE)] * 2, indexing="ij")
waves = 5 * x + 1.2 * torch.sin(9 * y + 5 * torch.sin(4 * x)) + 0.8 * torch.sin(14 * (x + y))
line = (waves % 1 - 0.5).abs().mul(16).clamp(0, 1)
style = (colours[waves.floor().long() % 4] * line[..., None]).permute(2, 0, 1)[None]

# %%
# The network
# -----------
# VGG16's first three blocks where its weights are here (Gatys et al. 2016 took VGG19's five; the deeper ones cost time). Otherwise 128
# random filters on each of three sizes of the picture: they have learnt nothing, but textures they tell apart (Ustyuzhaninov et al.
# 2016, arXiv 1606.00021); what is a face they do not know.

has_vgg = vgg_features.at_hand()
names = ("relu1_1", "relu2_1", "relu3_1")
vgg = vgg_features.load(average=True) if has_vgg else None
filters = torch.randn(128, 3, 7, 7) / 12


def maps(picture: Tensor) -> list[Tensor]:
    """Three layers' maps, shallow to deep."""
    if vgg is not None:
        return list(vgg(picture, names).values())
    return [conv2d(avg_pool2d(picture - 0.5, size), filters, padding=3).relu() for size in (1, 2, 4)]


# %%
# The costs
# ---------
# J = α J_content + β J_style: content in the deepest of the three layers, style in all. Each is measured in what noise costs, so that
# the same α and β do for any network. A little total variation keeps neighbours alike.

with torch.no_grad():
    wanted, manner = maps(content)[-1], [mean_gram(one) for one in maps(style)]
generated = (0.5 + 0.15 * torch.randn(1, 3, SIDE, SIDE)).clamp(0, 1).requires_grad_()


def costs() -> tuple[Tensor, Tensor]:
    """J_content, and J_style of each layer, of the generated picture."""
    found = maps(generated)
    in_style = [style_cost(mean_gram(one), two)[0] for one, two in zip(found, manner, strict=True)]
    return content_cost(found[-1], wanted)[0], torch.stack(in_style)


start_content, start_style = (one.detach() for one in costs())
alpha, beta, smooth = 1.0, 10.0, 2.0

# %%
# A hundred steps of Adam
# -----------------------
# A frame is kept after 0, 1, 2, 4, 6, 9 ... steps: most happens at the beginning.

optimiser = torch.optim.Adam([generated], 0.06)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS, 0.006)
shown = sorted({round(STEPS * (i / 24) ** 2) for i in range(25)})
kept: list[Tensor] = []
history: list[tuple[float, float]] = []
for step in range(STEPS + 1):
    if step in shown:
        kept.append(generated.detach().clone())
    content_part, style_part = costs()
    content_part, style_part = content_part / start_content, (style_part / start_style).mean()
    history.append((content_part.item(), style_part.item()))
    optimiser.zero_grad()
    (alpha * content_part + beta * style_part + smooth * total_variation(generated).sum()).backward()
    optimiser.step()
    schedule.step()
    generated.data.clamp_(0, 1)
enlarged = [(interpolate(one, scale_factor=2, mode="bicubic").clamp(0, 1) * 255).byte()[0].permute(1, 2, 0).numpy() for one in kept]

# %%

figure = plt.figure(figsize=(12, 5.6), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=(1, 1.05))
places = [0, *(min(range(len(shown)), key=lambda i, at=at: abs(shown[i] - at)) for at in (4, 9, 25, 50)), len(shown) - 1]
for panel, place in zip(above.subplots(1, 6), places, strict=True):
    panel.imshow(enlarged[place])
    panel.set(title=f"step {shown[place]}", xticks=[], yticks=[])
panels = below.subplots(1, 4, width_ratios=(1, 1, 1.3, 1.7))
for panel, name, one in zip(panels, ("content", "style", "the end"), (content, style, kept[-1]), strict=False):
    panel.imshow(one[0].permute(1, 2, 0).numpy())
    panel.set(title=name, xticks=[], yticks=[])
panels[3].semilogy(history, label=["J_content", "J_style"])
panels[3].set(xlabel="step", title=f"of what noise costs ({'VGG16' if has_vgg else 'random filters'})")
panels[3].legend()

frames = enlarged  # what becomes the animation
numbers = {
    "frames": len(frames), "style_at_the_start": history[0][1], "style_left": history[-1][1], "content_left": history[-1][0],
    "total_falls": alpha * history[0][0] + beta * history[0][1] - alpha * history[-1][0] - beta * history[-1][1],
}  # fmt: skip
