"""What speaks against a face, and photos that are looked at on two threads."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from portraits import eileen, grace, needs_networks, place

from mien.faces import probe
from mien.faces.describe import distance
from mien.faces.probe import OUTSIDE, SMALL, SOFT, TURNED, Prober, Quality, Unread
from mien.types import Space
from mien.weights import find

needs_vectors = pytest.mark.skipif(find("dlib-face") is None, reason="no dlib weights here (mien models --fetch)")
GOOD = {"eyes": 60.0, "sharpness": 100.0, "yaw": -20.0, "pitch": 5.0, "outside": 0.0}


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("eyes", SMALL - 1, "too small"), ("sharpness", SOFT - 1, "blurred"), ("yaw", -TURNED - 1, "turned away"),
        ("outside", OUTSIDE + 0.1, "cut off"),
    ],
)  # fmt: skip
def test_each_fault_is_named_alone(name: str, value: float, word: str) -> None:
    assert Quality(**GOOD).faults == ()
    [fault] = Quality(**(GOOD | {name: value})).faults
    assert fault.startswith(word)


def test_spaces_differ_where_anything_differs() -> None:
    base = ("net", "ab12", "aligner 1", "RGB", 128)
    others = [(*base[:i], what, *base[i + 1:]) for i, what in enumerate(("web", "ab13", "aligner 2", "grey", 64))]
    keys = {Space(*one).key for one in (base, *others)}  # type: ignore[arg-type]
    assert len(keys) == 6
    assert Space(*base).key == Space(*base).key


@needs_networks
@needs_vectors
def test_photos_come_in_order_and_equal_those_looked_at_alone(tmp_path: Path) -> None:
    names = []
    for index, picture in enumerate((grace(), eileen(), place(grace(), 20, 10), place(eileen(), 300, 60))):
        names.append(tmp_path / f"{index}.png")
        Image.fromarray(picture).save(names[-1])
    names.insert(2, tmp_path / "broken.jpg")
    names[2].write_bytes(b"\xff\xd8\xff broken")
    prober = Prober()
    seen = list(prober.photos(names))
    assert [path for path, _ in seen] == names
    assert isinstance(seen[2][1], Unread)
    for path, found in seen[:2] + seen[3:]:
        assert not isinstance(found, Unread)
        alone = prober(np.asarray(Image.open(path)))
        assert [one.face.box for one in found] == [one.face.box for one in alone]
        assert np.allclose(found[0].vector, alone[0].vector, atol=1e-5)
        assert found[0].crop.shape == (160, 160, 3)
        assert found[0].quality.faults == ()


@needs_networks
@needs_vectors
@pytest.mark.parametrize(("side", "share"), [(1280, 0.7), (2000, 0.15)])
def test_of_a_huge_photo_the_view_and_pieces_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int, share: float
) -> None:
    """A large face is described from the view, a small one from the original; both as in the plain photo, where they lie."""
    monkeypatch.setattr(probe, "VIEW", 700)  # stands for 3,000, so that the photo need not be huge
    portrait = Image.fromarray(grace()).resize((round(side * share), round(side * share * 300 / 256)))
    huge = Image.new("L", (side, side), 110)
    huge.paste(portrait.convert("L"), (side // 3, side // 5))
    huge.save(tmp_path / "huge.jpg", quality=90)
    plain = Prober(search="quick")(np.asarray(Image.fromarray(grace()).convert("L").convert("RGB")))[0]
    found = Prober(search="everybody").photo(tmp_path / "huge.jpg")[0]
    scale = portrait.width / 256
    assert np.abs((found.face.landmarks - (side // 3, side // 5)) / scale - plain.face.landmarks).mean() < 1.5
    assert found.quality.eyes == pytest.approx(plain.quality.eyes * scale, rel=0.05)
    assert distance(found.vector, plain.vector) < 0.25
