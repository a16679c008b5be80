"""Training of the swap from one photo, and the file that is bundled.

python -m mien.tasks.swap.quick.training DATA --out RUN --minutes 60     # DATA: a folder with faces/ and video/, as for swap.base
python -m mien.tasks.swap.quick.training DATA --out RUN --bundled        # goes on from the weights that are bundled now
python -m mien.tasks.swap.quick.training DATA --out RUN --judge          # with a judge that knows drawn faces from real ones
python -m mien.tasks.swap.quick.training DATA --out RUN --export         # the weights to bundle, from RUN's last checkpoint
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from mien.data.files import atomic
from mien.data.pictures import write_picture
from mien.faces.bending import softened
from mien.faces.describe import MODELS
from mien.faces.one_photo import NAME
from mien.metrics.similarity import masked_mean
from mien.models.one_photo import MOSTLY, SIZE, OnePhoto, compose
from mien.nn.adversary import only, ramp
from mien.nn.memory import keep_freed_memory
from mien.runtime import choose
from mien.tasks.swap.adversary import Adversary
from mien.tasks.swap.base import SOURCES, export, face_sets, people_of
from mien.tasks.swap.judging import Judging
from mien.tasks.swap.quick.chips import chips_of, jostled
from mien.tasks.swap.quick.pairs import Faces, Pairs, Portions, Shown, faces_of
from mien.tasks.swap.training import decay, restoration
from mien.train import EMA, Every, fit
from mien.train.optim import Muon
from mien.train.task import OneNetworkTask
from mien.weights import load
from mien.weights.eight_bits import unsqueeze


@dataclass(frozen=True)
class Recipe:
    """Weights of the losses, each 0 to leave it out, and the rest."""

    seed: int = 0
    batch: int = 16
    rate: float = 0.01
    """Muon's; biases and the modulation take `plain_rate`."""
    plain_rate: float = 1e-3
    structure: float = 2.0
    """1 - SSIM, beside 2 times the mean absolute error."""
    identity: float = 0.2
    """Squared distance to the photo's vector, in units of what tells two people apart; by mien's own face network."""
    takeover: float = 1.0
    """In frames without a target, outside eyes and inner mouth: what is not taken from the photo costs this much."""
    decision: float = 0.1
    """Half photo, half frame costs this much: two faces averaged are a blurred one."""
    light: float = 1.0
    """Frames without a target keep their coarse brightness and colour inside the face."""
    restraint: float = 0.1
    """Light of the network's own costs this much, five times as much where no target says that it is right."""
    warmup: int = 100
    """Steps in which the rates rise."""
    average: float = 0.998
    held: int = 64
    """Rows of the batch that `evaluate` looks at."""


JUDGE = Adversary(adversarial=0.05, features=2.0, identity=0.0)
"""What a judge counts for; who it is, is `Recipe.identity`'s matter."""


