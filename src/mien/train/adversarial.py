"""Training of an enlarger against a network that tells its pictures from photographs: SRGAN (Ledig et al. 2017, arXiv 1609.04802).

The loss of the enlarger is what VGG sees (equation 5) and 10^-3 of how well it deceives (equation 6); squared error of pixels, which
makes smooth pictures, has no part in it. The paper looks with VGG19 at the last convolution's map after its activation; here it is
VGG16's last convolution, before it: after it most of the map is zero (Wang et al. 2018, arXiv 1809.00219, section 3.3). Its maps are
larger, so they are scaled down more, to the size the paper wants (`AdversarialEnlargeRecipe.rescales`). Of an enlarger that takes
brightness alone, VGG and the discriminator look at grey pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from mien.metrics.perceptual import feature_distance
from mien.models import vgg_features
from mien.models.enlarger import COLOURED, Plan
from mien.models.srresnet import discriminator
from mien.nn.colour import grey
from mien.nn.gan import deceiving, minimax_judge, relative
from mien.runtime import Runtime
from mien.train.enlarge import EnlargeTask
from mien.train.optim import optimiser, set_rate
from mien.train.recipe import AdversarialEnlargeRecipe

MIDDLE = 192
"""Pixels a side of the part of a picture held back that VGG looks at."""
AROUND = 5
"""Pixels a side of the small picture, over which what one of them becomes is averaged place by place: a grid stays, detail goes."""


def unevenness(told: Tensor, large: Tensor, scale: int) -> Tensor:
    """(B, C, H, W) made and true -> () mean absolute difference of the local means of each of the scale^2 pixels that one becomes.

    A sub-pixel layer whose filters drift apart draws a grid of dots, which no photograph has.
    """
    made, true = (F.avg_pool2d(F.pixel_unshuffle(x, scale), AROUND, 1) for x in (told, large))
    return (made - true).abs().mean()


class AdversarialEnlargeTask(EnlargeTask):
    """A `Task` for `fit` with two networks and two optimisers; the pictures of a step are those of `EnlargeTask`."""

    def __init__(self, recipe: AdversarialEnlargeRecipe, train: Sequence[np.ndarray], dev: Sequence[np.ndarray] = (),
                 begun: tuple[nn.Module, Plan] | None = None, features: vgg_features.VGGFeatures | None = None) -> None:
        """As `EnlargeTask`; `features`: None for VGG16's. ValueError for patches the discriminator or VGG does not take, or a layer
        VGG does not have; RuntimeError where its weights cannot be had.
        """
        super().__init__(recipe, train, dev, begun)
        self.terms = recipe
        self.features = (features or vgg_features.load()).eval().requires_grad_(False)
        side = recipe.scales[0] * self.sides[recipe.scales[0]]
        self.features(torch.zeros(1, 3, side, side), recipe.layers)  # what it cannot do is better known now
        self.judge = discriminator(side, recipe.judge)
        self.judge_optimizer = optimiser(self.judge, recipe)

    def modules(self) -> dict[str, nn.Module]:
        """Enlarger and judge; VGG stays as it is."""
        return {"net": self.net, "judge": self.judge}

    def optimizers(self) -> dict[str, Optimizer]:
        """One each."""
        return {"net": self.optimizer, "judge": self.judge_optimizer}

    def setup(self, fabric: Fabric, runtime: Runtime) -> None:
        """VGG, too, goes to the device."""
        super().setup(fabric, runtime)
        self.features.to(fabric.device)
        if runtime.channels_last:
            self.features.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def step(self, fabric: Fabric, index: int) -> dict[str, float | Tensor]:
        """The judge first, on photographs and what was made of them; then the enlarger, by what the better judge says."""
        terms = self.terms
        scale, small, large = self.shown(fabric, index)
        set_rate(self.judge_optimizer, terms, self.share)
        self.net.train()
        self.judge.train()
        with fabric.autocast():
            told = self.net(small, scale)
            made, wanted = self.looked_at(told), self.looked_at(large)
            logits = self.judge(wanted), self.judge(made.detach())
        judging = minimax_judge(*self.compared(*(one.float() for one in logits)))
        self.judge_optimizer.zero_grad()
        fabric.backward(judging)
        self.judge_optimizer.step()
        with fabric.autocast():
            deceived = self.judge(made).float()
            with torch.no_grad():
                believed = self.judge(wanted).float() if terms.relativistic else None
        content = self.content(fabric, made, wanted)
        against = deceiving(deceived) if believed is None else minimax_judge(*self.compared(deceived, believed))
        loss = content + terms.adversarial * against
        if terms.pixels:
            loss = loss + terms.pixels * F.mse_loss(told.float(), large)
        if terms.grid:
            loss = loss + terms.grid * unevenness(told.float(), large, scale)
        self.optimizer.zero_grad()
        fabric.backward(loss, inputs=[*self.net.parameters()])  # the judge has learnt already: its gradients are not computed
        self._clip()
        self.optimizer.step()
        return {"loss": loss.detach(), "content": content.detach(), "deceiving": against.detach(), "judging": judging.detach()}

    def compared(self, real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
        """Logits as they are, or how much more of a photograph each is than the others are on average."""
        return relative(real, made) if self.terms.relativistic else (real, made)

    def content(self, fabric: Fabric, made: Tensor, wanted: Tensor) -> Tensor:
        """() squared error of the maps, each layer's rescaled."""
        layers = self.terms.layers
        with fabric.autocast():
            seen = self.features(made, layers)
            with torch.no_grad():
                due = self.features(wanted, layers)
        return torch.stack([F.mse_loss(seen[name].float() * factor, due[name].float() * factor)
                            for name, factor in zip(layers, self.terms.rescales, strict=True)]).sum()  # fmt: skip

    def looked_at(self, x: Tensor) -> Tensor:
        """(B, C, H, W) as the enlarger draws it -> (B, 3, H, W) RGB in 0..1; brightness becomes grey."""
        return x if self.recipe.network in COLOURED else grey(x)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Beside the PSNR, which falls as pictures get sharper, how differently VGG sees the middle of the pictures held back."""
        found = super().evaluate()
        if not found:
            return {}
        (scale, some), = self.dev.items()
        values = []
        for one in some:
            y, x = ((length - min(length, MIDDLE // scale)) // 2 for length in one.small.shape[:2])
            small = one.small[y:y + MIDDLE // scale, x:x + MIDDLE // scale]
            large = one.large[y * scale:(y * scale + MIDDLE), x * scale:(x * scale + MIDDLE)]
            shown, truth = (torch.from_numpy(part.copy()).permute(2, 0, 1)[None].float() for part in (small, large))
            device = next(self.net.parameters()).device
            told = self.result(shown.to(device), scale).clamp(0, 1)
            compared = self.looked_at(told), self.looked_at(truth.to(device) / 255)
            values.append(float(feature_distance(*compared, self.features)))
        distance = sum(values) / len(values)
        return found | {"dev/distance": distance, "score": -distance}
