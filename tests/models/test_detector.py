"""A detector as a file, and as pictures of any size need it."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mien.models import detector as files
from mien.models.detector import Detector, Plan, batched, scale_for, sized, tiled
from mien.models.fast_rcnn import Found

PLAN = Plan("mien-detect", ("a", "b"), 48, 96)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = files.build(PLAN)
    files.save(tmp_path / "m.safetensors", net, PLAN)
    again, plan = files.load(tmp_path / "m.safetensors")
    assert plan == PLAN == files.read_plan(tmp_path / "m.safetensors")
    for name, value in net.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
    files.save(tmp_path / "half.safetensors", net, PLAN, torch.bfloat16)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.55 * (tmp_path / "m.safetensors").stat().st_size


@pytest.mark.parametrize(("plan", "expected"), [
    (Plan("yolo", ("a",), 48, 96), "no detector is called 'yolo'"),
    (Plan("mien-detect", ("a",), 48, 96, {"depth": 3}), "cannot be built"),
])  # fmt: skip
def test_what_cannot_be_built(plan: Plan, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        files.build(plan)


def test_a_file_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a whole"):
        files.load(tmp_path / "x.safetensors")


def test_sizes() -> None:
    assert scale_for(480, 640, 240, 480) == 0.5
    assert scale_for(100, 1000, 240, 480) == 0.48
    assert sized(np.zeros((480, 640, 3), np.uint8), 0.5).shape == (240, 320, 3)
    assert sized(np.zeros((1, 5000, 3), np.uint8), 0.01).shape == (1, 50, 3)
    x = batched([np.zeros((40, 33, 3), np.uint8), np.full((20, 64, 3), 255, np.uint8)])
    assert x.shape == (2, 3, 64, 64)
    assert float(x[1, 0, 19, 63]) == 1
    assert float(x[1, 0, 20, 0]) == pytest.approx(114 / 255)


def test_tiles_cover_the_picture_and_overlap() -> None:
    cuts = [*tiled(250, 700, 100)]
    seen = np.zeros((250, 700), int)
    for top, bottom, left, right in cuts:
        assert bottom - top == 100
        assert right - left == 100
        seen[top:bottom, left:right] += 1
    assert seen.min() >= 1
    starts = sorted({left for _, _, left, _ in cuts})
    assert max(b - a for a, b in pairwise(starts)) <= 75
    assert [*tiled(50, 60, 100)] == [(0, 50, 0, 60)]


class Bright(nn.Module):
    """Finds the one bright rectangle of each picture."""

    kept = files.Kept()
    classes = 1

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor, kept: files.Kept) -> list[Found]:
        found = []
        for image in x[:, 0]:
            y, x_ = (image > 0.9).nonzero(as_tuple=True)
            corners = [float(v) for v in (x_.min(), y.min(), x_.max() + 1, y.max() + 1)] if len(y) else []
            count = len(corners) // 4
            found.append(Found(torch.tensor(corners).reshape(-1, 4), torch.zeros(count, dtype=torch.long), torch.ones(count)))
        return found


@pytest.fixture
def bright(monkeypatch: pytest.MonkeyPatch) -> Detector:
    monkeypatch.setattr(files, "FasterRCNN", Bright)
    return Detector("bright", Bright(), PLAN)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(48, 96), (480, 960), (96, 96), (33, 1000)])
def test_boxes_come_back_in_the_pictures_own_pixels(bright: Detector, size: tuple[int, int]) -> None:
    height, width = size
    image = np.zeros((height, width, 3), np.uint8)
    top, bottom, left, right = height // 4, height // 2 + 8, width // 3, width // 2
    image[top:bottom, left:right] = 255
    found = bright(image)
    slack = max(1, 1.5 / scale_for(height, width, 48, 96))
    assert np.abs(found.boxes - [[left, top, right, bottom]]).max() <= slack
    assert bright.several([image, image])[1].boxes.tolist() == found.boxes.tolist()


def test_in_tiles_an_object_is_found_once(bright: Detector) -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    image[120:150, 200:230] = 255
    found = bright(image, scale=1.0)
    assert np.abs(found.boxes - [[200, 120, 230, 150]]).max() <= 1
    assert len(bright(np.zeros((300, 400, 3), np.uint8), scale=1.0)) == 0
    with pytest.raises(ValueError, match="scale"):
        bright(image, scale=0)


def test_fast_and_r_cnn_are_files_too(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    image = np.full((48, 64, 3), 120, np.uint8)
    image[10:30, 10:30] = (220, 20, 20)
    for network in ("mien-fast", "mien-rcnn"):
        torch.manual_seed(0)
        plan = Plan(network, ("a", "b"), 48, 96)
        files.save(tmp_path / "m.safetensors", files.build(plan), plan)
        net, _ = files.load(tmp_path / "m.safetensors")
        found = Detector(network, net, plan)(image, least=0.0)
        assert len(found)
        assert (found.boxes[:, 2:] <= [64, 48]).all()
