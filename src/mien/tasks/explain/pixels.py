"""Which pixels matter: the four attributions, each laid over the picture."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.metrics.similarity import blur
from mien.nn.explain import attribution
from mien.progress import Progress
from mien.tasks.explain import draw, words
from mien.tasks.explain.study import Figure, Group, Section, Study
from mien.tasks.explain.subject import Text

SIDE = 300
"""Pixels a panel."""
NOISY, FINE, SMOOTH = ("saliency", "gradients"), 64, (9, 1.5)
"""Maps that are smoothed before they are laid over a picture of at least so many pixels; window and sigma of the Gaussian."""
LARGE = 160
"""From this side on occlusion moves by half its window, below by a third."""


def section(study: Study) -> tuple[Section, float]:
    """The section, and by what share integrated gradients miss completeness."""
    x, score = study.subject.x, study.score
    with Progress("which pixels", 4) as bar:
        maps = [("saliency", attribution.saliency(score, x), {})]
        bar.advance(note="saliency")
        sums, gap = attribution.integrated_gradients(score, x, x * 0)
        maps.append(("gradients", sums.sum(1, keepdim=True), {"gap": f"{gap:.1%}"}))
        bar.advance(note="integrated gradients")
        layer = study.cam_layer()
        if layer is not None:
            cam = attribution.grad_cam(score, x, study.module(layer))
            maps.append(("cam", cam, {"layer": layer.name, "grid": " x ".join(map(str, layer.shape[1:]))}))
        bar.advance(note="Grad-CAM")
        window = max(x.shape[-1] // (14 if x.ndim == 3 else 7), 3)
        stride = max(window // (2 if x.ndim == 4 and x.shape[-1] >= LARGE else 3), 1)
        mean = x.flatten(2).mean(2).reshape(1, -1, *[1] * (x.ndim - 2))
        hidden = attribution.occlusion(score, x, window, stride, mean)
        maps.append(("occlusion", hidden, {"window": str(window)}))
        bar.advance(note="occlusion")
    figures = tuple(_figure(study, name, values[0, 0], said) for name, values, said in maps)
    about = Text(words.PIXELS_ABOUT.en.format(asked=study.asked.en), words.PIXELS_ABOUT.zh.format(asked=study.asked.zh))
    return Section(words.PIXELS, about, (Group("", figures),)), gap


def _figure(study: Study, name: str, values: Tensor, said: dict[str, str]) -> Figure:
    """The map alone beside the map over the picture."""
    x = study.subject.x[0]
    soften = name in NOISY and min(values.shape) >= FINE and values.ndim == 2
    smooth = blur(values[None, None], *SMOOTH)[0, 0] if soften else values
    if values.ndim == 1:
        ground = draw.heat(values[_places(len(values), 2 * SIDE)].expand(SIDE, -1))[0]
        tiles = [draw.curve(x, SIDE, 2 * SIDE, ground)]
    else:
        tiles = [draw.laid_over(draw.pictured(x, SIDE), _grown(smooth)), draw.heat(_grown(values))[0]]
    title, about = words.METHODS[name]
    smoothed = words.SMOOTHED if soften else Text("", "")
    told = Text(about.en.format(**said, smoothed=smoothed.en), about.zh.format(**said, smoothed=smoothed.zh))
    return Figure(name, draw.sheet([tiles]), title, told)


def _grown(values: Tensor) -> Tensor:
    """(H, W) or (D, H, W) -> (SIDE, SIDE): each pixel stays a square, so that no value is shown that was not computed."""
    values = draw.flat(values[None])[0]
    return values[_places(values.shape[0], SIDE)][:, _places(values.shape[1], SIDE)]


def _places(length: int, side: int) -> Tensor:
    """(side,) which of `length` values each pixel shows."""
    return ((torch.arange(side) + 0.5) * length / side).long()
