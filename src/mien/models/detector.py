"""A trained detector as one file: weights as safetensors, in its header the plan that builds it again and says what it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mien.data.selective import selective_search
from mien.models import fast_rcnn, faster_rcnn, planned
from mien.models.fast_rcnn import FastRCNN, Found, Kept
from mien.models.faster_rcnn import FasterRCNN
from mien.models.localiser import Localiser
from mien.models.mien_detect import lite0, mien_detect, mien_fast, mien_rcnn
from mien.models.rcnn import RCNN, rcnn_alexnet, rcnn_vgg16
from mien.nn import boxes as bx
from mien.types import Detections

HEADER = "mien_detector"
Net = FasterRCNN | FastRCNN | RCNN | Localiser
"""Fast R-CNN and R-CNN want proposals: selective search makes them. The last one tells of one object a picture."""
BUILDERS: dict[str, Callable[..., Net]] = {
    "mien-detect": mien_detect,
    "mien-fast": mien_fast,
    "mien-rcnn": mien_rcnn,
    "localiser": Localiser,
    "faster-rcnn-vgg16": faster_rcnn.vgg16,
    "faster-rcnn-lite0": lite0,
    "faster-rcnn-resnet50-fpn": faster_rcnn.resnet50_fpn,
    "fast-rcnn-vgg16": fast_rcnn.vgg16,
    "rcnn-alexnet": rcnn_alexnet,
    "rcnn-vgg16": rcnn_vgg16,
}
"""Network -> its builder; `Plan.options` are its arguments beside the number of classes."""
STEP = 32
"""Pixels of which the sides of what a network sees are a multiple: what its coarsest map stands on."""
GREY = 114
"""What is beyond the edge of a picture."""
OVERLAP = 0.25
"""Share of a tile that the next one shows again: what is smaller is whole in one of them."""
INSIDE = 0.85
"""Share of a box that lies in another one of its class, found in another tile, from which on it is a part of that object."""


@dataclass(frozen=True)
class Plan:
    """All that is needed to build a network before its weights are loaded, and to show it pictures as it learnt them."""

    network: str
    """A key of `BUILDERS`."""
    names: tuple[str, ...]
    """Its classes."""
    side: int
    """Pixels of a picture's shorter side as it sees it, unless the longer one would be more than `longest`."""
    longest: int
    options: Mapping[str, Any] = field(default_factory=dict)


def build(plan: Plan) -> Net:
    """The untrained network. ValueError for none of that name, or options it does not have."""
    if plan.network not in BUILDERS:
        raise ValueError(f"no detector is called {plan.network!r}; known: {', '.join(BUILDERS)}")
    try:
        return BUILDERS[plan.network](len(plan.names), **plan.options)
    except TypeError as error:
        raise ValueError(f"{plan.network} cannot be built with {dict(plan.options)}: {error}") from None


def save(path: Path, net: Net, plan: Plan, dtype: torch.dtype = torch.float32) -> None:
    """Write weights and plan; matrices and kernels as `dtype`."""
    planned.write(path, net, HEADER, asdict(plan), dtype)


def read_plan(path: Path) -> Plan:
    """What a file holds, from its header alone. ValueError where it is no file of a detector."""
    return _plan(path, planned.plan_of(path, HEADER, "a detector"))


def load(path: Path) -> tuple[Net, Plan]:
    """The trained network, for use. ValueError where the file is none."""
    state, table = planned.read(path, HEADER, "a detector")
    plan = _plan(path, table)
    net = build(plan)
    planned.fill(net, state, path, plan.network)
    return net.requires_grad_(False), plan


def _plan(path: Path, table: Mapping[str, Any]) -> Plan:
    if not {"network", "names", "side", "longest", "options"} <= set(table):
        raise ValueError(f"{path} has a plan in its header that is none: {str(table)[:80]}")
    return Plan(table["network"], tuple(table["names"]), int(table["side"]), int(table["longest"]), table["options"])


def scale_for(height: int, width: int, side: int, longest: int) -> float:
    """What a picture's sides are multiplied by, so that the shorter one has `side` pixels and the longer one `longest` at most."""
    return min(side / min(height, width), longest / max(height, width))


def sized(image: np.ndarray, scale: float) -> np.ndarray:
    """(H, W, 3) uint8 -> the same picture, `scale` times as large."""
    size = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    if size == image.shape[1::-1]:
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0))


