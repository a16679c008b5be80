"""Feature pyramid (Lin et al. 2017, arXiv 1612.03144, section 3): maps of several sizes, the coarse ones added to the fine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, nn
from torch.nn import functional as F


class Pyramid(nn.Module):
    """(B, 3, H, W) -> one map of `channels` for each stage, each half as large as the one before; with `more` one beyond them."""

    def __init__(self, stem: nn.Module, stages: Iterable[nn.Module], widths: Sequence[int], channels: int, more: bool = False) -> None:
        """`widths`: channels behind each of the stages."""
        super().__init__()
        self.stem, self.stages, self.more = stem, nn.ModuleList(stages), more
        self.lateral = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in widths)
        self.smooth = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in widths)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The finest map first."""
        x, rising = self.stem(x), []
        for stage in self.stages:
            rising.append(x := stage(x))
        above, levels = None, []
        for lateral, smooth, own in reversed([*zip(self.lateral, self.smooth, rising, strict=True)]):
            here = lateral(own)
            above = here if above is None else here + F.interpolate(above, size=here.shape[-2:])
            levels.insert(0, smooth(above))
        return [*levels, levels[-1][..., ::2, ::2]] if self.more else levels
