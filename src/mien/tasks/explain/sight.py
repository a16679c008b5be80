"""Networks whose layers are looked into from shallow to deep, and the pictures they are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor, nn

from mien.data.pictures import read_picture
from mien.data.sources import PICTURES, find_sources
from mien.faces.describe import Describer
from mien.models import classifier, vgg_features
from mien.models.swap import SwapNet
from mien.models.swap_model import BASE, base_weights
from mien.nn import trace
from mien.nn.explain.field import fields
from mien.nn.explain.layers import Layer, Run, layers, spread, stations
from mien.progress import Progress, say
from mien.tasks.explain import faces, pictures
from mien.tasks.explain.subject import Text, evenly, unknown

LAYERS = 5
"""Looked into where none is named."""
LONGEST = 2.0
"""A photo's longer side over its shorter, at most: what is more is cut off."""
SIDE = 224
"""Pixels a side that VGG was trained on."""
LADDER = "conv1_2,conv2_2,conv3_3,conv4_3,conv5_3"
"""Of VGG: in the first layer of all only colours tell units apart."""


@dataclass(frozen=True)
class Shown:
    """What the network is shown: pictures (C, H, W) uint8, and what each is called."""

    pictures: Sequence[Tensor]
    names: Sequence[str]


@dataclass(frozen=True)
class Sight:
    """A network, and how it is shown pictures."""

    name: str
    what: Text
    net: nn.Module
    run: Run
    shape: tuple[int, int, int]
    """Of one picture; any size of at least that depth's stride where `whole`."""
    read: Callable[[Path, int, int], Shown]
    """Folder or data set, how many at most, pixels of the shorter side -> what is shown."""
    whole: bool = False
    """Whether it takes whole photos, of any size."""
    flipped: bool = False
    """Whether its first layer's weights are for blue, green, red."""
    part: str = ""
    """The layers looked into begin with this."""
    usual: str | None = None
    """Those looked into where none is named, with commas between; else some from shallow to deep."""

    @torch.no_grad()
    def found(self) -> list[Layer]:
        """Its layers, in the order of computation."""
        return [one for one in layers(self.net, self.run, torch.zeros(1, *self.shape)) if one.name.startswith(self.part)]

    def fields(self, names: Sequence[str]) -> dict[str, trace.Layer]:
        """Receptive fields by layer."""
        return fields(self.net, self.shape, names, self.run)


def chosen(found: Sequence[Layer], names: str | None) -> list[Layer]:
    """The layers named (by commas; the last part of a name will do), or some from shallow to deep. ValueError for one it has not."""
    if names is None:
        steps = [one for one in stations(found) if one.is_map]
        behind = [one for one in steps if not one.weighted]  # activations and blocks tell more than bare convolutions
        return spread(behind if len(behind) >= LAYERS else steps, LAYERS) or spread([one for one in found if one.weighted], LAYERS)
    by_name = {short(one.name): one for one in found} | {one.name: one for one in found}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in by_name:
            raise unknown("layer", name, by_name)
    if not wanted:
        raise ValueError(f"expected names of layers, such as {found[0].name}, found {names!r}")
    return [by_name[name] for name in wanted]


def short(name: str) -> str:
    """What a layer is called on the page: of `convs.conv1_1` the last part, unless that is a mere number."""
    last = name.rpartition(".")[2]
    return name if last.isdigit() else last


def open_sight(model: str) -> Sight:
    """The network that `model` names: a VGG, a bundled network, a trained classifier's file or run folder. ValueError for none."""
    if model in NAMED:
        sight = NAMED[model]()
    elif model in classifier.bundled() or Path(model).exists():
        sight = _classifier(model)
    else:
        raise unknown("trained network", model, known())
    sight.net.eval().requires_grad_(False)
    return sight


def known() -> list[str]:
    """Every name that `open_sight` takes."""
    return [*NAMED, *classifier.bundled()]


