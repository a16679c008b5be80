"""Face networks as subjects: the swap's autoencoder and the networks of recognition look at one aligned face."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien.data.pictures import read_picture
from mien.data.sources import find_sources
from mien.faces.align import align
from mien.faces.describe import MODELS, Describer, chips
from mien.faces.faceset import is_set, open_set
from mien.faces.find import find_in_photo
from mien.metrics.similarity import ssim
from mien.models.swap import SwapNet
from mien.models.swap_model import BASE, WHO_SCALE, base_weights, load_model
from mien.progress import Progress, say
from mien.tasks.explain.subject import Subject, Text, evenly

MOST_PHOTOS = 200
"""Photos of a folder in which faces are looked for; a face set may hold ten times as many."""
Cut = Callable[[np.ndarray, np.ndarray], Tensor]
"""(H, W, 3) uint8 and (68, 2) landmarks -> (3, S, S) in 0..1."""


def landmarks_in(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A photo (H, W, 3) and the landmarks (68, 2) of its largest face; ValueError where there is none."""
    image = read_picture(path)
    found = find_in_photo(image)
    if not found:
        raise ValueError(f"no face in {path}: this network looks at faces, expected a photo with one")
    if len(found) > 1:
        say(f"{path} shows {len(found)} faces: the largest is taken")
    return image, max((one.face for one in found), key=lambda face: face.size).landmarks


def window(size: int) -> Cut:
    """The aligned window that swaps are trained on."""
    return lambda image, landmarks: torch.from_numpy(np.array(align(image, landmarks, size)[0])).permute(2, 0, 1).float() / 255


def chip(size: int) -> Cut:
    """The face as dlib aligns it: (3, size, size)."""
    return lambda image, landmarks: chips(image, landmarks[None], size)[0]


def reader(cut: Cut) -> Callable[[Path, int], Tensor]:
    """Reads a face set, or a folder of photos, as (N, 3, S, S) uint8 faces cut by `cut`; ValueError where there is no face."""
    def read(path: Path, most: int) -> Tensor:
        found = _from_set(path, most) if is_set(path) else _from_photos(path, min(most, MOST_PHOTOS))
        faces = [(cut(image, points) * 255).round().byte() for image, points in found]
        if not faces:
            raise ValueError(f"no face in the pictures of {path}")
        return torch.stack(faces)
    return read


def _from_set(path: Path, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    faces = open_set(path).active()
    chosen = faces.select(evenly(len(faces), most))
    for i, points in enumerate(chosen.crop_landmarks()):
        yield chosen.crop(i), points


def _from_photos(path: Path, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    photos = [source.path for source in find_sources([path]) if source.kind == "picture"]
    chosen = evenly(len(photos), most)
    with Progress("find faces", len(chosen)) as bar:
        for i in chosen:
            image = read_picture(photos[i])
            for one in find_in_photo(image):
                yield image, one.face.landmarks
            bar.advance()


RECOGNITION = {
    "dlib-face": Text("A network that tells who somebody is: a face becomes 128 numbers.", "人脸识别网络:把一张脸变成 128 个数。"),
    "mien-face": Text("A small network that tells who somebody is: the brightness of a face becomes 128 numbers.",
                      "小型人脸识别网络:把一张脸的亮度变成 128 个数。"),
}  # fmt: skip


def open_recognition(model: str, image: Path, target: str | None) -> Subject:
    """A network of recognition: the score is the face's likeness to the face in the photo `target`, or to itself."""
    describer, same = Describer(model=model), MODELS[model].same
    net, cut = describer.network, chip(describer.size)
    x = cut(*landmarks_in(image))[None]
    with torch.no_grad():
        own, mirrored = net(x), net(x.flip(-1))
        reference = own if target is None else net(cut(*landmarks_in(Path(target)))[None])
    direction = reference / reference.norm()
    apart = float((own - reference).norm())
    verdict = "the same person" if apart < same else "different people"
    answers = (("length of the embedding", float(own.norm())), ("distance to its mirror image", float((own - mirrored).norm())))
    asked = Text("the embedding's likeness to itself (its length along its own direction)",
                 "特征向量与自身的相似度(沿自身方向的长度)")
    if target is not None:
        answers = ((f"distance to {Path(target).name} (under {same} is the same person): {verdict}", apart), *answers)
        asked = Text(f"the embedding's likeness to the face in {Path(target).name} (its length along that face's direction)",
                     f"特征向量与 {Path(target).name} 中人脸的相似度(沿该人脸方向的长度)")
    return Subject(model, RECOGNITION[model], net, x, net, lambda faces: (net(faces) * direction).sum(1), asked, answers, reader(cut))


def open_base(image: Path, target: str | None) -> Subject:
    """The pretrained swap, told by the face's own identity vector whom to draw."""
    if target is not None:
        raise ValueError(f"{BASE} has no --target: it draws the person in the picture; train a swap to choose whom to draw")
    net = SwapNet(["base"]).eval()
    net.load_state_dict(base_weights())
    photo, landmarks = landmarks_in(image)
    who = torch.from_numpy(Describer()(photo, landmarks[None])) * WHO_SCALE
    x = window(net.size)(photo, landmarks)[None]
    return _autoencoder(BASE, net, x, lambda faces: net.decoders["base"](net.encoder(faces), who.expand(len(faces), -1)), "base")


def open_swap(file: Path, image: Path, target: str | None) -> Subject:
    """A trained swap: the person `target`, or the one whose decoder restores the face best."""
    model = load_model(file)
    net, people = model.net, model.people
    x = window(net.size)(*landmarks_in(image))[None]
    with torch.no_grad():
        error = {person: float((net(x, person) - x).square().mean()) for person in people}
    person = min(error, key=lambda p: error[p])
    if target is not None:
        person = model.person(target)
    return _autoencoder(Path(file).name, net, x, lambda faces: net(faces, person), person)


def _autoencoder(name: str, net: SwapNet, x: Tensor, run: Callable[[Tensor], Tensor], person: str) -> Subject:
    with torch.no_grad():
        made = run(x)
    answers = (("mean squared error of the restored face", float((made - x).square().mean())), ("SSIM", float(ssim(made, x))))
    whose = "the decoder" if name == BASE else f"the decoder of {person}"
    wessen = "解码器" if name == BASE else f"{person} 的解码器"
    return Subject(name, Text("A face-swap autoencoder: an encoder squeezes a face to a small code, a decoder draws it again.",
                              "换脸自编码器:编码器把人脸压缩成很小的编码,解码器再把它画出来。"),
                   net, x, run, lambda faces: -(run(faces) - x).square().flatten(1).mean(1),
                   Text(f"how well {whose} restores this face (minus the mean squared error)",
                        f"{wessen}还原这张脸的程度(均方误差的负值)"),
                   answers, reader(window(net.size)), part="encoder.", drawn=made[0], shape_run=lambda faces: net(faces, person))
