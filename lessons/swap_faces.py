"""
How a face swap works
=====================

How can a network draw the expression of one person on the face of another, having never seen a pair? One encoder reads both people,
and each person has a decoder. If the code has room for the expression only, identity must come from the decoder. Then: encode A,
decode with B. Two drawn faces show it, since for them the right answer is known.

**换脸是怎样做到的**：网络从未见过成对的样本，怎么能把一个人的表情画到另一个人的脸上？一个编码器读取两个人，每人各有一个解码器。
如果编码只容得下表情，身份就只能来自解码器。于是：用 A 编码，用 B 的解码器解码。这里用两张画出来的脸演示，因为正确答案是已知的。
"""

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from mien.data.cartoon import MOVEMENTS, draw, read
from mien.nn.augment import recolour

torch.manual_seed(0)
rng = torch.Generator().manual_seed(0)
STEPS, BATCH, CODE, PIXELS = 500, 16, 4, 3 * 32 * 32

# %%
# Two drawn people
# ----------------
# A is round and B is square. Four numbers in -1..1 say how either looks at a moment: the tilt of the head, where the eyes look, the
# brows, the mouth. 600 pictures of each are learnt from, no two of the same expression; 60 more of A are kept for the question.

movements = torch.rand(3, 600, 4, generator=rng) * 2 - 1
faces = {"a": draw("a", movements[0]), "b": draw("b", movements[1])}
asked, wanted = (draw(who, movements[2, :60]) for who in "ab")

# %%
# One encoder, two decoders
# -------------------------
# Each decoder learns to restore its own person only, and never sees the other. It starts from that person's mean face. What the
# encoder gets has changed colours, so that it does not go by the colour of the skin. The code is four numbers, just enough for four
# movements.


def encoder() -> nn.Sequential:
    """(B, 3, 32, 32) in -0.5..0.5 -> (B, 4)."""
    act = nn.ELU()
    return nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 96), act, nn.Linear(96, 64), act, nn.Linear(64, CODE))


def decoder(mean: Tensor) -> nn.Sequential:
    """(B, 4) -> (B, 3, 32, 32), at first near the mean face (3, 32, 32)."""
    act, last = nn.ELU(), nn.Linear(96, PIXELS)
    last.weight.data.mul_(0.3)
    last.bias.data.copy_(mean.flatten())
    return nn.Sequential(nn.Linear(CODE, 64), act, nn.Linear(64, 96), act, last, nn.Unflatten(1, (3, 32, 32)))


encode, decode = encoder(), nn.ModuleDict({who: decoder(some.mean(0)) for who, some in faces.items()})
optimiser = torch.optim.Adam([*encode.parameters(), *decode.parameters()], 3e-3, fused=True)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, STEPS)
losses = []
for _ in range(STEPS):
    loss = torch.zeros(())
    for who, some in faces.items():
        batch = some[torch.randint(0, len(some), (BATCH,))]
        loss = loss + (decode[who](encode(recolour(batch, 0.5, rng)[0] - 0.5)) - batch).square().mean() / 2
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    schedule.step()
    losses.append(loss.item())

# %%
# The swap
# --------
# Asked about faces of A that it has not seen. A's decoder restores them, that is what it was trained for; B's decoder, which never
# got a code of A, draws B with A's expression. Nothing in the loss demands that both people share the code: it is a matter of too
# little room for anything else, and of faces that are alike.

with torch.no_grad():
    restored, swapped = decode["a"](encode(asked - 0.5)), decode["b"](encode(asked - 0.5))
restoring_error, swap_error = (restored - asked).square().mean().item(), (swapped - wanted).square().mean().item()
mean_face_error = (faces["b"].mean(0) - wanted).square().mean().item()

# %%
# Read back
# ---------
# Whose face is it, and what does it do? The drawing function answers: of all drawings of A and of all of B, the one nearest to the
# swapped picture is one of B's, and its four numbers are A's. The tilt comes out in proportion, yet too small: the mouths of a round
# face and of a square one are alike, their outlines are not, and nobody told the two decoders what an equal tilt is.

shown, far_from_b = read(swapped, "b")
_, far_from_a = read(swapped, "a")
agree = [torch.corrcoef(torch.stack([shown[:, k], movements[2, :60, k]]))[0, 1].item() for k in range(4)]

figure = plt.figure(figsize=(13, 6.2))
above, below = figure.subfigures(2, 1, height_ratios=(3, 1.6))
names = ("A, not seen\nin training", "A's decoder:\nrestored", "B's decoder:\nswapped", "B as it\nshould be")
for row, name, views in zip(above.subplots(4, 12), names, (asked, restored, swapped, wanted), strict=True):
    for panel, view in zip(row, views, strict=False):
        panel.imshow(view.permute(1, 2, 0).clamp(0, 1).numpy())
        panel.axis("off")
    row[0].text(-3, 16, name, ha="right", va="center")
panels = below.subplots(1, 5)
for k, (panel, name) in enumerate(zip(panels, MOVEMENTS, strict=False)):
    panel.plot((-1, 1), (-1, 1), "C5", lw=0.8)
    panel.scatter(movements[2, :60, k], shown[:, k], s=9, color="C0")
    panel.set(title=f"{name}: r = {agree[k]:.3f}", xlabel="of A, asked", xlim=(-1.3, 1.3), ylim=(-1.3, 1.3))
panels[0].set_ylabel("read from the swap")
panels[4].plot(losses, color="C5", lw=0.8)
errors = ((mean_face_error, "B's mean face", "C3", 0.75), (swap_error, "swapped", "C0", 1.1), (restoring_error, "restored", "C1", 0.7))
for value, name, colour, beside in errors:
    panels[4].axhline(value, color=colour, ls="--", lw=1)
    panels[4].text(STEPS, value * beside, name, color=colour, ha="right", fontsize=8)
panels[4].set(yscale="log", title="Mean squared error", xlabel="step", ylim=(2e-4, 2e-2))

numbers = {
    "restoring_error": restoring_error, "swap_error": swap_error, "mean_face_error": mean_face_error,
    "nearer_to_b": (far_from_b < far_from_a).float().mean().item(),
} | {f"agreement_of_{name.split()[0]}": r for name, r in zip(MOVEMENTS, agree, strict=True)}  # fmt: skip
