"""What `mien swap train` refuses before it trains, and in which size a restored face is compared."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from mien.faces.align import MEAN
from mien.models.swap_model import FILE, SwapModel, save_model
from mien.tasks.swap import people
from mien.tasks.swap.people import gather
from mien.tasks.swap.score import Look, restored
from mien.tasks.swap.session import Wanted, learn


def pair(folder: Path) -> list[str]:
    (folder / "a.mp4").touch()
    return [f"{name}={folder / 'a.mp4'}" for name in ("grace", "bob")]


def test_a_judge_and_the_end_at_a_plateau_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose one"):
        learn(pair(tmp_path), tmp_path / "out", Wanted(1, adversary=True, stop_on_plateau=True))


def test_the_model_to_go_on_from_is_of_the_same_people(tmp_path: Path, tiny: SwapModel) -> None:
    save_model(tiny, tmp_path / FILE)
    with pytest.raises(ValueError, match="knows grace, eileen, expected grace, bob"):
        learn(pair(tmp_path), tmp_path / "out", Wanted(1, start=tmp_path / FILE))


def test_a_size_it_cannot_have_is_said_before_faces_are_cut_out(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="compact cannot draw 200 pixels a side: choose 128, 192, 256"):
        learn(pair(tmp_path), tmp_path / "out", Wanted(1, size=200))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("size", "crop", "folder"), [(128, 256, "bob"), (192, 256, "bob"), (256, 320, "bob-320")])
def test_larger_faces_want_larger_crops_in_a_folder_of_their_own(
    size: int, crop: int, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def extract(sources: list[Path], out: Path, **options: Any) -> list[int]:
        asked.update(options, out=out)
        return [1]

    monkeypatch.setattr(people, "extract", extract)
    gather("bob", tmp_path, tmp_path / "faces" / "bob", size=size)
    assert (asked["size"], asked["out"].name) == (crop, folder)


@pytest.mark.parametrize(("drawn", "compared"), [(64, 128), (128, 128), (192, 192)])
def test_a_face_is_compared_in_the_size_that_is_drawn(drawn: int, compared: int) -> None:
    """Who draws stripes where the real face has stripes is right in its own size; those of fewer pixels are lost when enlarged."""
    side = 240
    image = np.zeros((side, side, 3), np.uint8)
    image[:, ::2] = 255
    face = SimpleNamespace(face=SimpleNamespace(landmarks=(MEAN * side).astype(np.float32)))
    seen: list[int] = []

    def draw(faces: np.ndarray, person: str) -> np.ndarray:
        seen.append(faces.shape[1])
        return faces

    drawer = cast(Any, type("Drawer", (), {"size": drawn, "__call__": staticmethod(draw)})())
    found = restored(drawer, [Look(image, cast(Any, face), False)], "a")
    assert seen == [drawn]
    assert (found.ssim == 1) == (drawn == compared)
