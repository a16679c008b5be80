"""How near drawn pictures come to real ones, told from the features that a network has for both: sets of vectors (N, D).

A score is one of its extractor and of the number of pictures: whoever states it, states both. All but the inception score are computed
in float64.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 1024
"""Rows of a table of distances that are in memory at once."""


def frechet(real: Tensor, drawn: Tensor) -> float:
    """Squared Frechet distance of the Gaussians with the means and covariances of both sets (Heusel et al. 2017, equation 6).

    |m - n|^2 + tr(S + T - 2 (S T)^1/2); the root's trace is the sum of the roots of the eigenvalues of S^1/2 T S^1/2. It is
    biased: fewer pictures, larger distance. ValueError for fewer than two pictures, or features of different length.
    """
    _alike(real, drawn)
    (m, s), (n, t) = moments(real), moments(drawn)
    values, vectors = torch.linalg.eigh(s)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    shared = torch.linalg.eigvalsh(root @ t @ root).clamp(min=0).sqrt().sum()
    return float((m - n).square().sum() + s.trace() + t.trace() - 2 * shared)


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """(N, D) -> mean (D,) and covariance (D, D), unbiased, float64."""
    features = features.double()
    return features.mean(0), torch.cov(features.T).view(features.shape[1], -1)


def kernel(real: Tensor, drawn: Tensor) -> float:
    """Squared maximum mean discrepancy under (x y / D + 1)^3, unbiased: 0 on average for two sets of one kind, whatever their size.

    Binkowski et al. 2018 (arXiv 1801.01401), equation 4, over all pictures at once where the paper averages over blocks of them.
    """
    _alike(real, drawn)
    x, y = (one.double() / one.shape[1] ** 0.5 for one in (real, drawn))
    own = [(_summed(one, one) - float(_cubed(one.square().sum(1)).sum())) / (len(one) * (len(one) - 1)) for one in (x, y)]
    return sum(own) - 2 * _summed(x, y) / (len(x) * len(y))


def _cubed(products: Tensor) -> Tensor:
    return (products + 1) ** 3


def _summed(x: Tensor, y: Tensor) -> float:
    return sum(float(_cubed(some @ y.T).sum()) for some in x.split(BLOCK))


def inception(chances: Tensor) -> float:
    """(N, classes) probabilities of drawn pictures -> exp of the mean KL from their mean (Salimans et al. 2016), over all at once.

    1 where every picture gets the same answer, the number of classes where each gets one name for sure and all names are as frequent.
    """
    chances = chances.double().clamp(min=1e-30)
    return float((chances * (chances.log() - chances.mean(0).log())).sum(1).mean().exp())


def precision_recall(real: Tensor, drawn: Tensor, k: int = 3) -> tuple[float, float]:
    """Share of drawn vectors among the real ones, and of real ones among the drawn (Kynkaanniemi et al. 2019, equations 1 and 2).

    A vector is among a set where it is no further from one of its members than that member's k-th neighbour in the set.
    ValueError for sets of k or fewer.
    """
    _alike(real, drawn)
    if min(len(real), len(drawn)) <= k:
        raise ValueError(f"found {len(real)} real and {len(drawn)} drawn pictures, expected more than {k} of both")
    return _among(drawn, real, k), _among(real, drawn, k)


def _among(vectors: Tensor, members: Tensor, k: int) -> float:
    vectors, members = vectors.double(), members.double()
    radii = torch.cat([torch.cdist(some, members).kthvalue(k + 1, 1).values for some in members.split(BLOCK)])
    return float(torch.cat([(torch.cdist(some, members) <= radii).any(1) for some in vectors.split(BLOCK)]).double().mean())


def nearest(vectors: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
    """(N, D), (M, D) -> distance to the nearest member and its place, (N,) each; the first of several that are as near."""
    if vectors.shape[1] != members.shape[1]:
        raise ValueError(f"found vectors of {vectors.shape[1]} and {members.shape[1]} numbers, expected the same")
    blocks = [torch.cdist(vectors.double(), some.double()).min(1) for some in members.split(BLOCK)]
    distances, block = torch.stack([one.values for one in blocks]).min(0)
    places = torch.stack([one.indices for one in blocks]).gather(0, block[None])[0]
    return distances, places + BLOCK * block


def _alike(real: Tensor, drawn: Tensor) -> None:
    if real.ndim != 2 or drawn.ndim != 2 or real.shape[1] != drawn.shape[1]:
        raise ValueError(f"found features of shapes {tuple(real.shape)} and {tuple(drawn.shape)}, expected (N, D) and (M, D)")
    if min(len(real), len(drawn)) < 2:
        raise ValueError(f"found {len(real)} real and {len(drawn)} drawn pictures, expected two or more of both")