def _vgg(card: str) -> Sight:
    net = vgg_features.load(card=card)
    deepest = net.layers[-1]
    what = Text(f"{card.split('-')[0].upper()}, trained to tell 1,000 kinds of things in photos apart; its convolutions.",
                f"{card.split('-')[0].upper()} 的卷积层:训练目标是区分照片中的 1000 类事物。")
    return Sight(card, what, net, lambda x: net(x, [deepest]), (3, SIDE, SIDE), photos, True, net.flipped, usual=LADDER)


def _classifier(model: str) -> Sight:
    try:
        net, plan = classifier.load(model)
    except SafetensorError as error:
        raise ValueError(f"{model} is damaged: {error}") from None
    what = Text(f"A trained classifier: {plan.network}, {len(plan.classes)} classes.",
                f"训练好的分类器:{plan.network},{len(plan.classes)} 个类别。")
    return Sight(Path(model).name, what, net, net, plan.shape, _framed(pictures.reader(plan.shape)))


def _recognition(model: str) -> Sight:
    describer = Describer(model=model)
    net, read = describer.network, faces.reader(faces.chip(describer.size))
    return Sight(model, faces.RECOGNITION[model], net, net, (3, describer.size, describer.size), _framed(read))


def _base() -> Sight:
    net = SwapNet(["base"]).eval()
    net.load_state_dict(base_weights())
    what = Text("The encoder of the face swap: it squeezes a face to a small code.", "换脸网络的编码器:把人脸压缩成很小的编码。")
    return Sight(BASE, what, net, net.encoder, (3, net.size, net.size), _framed(faces.reader(faces.window(net.size))), part="encoder.")


NAMED: dict[str, Callable[[], Sight]] = {
    **{card: partial(_vgg, card) for card in vgg_features.DEPTHS},
    **{name: partial(_recognition, name) for name in faces.RECOGNITION},
    "swap-base": _base,
}


def _framed(read: Callable[[Path, int], Tensor]) -> Callable[[Path, int, int], Shown]:
    """For networks of one size, which their own readers bring every picture to."""
    def shown(path: Path, most: int, side: int) -> Shown:
        found = read(path, most)
        return Shown(list(found), [f"{path.name} {i}" for i in range(len(found))])
    return shown


def photos(path: Path, most: int, side: int) -> Shown:
    """A folder's photos whole, the shorter side brought to `side` pixels; or a data set's pictures, as large.

    What cannot be read is named and left out; ValueError where nothing is left.
    """
    if path.is_dir() and not any(file.suffix.lower().lstrip(".") in PICTURES for file in path.rglob("*")):
        found = pictures.reader((3, side, side))(path, most)
        return Shown(list(found), [f"{path.name} {i}" for i in range(len(found))])
    files = [source.path for source in find_sources([path]) if source.kind == "picture"]
    shown: list[Tensor] = []
    names: list[str] = []
    with Progress("read pictures", min(most, len(files))) as bar:
        for i in evenly(len(files), most) if files else []:
            try:
                shown.append(resized(read_picture(files[i]), side))
                names.append(files[i].name)
            except ValueError as error:
                say(f"left out: {error}")
            bar.advance()
    if not shown:
        raise ValueError(f"{path} holds no picture that can be read")
    return Shown(shown, names)


def resized(picture: np.ndarray, side: int) -> Tensor:
    """(H, W, 3) uint8 -> (3, h, w) uint8, the shorter side `side` pixels, the middle of the longer at most `LONGEST` times that."""
    height, width = picture.shape[:2]
    scale = side / min(height, width)
    size = [max(round(length * scale), side) for length in (width, height)]
    image = Image.fromarray(picture).resize((size[0], size[1]), Image.Resampling.LANCZOS)
    most = round(LONGEST * side)
    left, top = (max((length - most) // 2, 0) for length in size)
    image = image.crop((left, top, min(left + most, size[0]), min(top + most, size[1])))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()
