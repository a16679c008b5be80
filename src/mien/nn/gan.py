"""What the two networks of an adversarial game learn by: losses of logits or scores, and penalties on how steep a judge is.

A judge D (discriminator, critic) gives (B, 1) or (B,) numbers without a sigmoid. Each of `LOSSES` is a pair of functions: of the
judge, on real and made pictures, and of the generator, on made ones; both are minimised.

    minimax        Goodfellow et al. 2014 (arXiv 1406.2661), equation 1: log D(x) + log(1 - D(G(z))); starves a generator early on
    non-saturating the same judge; the generator minimises -log D(G(z)), which has a gradient where the judge is sure (section 3)
    wasserstein    Arjovsky et al. 2017 (arXiv 1701.07875): D(x) - D(G(z)); the judge needs `clip_weights` or `gradient_penalty`
    least-squares  Mao et al. 2017 (arXiv 1611.04076), equation 9: targets 1 and 0
    hinge          Lim and Ye 2017 (arXiv 1705.02894), Miyato et al. 2018 (arXiv 1802.05957), equations 16 and 17
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Game(NamedTuple):
    """The two losses."""

    judge: Callable[[Tensor, Tensor], Tensor]
    """(real, made) -> ()."""
    generator: Callable[[Tensor], Tensor]
    """(made) -> ()."""


def minimax_judge(real: Tensor, made: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))), D = sigmoid(logit)."""
    return F.softplus(-real).mean() + F.softplus(made).mean()


def minimax_generator(made: Tensor) -> Tensor:
    """log(1 - D(G(z))): its gradient is D(G(z)), next to nothing where the judge is sure."""
    return -F.softplus(made).mean()


def deceiving(made: Tensor) -> Tensor:
    """-log D(G(z)): its gradient is D(G(z)) - 1, largest where the judge is sure."""
    return F.softplus(-made).mean()


def relative(real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    """Each less the mean of the other: by how much more it is a photograph (Jolicoeur-Martineau 2018, arXiv 1807.00734, equation 15).

    In `minimax_judge` that is the relativistic average judge's loss, and with the two exchanged the generator's.
    """
    return real - made.mean(), made - real.mean()


def critic(real: Tensor, made: Tensor) -> Tensor:
    """D(G(z)) - D(x): minus the Wasserstein distance where D is as steep as 1 allows."""
    return made.mean() - real.mean()


def praised(made: Tensor) -> Tensor:
    """-D(G(z))."""
    return -made.mean()


def squares_judge(real: Tensor, made: Tensor) -> Tensor:
    """Half the squared distance from 1 and from 0."""
    return ((real - 1).square().mean() + made.square().mean()) / 2


def squares_generator(made: Tensor) -> Tensor:
    """Half the squared distance from 1."""
    return (made - 1).square().mean() / 2


def hinge_judge(real: Tensor, made: Tensor) -> Tensor:
    """Nothing where real is above 1 and made below -1."""
    return F.relu(1 - real).mean() + F.relu(1 + made).mean()


LOSSES = {
    "minimax": Game(minimax_judge, minimax_generator),
    "non-saturating": Game(minimax_judge, deceiving),
    "wasserstein": Game(critic, praised),
    "least-squares": Game(squares_judge, squares_generator),
    "hinge": Game(hinge_judge, praised),
}


def gradient_penalty(judge: Callable[[Tensor], Tensor], real: Tensor, made: Tensor, share: Tensor) -> Tensor:
    """() mean of (|grad D| - 1)^2 between pairs of pictures (Gulrajani et al. 2017, arXiv 1704.00028, equation 3, without its lambda).

    share (B,) in 0..1, uniform: where between them; what is real and made has no gradient here.
    """
    share = share.view(-1, *[1] * (real.ndim - 1))
    between = (share * real.detach() + (1 - share) * made.detach()).requires_grad_()
    return (steepness(judge(between), between) - 1).square().mean()


def r1(judge: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """() mean of |grad D|^2 on real pictures (Mescheder et al. 2018, arXiv 1801.04406, equation 9, without its gamma / 2)."""
    real = real.detach().requires_grad_()
    return steepness(judge(real), real).square().mean()


def steepness(told: Tensor, x: Tensor) -> Tensor:
    """(B,) length of the gradient of what was told of each picture; further gradients go through it."""
    (grad,) = torch.autograd.grad(told.sum(), x, create_graph=True)
    return (grad.flatten(1).square().sum(1) + 1e-12).sqrt()


@torch.no_grad()
def clip_weights(parameters: Iterable[nn.Parameter], limit: float = 0.01) -> None:
    """Every weight back into [-limit, limit] (Arjovsky et al. 2017, algorithm 1)."""
    for p in parameters:
        p.clamp_(-limit, limit)
