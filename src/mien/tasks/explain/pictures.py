"""Classifiers as subjects: trained ones by name or file, and untrained architectures of the catalog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from mien.data.examples import parts, read_examples
from mien.data.pictures import read_picture
from mien.data.pile import fit_square
from mien.data.sources import PICTURES, find_sources
from mien.models import classifier
from mien.models.catalog import NETWORKS
from mien.nn.explain.attribution import SMOOTHLY
from mien.tasks.explain.subject import Read, Subject, Text, evenly, unknown

TOP = 5


def framed(picture: np.ndarray, shape: tuple[int, int, int]) -> Tensor:
    """(H, W, 3 or 1) uint8 -> (C, S, S) uint8: the middle square, resized; grey where the network sees one channel."""
    channels, side, _ = shape
    square = fit_square(picture, side)
    if square.shape[2] != channels:
        square = np.asarray(Image.fromarray(square).convert("L"))[..., None] if channels == 1 else square.repeat(channels, 2)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)


def seen(image: Path, shape: tuple[int, ...]) -> tuple[Tensor, Read]:
    """The input (1, C, ...) for a network of that input shape, and the reader of its data sets.

    A picture, or where the network looks at signals (C, L) or volumes (C, D, H, W) a NumPy array.
    """
    if len(shape) == 3:
        channels, height, width = shape
        return framed(read_picture(image), (channels, height, width))[None].float() / 255, reader((channels, height, width))
    return array(image, shape)[None], no_data


def array(path: Path, shape: tuple[int, ...]) -> Tensor:
    """A signal or volume from a .npy file of that shape, or of any other size of as many dimensions; ValueError for anything else."""
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise ValueError(f"{path} is not a NumPy array: this network looks at {'signals' if len(shape) == 2 else 'volumes'}, "
                         f"expected .npy of {' x '.join(map(str, shape))} numbers") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise ValueError(f"{path} holds other than finite numbers in one array")
    values = torch.from_numpy(np.array(values, np.float32))
    values = values[None] if values.ndim == len(shape) - 1 else values
    if values.ndim != len(shape) or values.shape[0] != shape[0] or min(values.shape) < 1:
        raise ValueError(f"{path} is {' x '.join(map(str, values.shape))}, expected {' x '.join(map(str, shape))}")
    if tuple(values.shape) == shape:
        return values
    return F.interpolate(values[None], shape[1:], mode=SMOOTHLY[len(shape) + 1], align_corners=False)[0]


def no_data(path: Path, most: int) -> Tensor:
    """Signals and volumes are not searched for patches."""
    raise ValueError(f"--data {path}: only pictures are searched for what excites a unit")


def reader(shape: tuple[int, int, int]) -> Callable[[Path, int], Tensor]:
    """Reads any data set that classifiers are trained on (its test part where there is one), or a folder of pictures."""
    def read(path: Path, most: int) -> Tensor:
        path = Path(path)
        if path.is_dir() and any(file.suffix.lower().lstrip(".") in PICTURES for file in path.iterdir()):
            photos = [source.path for source in find_sources([path]) if source.kind == "picture"]
            return torch.stack([framed(read_picture(photos[i]), shape) for i in evenly(len(photos), most)])
        images = read_examples(path, "test" if "test" in parts(path) else "all", shape[1]).images
        return torch.stack([framed(images[i], shape) for i in evenly(len(images), most)])
    return read


def open_classifier(model: str | Path, image: Path, target: str | None) -> Subject:
    """A trained classifier by its card's name, file or run folder."""
    net, plan = classifier.load(model)
    what = Text(f"A trained classifier: {plan.network}, {len(plan.classes)} classes.",
                f"训练好的分类器:{plan.network},{len(plan.classes)} 个类别。")
    return _classifying(Path(model).name, what, net, plan.shape, plan.classes, image, target)


def open_untrained(name: str, image: Path, target: str | None) -> Subject:
    """An architecture of the catalog with random weights (seed 0)."""
    network = NETWORKS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = network.build().eval()
    what = Text(f"UNTRAINED: the architecture {name} with random weights, so everything below shows what the architecture alone does.",
                f"未经训练:{name} 架构,权重是随机的,下面只反映架构本身的作用。")
    opened = _classifying(name, what, net, network.shape, (), image, target) if network.classifies else _drawing(
        name, what, net, network.shape, image, target)
    return replace(opened, trained=False)


def _classifying(name: str, what: Text, net: nn.Module, shape: tuple[int, ...], classes: tuple[str, ...], image: Path,
                 target: str | None) -> Subject:
    x, read = seen(image, shape)
    with torch.no_grad():
        logits = net(x)[0].float()
    known = classes or tuple(f"output {i}" for i in range(len(logits)))
    asked = int(logits.argmax()) if target is None else number(target, known)
    chances = logits.softmax(0)
    best = chances.topk(min(TOP, len(chances))).indices.tolist()
    return Subject(name, what, net, x, net, lambda pictures: net(pictures)[:, asked],
                   Text(f"the score (logit) of “{known[asked]}”", f"“{known[asked]}” 的得分(logit)"),
                   tuple((known[i], float(chances[i])) for i in best), read, known)


def _drawing(name: str, what: Text, net: nn.Module, shape: tuple[int, ...], image: Path, target: str | None) -> Subject:
    """A network that puts out a picture of the size it takes: the score is how well it restores what it sees."""
    if target is not None:
        raise ValueError(f"{name} has no classes, so no --target")
    x, read = seen(image, shape)
    with torch.no_grad():
        made = net(x)
    answers = (("mean squared error of the restored picture", float((made - x).square().mean())),)
    return Subject(name, what, net, x, net, lambda pictures: -(net(pictures) - x).square().flatten(1).mean(1),
                   Text("how well the network restores the picture (minus the mean squared error)",
                        "网络还原图像的程度(均方误差的负值)"),
                   answers, read, drawn=made[0])


def number(target: str, classes: tuple[str, ...]) -> int:
    """The class meant by a name or a number; ValueError that names the nearest."""
    names = [name.lower() for name in classes]
    if target.lower() in names:
        return names.index(target.lower())
    if target.isdecimal() and int(target) < len(classes):
        return int(target)
    raise unknown("class", target, classes)
