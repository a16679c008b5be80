"""
How a face swap works
=====================

How can a network draw the expression of one person on the face of another, having never seen a pair? One encoder reads both people,
and each person has a decoder. If the code has room for the expression only, identity must come from the decoder. Then: encode A,
decode with B. Two drawn faces show it, since for them the right answer is known.

**换脸是怎样做到的**：网络从未见过成对的样本，怎么能把一个人的表情画到另一个人的脸上？一个编码器读取两个人，每人各有一个解码器。
如果编码只容得下表情，身份就只能来自解码器。于是：用 A 编码，用 B 的解码器解码。这里用两张画出来的脸演示，因为正确答案是已知的。
"""

import math

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from mien.models.deepfake import up
from mien.nn.augment import recolour

SIZE = 32
SKIN = {"a": (1.0, 0.8, 0.55), "b": (0.55, 0.75, 0.95)}
HAIR = {"a": (0.35, 0.2, 0.1), "b": (0.75, 0.15, 0.2)}

# %%
# Two drawn people
# ----------------
# A is round and B is square. Three numbers in -1..1 say how each looks: the tilt of the head, where the eyes look, how far the
# mouth is open.

side = torch.linspace(-1, 1, 2 * SIZE)
down, across = torch.meshgrid(side, side, indexing="ij")


def draw(who: str, tilt: float, look: float, mouth: float) -> Tensor:
    """(3, 32, 32) in 0..1."""
    c, s = math.cos(0.2 * tilt), math.sin(0.2 * tilt)
    x, y = c * across + s * down, c * down - s * across
    face = torch.full((3, 2 * SIZE, 2 * SIZE), 0.93)

    def paint(colour: tuple[float, ...], place: tuple[float, float], radii: tuple[float, float], power: float = 2) -> None:
        """An ellipse (power 2), or nearly a rectangle (power 16)."""
        distance = (((x - place[0]) / radii[0]).abs() ** power + ((y - place[1]) / radii[1]).abs() ** power) ** (1 / power) - 1
        mask = torch.sigmoid(-40 * min(radii) * distance)
        face.mul_(1 - mask).add_(torch.tensor(colour)[:, None, None] * mask)

    power = 2 if who == "a" else 16
    paint(HAIR[who], (0, -0.12), (0.84, 0.83), power)
    paint(SKIN[who], (0, 0.12), (0.7, 0.74), power)
    for eye in (-0.3, 0.3):
        paint((1, 1, 1), (eye, -0.12), (0.26, 0.22))
        paint((0.1, 0.1, 0.15), (eye + 0.15 * look, -0.12), (0.11, 0.13))
    paint((0.6, 0.1, 0.15), (0, 0.48), (0.32, 0.15 + 0.1 * mouth))
    return avg_pool2d(face[None], 2)[0]


rng = torch.Generator().manual_seed(0)
poses = torch.rand(3, 300, 3, generator=rng) * 2 - 1
faces = {who: torch.stack([draw(who, *pose) for pose in of.tolist()]) for who, of in zip("ab", poses, strict=False)}
asked = torch.stack([draw("a", *pose) for pose in poses[2, :60].tolist()])
wanted = torch.stack([draw("b", *pose) for pose in poses[2, :60].tolist()])

# %%
# One encoder, two decoders
# -------------------------
# Each decoder learns to restore its own person only, and never sees the other. What the encoder gets has slightly changed colours,
# so that it does not go by the colour of the skin. The code is four numbers, barely enough for three movements.


class Swap(nn.Module):
    """`net(faces, who)`: (B, 3, 32, 32) in 0..1 -> the same expressions, drawn by the decoder of `who`."""

    def __init__(self, code: int) -> None:
        super().__init__()
        act = nn.LeakyReLU(0.1)
        self.encoder = nn.Sequential(nn.Conv2d(3, 16, 5, 2, 2), act, nn.Conv2d(16, 24, 3, 2, 1), act, nn.Conv2d(24, 24, 3, 2, 1), act,
                                     nn.Flatten(), nn.Linear(24 * 16, 64), act, nn.Linear(64, code))  # fmt: skip
        self.decoders = nn.ModuleDict({who: nn.Sequential(
            nn.Linear(code, 64), act, nn.Linear(64, 24 * 16), act, nn.Unflatten(1, (24, 4, 4)),
            up(24, 24), up(24, 16), up(16, 12), nn.Conv2d(12, 3, 3, padding=1), nn.Sigmoid()) for who in "ab"})  # fmt: skip

    def forward(self, x: Tensor, who: str) -> Tensor:
        """Read by the one encoder, drawn by the decoder of `who`."""
        return self.decoders[who](self.encoder(x))


torch.manual_seed(0)
net = Swap(code=4)
optimiser = torch.optim.Adam(net.parameters(), 3e-3, fused=True)
losses = []
for _ in range(450):
    batch = {who: faces[who][torch.randint(0, 300, (12,))] for who in "ab"}
    drawn = {who: net(recolour(each, 0.3, rng)[0], who) for who, each in batch.items()}
    loss = sum(((drawn[who] - batch[who]).square().mean() for who in "ab"), torch.zeros(()))
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    losses.append(loss.item() / 2)

# %%
# The answer
# ----------
# The network is asked about faces it has not seen, and compared with the right drawing (mean squared error). Restoring A works best,
# that is what it was trained for; A's expression on B, which was never trained, is well ahead of showing B's mean face. Nothing in
# the loss demands that both people share the code: it is a matter of too little room for anything else, and of faces that are alike.

with torch.no_grad():
    restored, swapped = net(asked, "a"), net(asked, "b")
    codes = torch.cat([net.encoder(asked), net.encoder(wanted)])
swap_error = (swapped - wanted).square().mean().item()
restoring_error = (restored - asked).square().mean().item()
mean_face_error = (faces["b"].mean(0) - wanted).square().mean().item()

figure = plt.figure(figsize=(12.5, 6))
left, right = figure.subfigures(1, 2, width_ratios=(3, 1))
names = ("A, not seen\nin training", "A's decoder", "B's decoder:\nthe swap", "B as it\nshould be")
for row, name, views in zip(left.subplots(4, 7), names, (asked, restored, swapped, wanted), strict=True):
    for panel, view in zip(row, views, strict=False):
        panel.imshow(view.permute(1, 2, 0).numpy())
        panel.axis("off")
    row[0].text(-3, SIZE / 2, name, ha="right", va="center")
space, curve = right.subplots(2, 1)
plane = torch.linalg.svd(codes - codes.mean(0), full_matrices=False)[0][:, :2]
for start, colour, name in ((0, "C1", "A"), (60, "C0", "B")):
    space.scatter(*plane[start : start + 60].T, s=12, color=colour, label=name)
for k in range(0, 60, 3):
    space.plot(*plane[[k, 60 + k]].T, color="C5", lw=0.6, zorder=0)
space.set(title="The code; lines: same expression", xticks=[], yticks=[])
space.legend()
curve.plot(losses, color="C5", label="training")
errors = ((mean_face_error, "B's mean face", "C3"), (swap_error, "the swap", "C0"), (restoring_error, "A restored", "C1"))
for value, name, colour in errors:
    curve.axhline(value, color=colour, ls="--", label=name)
curve.set(yscale="log", title="Mean squared error", xlabel="step")
curve.legend(fontsize=8)

numbers = {"swap_error": swap_error, "restoring_error": restoring_error, "mean_face_error": mean_face_error}