def batched(images: Sequence[np.ndarray]) -> Tensor:
    """(H_i, W_i, 3) uint8 -> (B, 3, H, W) in 0..1, grey on the right and below, H and W multiples of `STEP`."""
    height, width = (-(-max(image.shape[axis] for image in images) // STEP) * STEP for axis in (0, 1))
    x = np.full((len(images), height, width, 3), GREY, np.uint8)
    for place, image in zip(x, images, strict=True):
        place[:image.shape[0], :image.shape[1]] = image
    return torch.from_numpy(x).permute(0, 3, 1, 2).float().div_(255)


def layers_of(net: Net, x: Tensor) -> object:
    """Every layer as for one picture (1, 3, H, W), for `mien.nn.trace`, which knows shapes alone: R-CNN for one region, the others for
    as many as there are at most, each of which may show any part of the picture.
    """
    if isinstance(net, Localiser):
        return net(x)
    if isinstance(net, RCNN):
        return net.svm(wide := net.head(pooled := net.features(x))), net.classify(wide), net.refine(pooled)
    maps = net.body(x)
    first = net.propose(maps) if isinstance(net, FasterRCNN) else None
    regions = maps[0].mean((2, 3), keepdim=True).expand(net.kept.after, -1, net.how.parts, net.how.parts)
    seen = net.head(regions)
    return first, net.classify(seen), net.refine(seen)


class Detector:
    """A network with its plan, as pictures need it: `detector(image) -> Detections`."""

    def __init__(self, name: str, net: Net, plan: Plan) -> None:
        self.name, self.net, self.plan = name, net.to(memory_format=torch.channels_last), plan  # pyright: ignore[reportCallIssue]
        self.search: Callable[[np.ndarray], np.ndarray] = selective_search
        """Where objects may be, for networks that have to be told."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.net.parameters()).device

    def __call__(self, image: np.ndarray, least: float = 0.5, overlap: float = 0.5, scale: float | None = None) -> Detections:
        """(H, W, 3) uint8 RGB of any size -> what scores `least` and more, best first, in the picture's own pixels.

        The picture is brought to the size the network learnt at, so memory does not depend on it. `scale`: the picture is looked at in
        so many times its size instead, in overlapping tiles of the network's size, one after the other: for small objects in large
        pictures.
        """
        return self.several([image], least, overlap)[0] if scale is None else self._tiled(image, least, overlap, scale)

    def several(self, images: Sequence[np.ndarray], least: float = 0.5, overlap: float = 0.5) -> list[Detections]:
        """The same of some pictures at once: quicker where they have one size."""
        plan = self.plan
        small = [sized(image, scale_for(image.shape[0], image.shape[1], plan.side, plan.longest)) for image in images]
        told = self._look(small, least, overlap)
        return [_of(found, image.shape, one.shape) for found, image, one in zip(told, images, small, strict=True)]

    def _look(self, images: Sequence[np.ndarray], least: float, overlap: float) -> list[Found]:
        kept = self.net.kept
        x = batched(images).to(self.device).contiguous(memory_format=torch.channels_last)
        kept = Kept(kept.before, kept.after, least, overlap, kept.most)
        net = self.net.eval()
        if isinstance(net, FasterRCNN):
            return net(x, kept)
        if isinstance(net, Localiser):
            return net.found(x, kept)
        return net(x, [torch.from_numpy(self.search(image)).to(self.device) for image in images], kept)

    def _tiled(self, image: np.ndarray, least: float, overlap: float, scale: float) -> Detections:
        if not 0 < scale <= 8:
            raise ValueError(f"a scale of {scale:g}, expected more than 0 and 8 at most")
        part = self.plan.longest / scale
        boxes, labels, scores, tiles = [], [], [], []
        for number, (top, bottom, left, right) in enumerate(tiled(image.shape[0], image.shape[1], part)):
            cut = np.ascontiguousarray(image[top:bottom, left:right])
            found = _of(self._look([small := sized(cut, scale)], least, overlap)[0], cut.shape, small.shape)
            boxes.append(found.boxes + np.array([left, top, left, top], np.float32))
            labels.append(found.labels)
            scores.append(found.scores)
            tiles.append(np.full(len(found), number))
        every = Detections.of(np.concatenate(boxes), np.concatenate(labels), np.concatenate(scores))
        return every.select(_merged(every, np.concatenate(tiles), overlap))


def _of(found: Found, whole: Sequence[int], small: Sequence[int]) -> Detections:
    """Boxes in what the network saw -> in the picture, (H, W, ...), without what lies in the grey beside it."""
    factor = np.array([whole[1] / small[1], whole[0] / small[0]] * 2, np.float32)
    boxes = bx.clip(found.boxes, small[0], small[1]).cpu().numpy() * factor
    there = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return Detections.of(boxes, found.labels.cpu().numpy(), found.scores.cpu().numpy()).select(there)


def tiled(height: int, width: int, part: float) -> Iterator[tuple[int, int, int, int]]:
    """top, bottom, left, right of squares of `part` pixels, evenly laid over a picture, a quarter or more of each in the next one."""
    ends = [_spread(length, part) for length in (height, width)]
    for top, bottom in ends[0]:
        for left, right in ends[1]:
            yield top, bottom, left, right


def _spread(length: int, part: float) -> list[tuple[int, int]]:
    side = max(round(part), 1)
    if length <= side:
        return [(0, length)]
    count = int(np.ceil((length - side) / (side * (1 - OVERLAP)))) + 1
    return [(start, start + side) for start in np.linspace(0, length - side, count).round().astype(int).tolist()]


def _merged(every: Detections, tiles: np.ndarray, overlap: float) -> np.ndarray:
    """Indices to keep, best first: no overlaps of a class, and no part of what another tile shows whole."""
    boxes, labels = torch.from_numpy(every.boxes), torch.from_numpy(every.labels)
    left_top, right_bottom = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    inside = (right_bottom - left_top).clamp(min=0).prod(-1) / bx.area(boxes)[:, None].clamp(min=1e-6)
    other = torch.from_numpy(tiles[:, None] != tiles)
    part = (inside > INSIDE) & other & (labels[:, None] == labels) & (bx.area(boxes)[:, None] < bx.area(boxes))
    whole = (~part.any(1)).nonzero()[:, 0]
    kept = bx.suppress(boxes[whole], torch.from_numpy(every.scores)[whole], overlap, labels[whole])
    return whole[kept].numpy()
