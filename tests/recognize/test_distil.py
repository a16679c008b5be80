"""The recipe of mien's own face network: new faces from old, what the student sees of them, and a step that can be killed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mien.models.mien_face import SIZE, mien_face
from mien.nn.fuse import fused
from mien.runtime import choose
from mien.tasks.recognize.distil import SMALL, DistilTask, export, roughened
from mien.tasks.recognize.synthesis import CHIP, GREY, WIDE, People, new_faces, teachers_view
from mien.train import Event, Every, fit


@pytest.fixture(scope="module")
def people() -> People:
    """Six pictures of three people; the first person is black and white."""
    coarse = torch.rand(6, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(coarse, size=WIDE, mode="bilinear")
    smooth[:2] = smooth[:2].mean(1, keepdim=True)
    return People((smooth * 255).byte(), np.array(["a", "a", "b", "b", "c", "c"]))


def test_new_faces_are_a_function_of_their_seed(people: People) -> None:
    def drawn(seed: int) -> torch.Tensor:
        return new_faces(people, 16, np.random.default_rng(seed), torch.Generator().manual_seed(seed))

    first = drawn(1)
    assert first.shape == (16, 3, WIDE, WIDE)
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, drawn(1))
    assert not torch.equal(first, drawn(2))
    assert teachers_view(first).shape == (16, 3, CHIP, CHIP)
    assert torch.equal(teachers_view(first)[:, :, 0, 0], first[:, :, 20, 20])


def test_black_and_white_pictures_get_a_tint(people: People) -> None:
    grey = People(people.chips[:2], people.person[:2])
    made = new_faces(grey, 32, np.random.default_rng(0), torch.Generator().manual_seed(0))
    assert ((made.amax(1) - made.amin(1)).mean((1, 2)) > GREY).float().mean() > 0.7


def test_people_are_drawn_by_the_root_of_their_photos() -> None:
    """One person with 9 photos, one with 1: three to one."""
    people = People(torch.zeros(10, 1), np.array(["many"] * 9 + ["one"]))
    places = people.draw(4000, np.random.default_rng(0))
    assert abs((places < 9).mean() - 0.75) < 0.03
    assert len(set(places)) == 10


def test_a_clean_face_is_the_middle_of_what_the_student_sees() -> None:
    """On a ramp, whatever light and shift do, brightness goes on rising from left to right."""
    ramp = (torch.arange(SMALL).float() / SMALL * 200 + 20).byte().expand(8, SMALL, SMALL)
    seen = roughened(ramp.contiguous(), torch.Generator().manual_seed(0))
    assert seen.shape == (8, 1, SIZE, SIZE)
    left, right = seen[..., :20].mean((1, 2, 3)), seen[..., -20:].mean((1, 2, 3))
    assert (right - left > 0.2).all()


def test_the_network_is_what_its_card_says() -> None:
    net = mien_face().eval()
    assert sum(p.numel() for p in net.parameters()) == 1_740_400
    x = torch.rand(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    together = net(x)
    assert together.shape == (3, 128)
    assert torch.allclose(net(x[1:2]), together[1:2], atol=1e-5)
    grey = (x * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    assert torch.allclose(net(grey), together, atol=1e-4)
    for module in net.modules():  # as if trained: the fusion of untrained batch norms would prove little
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    expected = net(x)
    quick = fused(net)
    assert torch.allclose(quick(x), expected, atol=1e-4)
    assert not [m for m in quick.modules() if isinstance(m, torch.nn.BatchNorm2d) or m.training]


def test_a_training_goes_on_where_it_stopped_and_is_exported(tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    shards.mkdir()
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (80, SMALL, SMALL)).astype(np.uint8)
    np.savez(shards / "0.npz", x=x, y=rng.normal(size=(80, 128)).astype(np.float32) / 11)

    def train(folder: Path, on_event: Callable[[Event], None] | None = None) -> None:
        often = Every(steps=1)
        fit(DistilTask(shards), folder, steps=3, runtime=choose("cpu", "fp32"), evaluate=Every(), save=often, tensorboard=False,
            on_event=on_event)  # fmt: skip

    def fall(event: Event) -> None:
        if event.kind == "step" and event.step == 2:
            raise RuntimeError("the power went")

    train(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="the power went"):
        train(tmp_path / "parts", fall)
    train(tmp_path / "parts")
    files = [tmp_path / f"{name}.safetensors" for name in ("whole", "parts")]
    for file in files:
        export(tmp_path / file.stem, file)
    one, other = map(load_file, files)
    assert one.keys() == mien_face().state_dict().keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    fresh = load_file(files[0])["1.0.weight"].float() - mien_face().state_dict()["1.0.weight"]
    assert fresh.abs().max() > 1e-4, "nothing was learnt"
    with pytest.raises(ValueError, match="describe some first"):
        DistilTask(tmp_path / "none")
