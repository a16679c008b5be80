import dataclasses

import numpy as np
import pytest
from PIL import Image
from portraits import eileen, grace, needs_networks, place

from mien.cli import main
from mien.faces import finders
from mien.faces.extract import extract
from mien.faces.find import find
from mien.faces.follow import Follower
from mien.types import Detections


class Looker:
    """Stands for a trained detector: it knows where the faces are, and is called with the picture or with a scale."""

    def __init__(self, boxes: list[tuple[float, ...]]) -> None:
        self.boxes, self.scales = np.array(boxes), []
        self.plan = type("Plan", (), {"side": 224, "longest": 320})

    def __call__(self, image: np.ndarray, least: float, scale: float | None = None) -> Detections:
        self.scales.append(scale)
        return Detections.of(self.boxes, [0] * len(self.boxes), [0.9] * len(self.boxes))


@needs_networks
def test_boxes_of_a_network_become_measured_faces(monkeypatch):
    image = place(grace(), 20, 30)
    (true,) = find(image)
    looker = Looker([true.box, (500, 200, 560, 260)])  # the second one is grey: the mesh refuses it
    monkeypatch.setattr(finders, "trained", lambda: looker)
    (found,) = finders.finder("faster").photo(image)
    assert np.abs(found.face.landmarks - true.landmarks).mean() < 0.02 * true.size
    assert len(looker.scales) == 2
    assert len(finders.finder("faster").frame(image)) == 1
    assert looker.scales[2:] == [None]


@needs_networks
def test_a_follower_looks_with_the_finder_it_is_given():
    image, seen = place(eileen(), 200, 40), []
    follower = Follower(look=lambda picture: seen.append(picture.shape) or [])
    assert follower.step(image) == []
    assert seen == [image.shape]


@needs_networks
def test_a_set_notes_who_found_its_faces(tmp_path, monkeypatch):
    image = grace()
    Image.fromarray(image).save(tmp_path / "grace.png")
    monkeypatch.setattr(finders, "trained", lambda: Looker([find(image)[0].box]))
    marked = dataclasses.replace(finders.FINDERS["faster"], mark=lambda: " by x")
    monkeypatch.setattr(finders, "FINDERS", {**finders.FINDERS, "faster": marked})
    assert len(extract([tmp_path / "grace.png"], tmp_path / "set", detector="faster")) == 1
    assert len(extract([tmp_path / "grace.png"], tmp_path / "set")) == 1  # looked at again, not twice in the set


def test_another_name_is_refused(tmp_path, capsys):
    with pytest.raises(ValueError, match="no detector is called haar: expected blaze, faster"):
        finders.finder("haar")
    assert main(["faces", "extract", str(tmp_path), "--out", str(tmp_path / "set"), "--detector", "haar"]) == 2
