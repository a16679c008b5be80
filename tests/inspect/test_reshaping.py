"""`mien inspect warp`: the photo that comes out, what it says of itself, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from portraits import grace, needs_networks, place

from mien.data.pictures import read_picture
from mien.faces.find import find
from mien.faces.reshape.fields import inverse
from mien.faces.reshape.sampling import sampled
from mien.faces.reshape.sliders import Sliders
from mien.provenance.report import verify
from mien.tasks.inspect.reshaping import reshape_photo, wheel


@pytest.fixture(autouse=True)
def _own_identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "keys"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Grace Hopper in a grey picture."""
    Image.fromarray(place(grace(), 150, 30)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@needs_networks
def test_a_photo_is_reshaped_and_signed_and_only_the_crop_changes(photo: Path, tmp_path: Path):
    done = reshape_photo(photo, {"smile": 1, "face-width": -0.8}, tmp_path / "out.png", field=tmp_path / "field.npy",
                         picture=tmp_path / "flow.png")
    before, after, field = read_picture(photo), read_picture(tmp_path / "out.png"), np.load(tmp_path / "field.npy")
    assert done.sliders == {"smile": 1, "face_width": -0.8}
    assert field.shape == (2, 360, 640)
    assert done.largest == pytest.approx(np.hypot(*field).max(), abs=0.01)
    np.testing.assert_allclose(after, sampled(before, field), atol=1)
    x1, y1, x2, y2 = done.box
    outside = np.ones(before.shape[:2], bool)
    outside[y1:y2, x1:x2] = False
    np.testing.assert_array_equal(after[outside], before[outside])
    assert read_picture(tmp_path / "flow.png").shape == (y2 - y1, x2 - x1, 3)
    old, new = find(before)[0].landmarks, find(after)[0].landmarks
    assert (new[[48, 54], 1] - new[[51, 57], 1].mean()).mean() < (old[[48, 54], 1] - old[[51, 57], 1].mean()).mean() - 1
    assert new[14, 0] - new[2, 0] < old[14, 0] - old[2, 0] - 2
    report = verify(tmp_path / "out.png")
    assert report.signed
    assert report.intact
    assert report.label is not None
    assert len(report.ingredients) == 1
    assert report.model == "mien inspect warp mls"


@needs_networks
def test_the_field_undoes_it(photo: Path, tmp_path: Path):
    reshape_photo(photo, Sliders(nose_width=1, jawline=-1), tmp_path / "out.png", "tps", field=tmp_path / "field.npy")
    after, field = read_picture(tmp_path / "out.png"), np.load(tmp_path / "field.npy")
    before = read_picture(photo).astype(float)
    error = [np.square(picture - before).mean() for picture in (after, sampled(after, inverse(field)))]
    assert error[1] < error[0] / 10


@needs_networks
@pytest.mark.parametrize(("face", "words"), [(2, "has 1 face: there is no face 2"), (0, "no face 0")])
def test_a_face_that_is_not_there_is_refused(photo: Path, tmp_path: Path, face: int, words: str):
    with pytest.raises(ValueError, match=words):
        reshape_photo(photo, Sliders(smile=1), tmp_path / "out.png", face=face)
    assert not (tmp_path / "out.png").exists()


@needs_networks
def test_a_picture_without_a_face_is_refused(tmp_path: Path):
    Image.new("RGB", (320, 240), "grey").save(tmp_path / "grey.png")
    with pytest.raises(ValueError, match="no face was found"):
        reshape_photo(tmp_path / "grey.png", Sliders(smile=1), tmp_path / "out.png")


@pytest.mark.parametrize(("amounts", "out", "warper", "words"), [
    ({}, "out.png", "mls", "every slider is 0"),
    ({"smile": 1.5}, "out.png", "mls", "smile is 1.5, expected a number from -1 to 1"),
    ({"grin": 1}, "out.png", "mls", "no slider is called grin"),
    ({"smile": 1}, "out.webp", "mls", "ends in .jpg or .jpeg or .png"),
    ({"smile": 1}, "out.png", "glue", "choose mls, tps, liquify"),
    ({"smile": 1}, "photo.png", "mls", "is the photo itself"),
])  # fmt: skip
def test_what_cannot_be_done_is_refused(photo: Path, tmp_path: Path, amounts: dict[str, float], out: str, warper: str, words: str):
    with pytest.raises(ValueError, match=words):
        reshape_photo(photo, amounts, tmp_path / out, warper)


def test_the_wheel_is_white_where_nothing_moved_and_red_where_it_went_right():
    field = np.zeros((2, 4, 4), np.float32)
    field[0, 0, 0] = -3  # came from the left: it went right
    field[0, 3, 3] = 3
    drawn = wheel(field)
    assert drawn[1, 1].tolist() == [255, 255, 255]
    assert drawn[0, 0].tolist() == [255, 64, 64]
    assert drawn[3, 3].tolist() == [0, 191, 191]
