"""Batch norm of averaged weights: the statistics belong to other weights until they are taken anew."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@torch.no_grad()
def restatistic(net: nn.Module, batches: Iterable[Tensor]) -> None:
    """Give every batch norm the mean statistics of `batches` under the weights as they are (Wu and Johnson 2021, "precise BN").

    Everything else (dropout, other buffers) stays in eval mode and as it was; without batch norms nothing is computed.
    """
    norms = [part for part in net.modules() if isinstance(part, NORMS) and part.track_running_stats]
    if not norms:
        return
    before = [(part.momentum, part.training) for part in norms]
    net.eval()
    for part in norms:
        part.reset_running_stats()
        part.momentum = None  # torch's sign for the plain mean over all batches
        part.train()
    for batch in batches:
        net(batch)
    for part, (momentum, training) in zip(norms, before, strict=True):
        part.momentum = momentum
        part.train(training)
