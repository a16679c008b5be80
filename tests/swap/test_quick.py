"""`mien swap quick`: one photo's face over photos, folders and videos."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from portraits import eileen, grace, needs_networks, place

from mien.data.pictures import read_picture
from mien.faces.describe import Describer
from mien.faces.find import find
from mien.models.swap_model import SwapModel, save_model
from mien.provenance.report import verify
from mien.tasks.swap.run import quick
from mien.weights import card, locate
from mien.weights import find as found

pytestmark = [needs_networks, pytest.mark.skipif(found("dlib-face") is None, reason="no dlib-face weights here")]


def vector(image: np.ndarray, number: int = 0) -> np.ndarray:
    """Of the face that is `number` largest, by the network that neither drew nor taught."""
    return Describer()(image, find(image)[number].landmarks[None])[0]


def test_the_card_is_true() -> None:
    file = locate("mien-swap-quick")
    assert file.stat().st_size == card("mien-swap-quick").size < 8_000_000


def test_the_face_becomes_the_photos_and_the_rest_stays(photos: dict[str, Path], tmp_path: Path) -> None:
    done = quick(photos["grace"], photos["eileen"], out=tmp_path / "out.png", device="cpu", consent="public domain")
    assert (done.swapped, done.untouched) == (1, 0)
    before, after, wanted = (read_picture(p) for p in (photos["eileen"], tmp_path / "out.png", photos["grace"]))
    there = vector(after)
    assert np.linalg.norm(there - vector(wanted)) < np.linalg.norm(there - vector(before))
    x1, y1, x2, y2 = find(before)[0].box
    half = 0.5 * (x2 - x1)
    outside = np.ones(before.shape[:2], bool)
    outside[int(max(y1 - half, 0)):int(y2 + half), int(max(x1 - half, 0)):int(x2 + half)] = False
    assert np.array_equal(before[outside], after[outside])
    report = verify(tmp_path / "out.png")
    assert report.signed
    assert report.intact


def test_which_of_two_faces(photos: dict[str, Path], two: Path, tmp_path: Path) -> None:
    image = read_picture(two)
    boxes = [face.box for face in find(image)]
    for number in (1, 2):
        quick(photos["grace"], two, out=tmp_path / f"{number}.png", face=number, device="cpu")
        changed = (read_picture(tmp_path / f"{number}.png") != image).any(2)
        inside = [changed[int(y1):int(y2), int(x1):int(x2)].any() for x1, y1, x2, y2 in boxes]
        assert inside == [number == 1, number == 2]
    like = quick(photos["grace"], two, out=tmp_path / "like.png", like=photos["eileen"], device="cpu")
    assert (like.swapped, like.untouched) == (1, 1)
    every = quick(photos["grace"], two, out=tmp_path / "every.png", everyone=True, device="cpu")
    assert (every.swapped, every.untouched) == (2, 0)


def test_what_cannot_be_asked(photos: dict[str, Path], two: Path, tmp_path: Path) -> None:
    nobody = tmp_path / "grey.png"
    Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(nobody)
    alike = tmp_path / "alike.png"
    Image.fromarray(np.hstack([place(grace(), 60, 20, (440, 480))] * 2)).save(alike)
    out = tmp_path / "out.png"
    with pytest.raises(ValueError, match=r"no face was found in .*grey.png: expected a photo of one person"):
        quick(nobody, photos["grace"], out=out, device="cpu")
    with pytest.raises(ValueError, match=r"alike.png shows 2 faces"):
        quick(alike, photos["grace"], out=out, device="cpu")
    with pytest.raises(ValueError, match=r"no face was found in .*grey.png"):
        quick(photos["grace"], nobody, out=out, device="cpu")
    with pytest.raises(ValueError, match=r"fewer than 3 faces"):
        quick(photos["grace"], two, out=out, face=3, device="cpu")
    with pytest.raises(ValueError, match=r"counts from 1"):
        quick(photos["grace"], two, out=out, face=0, device="cpu")
    with pytest.raises(ValueError, match=r"no face in .*eileen.jpg is like .*grace.jpg .*--everyone"):
        quick(photos["grace"], photos["eileen"], out=out, like=photos["grace"], device="cpu")
    with pytest.raises(ValueError, match=r"does not exist"):
        quick(photos["grace"], tmp_path / "missing.jpg", out=out, device="cpu")
    with pytest.raises(ValueError, match=r"no swap model in"):
        quick(photos["grace"], two, out=out, models=tmp_path, device="cpu")
    assert not out.exists()


def test_a_video_of_two_follows_the_one_that_is_meant(photos: dict[str, Path], tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    large, small = (np.asarray(Image.fromarray(face()).resize(size)) for face, size in ((grace, (192, 225)), (eileen, (150, 176))))
    with av.open(str(clip), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 400, 240, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 25)
        for number in range(8):
            frame = place(large, 10 + number, 8, (400, 240)).copy()
            frame[:, 225:] = place(small, 230 + number, 40, (400, 240))[:, 225:]
            picture = av.VideoFrame.from_ndarray(frame)
            picture.pts = number
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    done = quick(photos["grace"], clip, out=tmp_path / "out.mp4", face=2, device="cpu")
    assert (done.frames, done.swapped, done.untouched) == (8, 8, 8)
    assert verify(tmp_path / "out.mp4").signed
    with pytest.raises(ValueError, match=r"fewer than 3 faces"):
        quick(photos["grace"], clip, out=tmp_path / "none.mp4", face=3, device="cpu")


def test_a_model_that_knows_the_person_draws_instead(tiny: SwapModel, photos: dict[str, Path], tmp_path: Path,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    tiny.people["grace"].centre[:] = vector(read_picture(photos["grace"])).tolist()
    save_model(tiny, tmp_path / "models" / "both" / "swap.safetensors")
    quick(photos["grace"], photos["eileen"], out=tmp_path / "known.png", models=tmp_path / "models", device="cpu")
    assert "knows grace: its model draws" in capsys.readouterr().err
    quick(photos["eileen"], photos["grace"], out=tmp_path / "unknown.png", models=tmp_path / "models", device="cpu")
    assert "draws" not in capsys.readouterr().err


def test_a_folder_is_gone_through(photos: dict[str, Path], tmp_path: Path) -> None:
    done = quick(photos["grace"], photos["grace"].parent, out=tmp_path / "made", device="cpu")
    assert done.files == 2
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == ["eileen.jpg", "grace.jpg"]