class QuickTask(OneNetworkTask):
    """A `Task` for `fit`; what a step shows is a function of its number."""

    def __init__(self, pairs: Pairs, recipe: Recipe, device: torch.device, net: OnePhoto | None = None,
                 terms: Adversary | None = None) -> None:  # fmt: skip
        """`net`: an untrained one unless given; `terms`: with a judge."""
        torch.manual_seed(0)
        self.pairs, self.recipe, self.items = pairs, recipe, recipe.batch
        self.net = net or OnePhoto()
        told = tuple(module for name, module in self.net.named_modules() if name.endswith("film") or name == "out.0")
        self.optimizer = Muon(self.net, recipe.rate, told, recipe.plain_rate)
        self.ema = EMA(self.net, recipe.average)
        self.face = MODELS["mien-face"].build().requires_grad_(False).to(device)
        self.same = MODELS["mien-face"].same
        self.judging = Judging(terms) if terms else None

    def modules(self) -> dict[str, nn.Module]:
        """The network, and the judge where there is one."""
        return super().modules() | ({"judge": self.judging.judge} if self.judging else {})

    def optimizers(self) -> dict[str, Optimizer]:
        """One each."""
        return super().optimizers() | ({"judge": self.judging.optimizer} if self.judging else {})

    @torch.no_grad()
    def drawn(self, shown: Shown) -> Tensor:
        """(B, 3, S, S): what the averaged network makes of a batch."""
        raw = self.result(shown.frame, shown.photo, shown.mask, shown.who)
        return final(shown.frame, *compose(shown.frame, shown.photo, shown.mask, raw))

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """One batch: what is known is restored, what is not is made to look like the photo's person."""
        recipe = self.recipe
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * min(1.0, (index + 1) / recipe.warmup) * decay(self.share)
        rng = Generator().manual_seed(recipe.seed * 10_000_019 + index)
        shown = self.pairs.batch(recipe.batch, rng, fabric.device)
        with fabric.autocast():
            seen = (x.contiguous(memory_format=torch.channels_last) for x in (shown.frame, shown.photo, shown.mask))
            raw = self.net(*seen, shown.who)
        raw = raw.float()
        made = final(shown.frame, *compose(shown.frame, shown.photo, shown.mask, raw))
        loss, told = self.losses(shown, made, raw, rng)
        if self.judging:
            more, also = self.judged(fabric, index, shown, made, self.judging)
            loss, told = loss + more, told | also
        self.optimizer.zero_grad()
        fabric.backward(loss)
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        return told

    def losses(self, shown: Shown, made: Tensor, raw: Tensor, rng: Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        """The sum, and its parts to show."""
        recipe, known = self.recipe, shown.known
        loss, told = restoration(made[:known], shown.target[:known], shown.weight[:known], recipe.structure)
        own = raw[:, :3].tanh().abs().mean((1, 2, 3))
        loss = loss + recipe.restraint * (own[:known].mean() + 5 * own[known:].sum() / len(own))
        halves = (raw[:, 3:] + MOSTLY).sigmoid()
        loss = loss + recipe.decision * masked_mean(4 * halves * (1 - halves), shown.mask).mean()
        if recipe.identity:
            vectors = self.face(jostled(made, shown.points[:, :68], rng))
            far = (vectors - shown.who).square().sum(1) / self.same**2
            loss = loss + recipe.identity * far.mean()
            told["like"] = far[known:].mean().detach()
        if recipe.light and known < len(made):
            coarse = [softened((x * shown.mask)[known:].flatten(0, 1)[:, None], 10.0) for x in (made, shown.frame)]
            loss = loss + recipe.light * (coarse[0] - coarse[1]).abs().mean()
        if recipe.takeover and known < len(made):
            taken, opened = halves[known:, :1] * halves[known:, 1:], shown.opened[known:]
            loss = loss + recipe.takeover * masked_mean(1 - taken, shown.mask[known:] * (1 - opened)).mean()
        told["loss"] = loss.detach()
        return loss, told

    def judged(self, fabric: Fabric, index: int, shown: Shown, made: Tensor,
               judging: Judging) -> tuple[Tensor, dict[str, float | Tensor]]:  # fmt: skip
        """One step of the judge, which sees faces alone; then how real it holds them all, and how like those that are known."""
        terms, known = judging.terms, shown.known
        real, mine = only(shown.target, shown.mask), only(made, shown.mask)
        told = judging.learn(fabric, index, self.share, real, mine.detach())
        losses = judging.deceiving(fabric, mine, real[:known])
        total = ramp(index, terms.ramp) * (terms.adversarial * losses["adversarial"] + terms.features * losses["features"])
        return total, told | {name: value.detach() for name, value in losses.items()}

    def held(self) -> Shown:
        """Always the same batch."""
        return self.pairs.batch(self.recipe.held, Generator().manual_seed(2**31), next(self.net.parameters()).device)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """How well one fixed batch is restored, and how like the photo's person strangers' frames become; the sum is the score."""
        shown = self.held()
        made = self.drawn(shown)
        error = masked_mean((made - shown.target).abs(), shown.weight)[:shown.known].mean()
        far = (self.face(chips_of(made, shown.points[:, :68])) - shown.who).norm(dim=1)[shown.known:].mean()
        return {"score": -float(error) - 0.1 * float(far), "error": float(error), "far": float(far)}

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """Frames, photos over them, faces drawn, and the true frames."""
        shown = self.held()
        made = self.drawn(shown)
        pick = [*range(0, 8), *range(len(made) - 8, len(made))]
        sheet = torch.cat([x[pick] for x in (shown.frame, shown.photo, made, shown.target)], 2).cpu()
        pixels = sheet.permute(2, 0, 3, 1).reshape(4 * SIZE, -1, 3)
        write_picture(path, (pixels.clamp(0, 1) * 255).round().byte().numpy())


def final(frame: Tensor, face: Tensor, change: Tensor) -> Tensor:
    """The face in the frame."""
    return frame + change * (face - frame)


def material(data: Path, out: Path) -> list[Faces]:
    """All faces of `mien.tasks.swap.base`, as this training reads them; made once, kept in `out`."""
    kept = out / "material.pt"
    if kept.exists():
        return [Faces(**{**fields, "person": fields["person"].numpy()}) for fields in torch.load(kept, weights_only=True)]
    found = [faces_of(faces, people_of(faces), SOURCES[name][1]) for name, faces in face_sets(data, out).items()]
    with atomic(kept) as draft:
        torch.save([{**vars(faces), "person": torch.from_numpy(faces.person)} for faces in found], draft)
    return found


def main() -> None:
    """Train or export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch", type=int, default=16, help="128 on a GPU")
    parser.add_argument("--rate", type=float, default=Recipe.rate)
    parser.add_argument("--seed", type=int, default=0, help="another one where a training goes on from --start")
    parser.add_argument("--identity", type=float, default=Recipe.identity)
    parser.add_argument("--takeover", type=float, default=Recipe.takeover)
    parser.add_argument("--covered", type=float, default=Portions.covered, help="share of frames with something before the face")
    parser.add_argument("--judge", action="store_true", help="learn from a patch discriminator, too")
    parser.add_argument("--bundled", action="store_true", help="start from the bundled weights, not from random ones")
    parser.add_argument("--start", type=Path, help="start from these weights")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--export", action="store_true")
    given = parser.parse_args()
    if not given.export:
        keep_freed_memory()
        runtime = choose(given.device)
        net = OnePhoto()
        if given.bundled or given.start:
            weights = unsqueeze(load_file(given.start)) if given.start else load(NAME)
            net.load_state_dict({name: value.float() for name, value in weights.items()})
        recipe = Recipe(given.seed, given.batch, given.rate, identity=given.identity, takeover=given.takeover)
        pairs, terms = Pairs(material(given.data, given.out), Portions(covered=given.covered)), JUDGE if given.judge else None
        task = QuickTask(pairs, recipe, runtime.device, net, terms)
        fit(task, given.out / "run", minutes=given.minutes, runtime=runtime, evaluate=Every(seconds=300), label=NAME)
    export(given.out / "run", given.out / f"{NAME}.safetensors")
    print(given.out / f"{NAME}.safetensors", file=sys.stderr)


if __name__ == "__main__":
    main()
