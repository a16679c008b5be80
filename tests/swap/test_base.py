from pathlib import Path

import numpy as np
import pytest
import torch
from portraits import eileen, grace, needs_networks

from mien.faces.align import align
from mien.faces.describe import Describer
from mien.faces.find import find as find_faces
from mien.faces.mask import face_mask
from mien.metrics.similarity import ssim
from mien.models.swap import SwapNet
from mien.models.swap_model import BASE, WHO_SCALE, base_weights
from mien.tasks.swap.base import BaseTask, Pool, export, person_of
from mien.train import fit
from mien.weights import card, find, load, locate


def test_the_bundled_file_is_small_and_its_card_is_true() -> None:
    assert locate(BASE).stat().st_size < 5_500_000
    assert sum(value.numel() for value in load(BASE).values()) == card(BASE).parameters


@needs_networks
@pytest.mark.skipif(find("dlib-face") is None, reason="no dlib-face weights here")
@pytest.mark.parametrize("portrait", [grace, eileen])
def test_the_base_restores_faces_it_has_never_seen(portrait) -> None:
    image = portrait()
    points = find_faces(image)[0].landmarks
    window, matrix = align(image, points, 128)
    net = SwapNet(["base"])
    net.load_state_dict(base_weights())
    who = torch.from_numpy(Describer()(image, points[None])) * WHO_SCALE
    x = torch.from_numpy(window.copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        made = net.decoders["base"](net.encoder(x), who)
    mask = torch.from_numpy(face_mask(points @ matrix[:, :2].T + matrix[:, 2], (128, 128)) > 127)[None, None].float()
    flat = (x * mask).sum((2, 3), keepdim=True) / mask.sum() * torch.ones_like(x)
    assert float(ssim(made, x, mask)) > float(ssim(flat, x, mask)) + 0.1


@pytest.mark.parametrize(
    ("source", "track", "person"),
    [
        ("people1612/Ann_Lee_0002.jpg", 0, "Ann_Lee"),
        ("frames347/Ann_Lee_40.jpg", 3, "Ann_Lee"),
        ("clip_d0.mp4", 2, "clip_d0/2"),
        ("generated/female_7.jpg", 0, "female_7"),
    ],
)
def test_who_is_one_person(source: str, track: int, person: str) -> None:
    assert person_of(source, track) == person


def test_identity_vectors_come_from_the_same_person_and_export_is_what_was_trained(tmp_path: Path) -> None:
    crops = torch.zeros(6, 4, 160, 160, dtype=torch.uint8)
    crops += torch.arange(6, dtype=torch.uint8)[:, None, None, None]
    person = np.array([0, 0, 1, 1, 2, 2])
    who = torch.from_numpy(person)[:, None].float().expand(6, 128).clone()
    task = BaseTask([Pool(crops, who, person, 0.5), Pool(crops + 100, who + 10, person, 0.5)], batch=8)
    drawn, vectors = task.batch()
    value = drawn[:, 0, 0, 0].long()
    expected = torch.from_numpy(person)[value % 100] + 10 * (value >= 100)
    assert torch.equal(vectors[:, 0], expected.float())
    fit(task, tmp_path / "run", steps=1, tensorboard=False)
    export(tmp_path / "run", tmp_path / "base.safetensors")
    from safetensors.torch import load_file

    from mien.weights.eight_bits import squeeze

    saved, kept = load_file(tmp_path / "base.safetensors"), squeeze(task.ema.module.state_dict())
    assert saved.keys() == kept.keys()
    assert all(torch.equal(saved[name], value) for name, value in kept.items())
