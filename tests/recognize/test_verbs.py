"""The verbs of recognition on two public-domain portraits, through the command line and from Python."""

from __future__ import annotations

import gc
import json
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageFilter
from portraits import eileen, grace, needs_networks

from mien.cli import main
from mien.faces.describe import MODELS
from mien.faces.probe import Prober, Unread
from mien.gallery import new_key, open_gallery
from mien.tasks.recognize.calibrated import shipped
from mien.tasks.recognize.run import verify
from mien.weights import find

pytestmark = [needs_networks, pytest.mark.skipif(find("dlib-face") is None, reason="no dlib weights here (mien models --fetch)")]


def variant(picture: np.ndarray, light: float, shift: int) -> Image.Image:
    """Another photo of the same face: darker or lighter, moved, mirrored for odd shifts."""
    moved = np.roll(np.clip(picture * light, 0, 255).astype(np.uint8), shift, axis=1)
    return Image.fromarray(np.ascontiguousarray(moved[:, ::-1] if shift % 2 else moved))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for name, picture in (("grace", grace()), ("eileen", eileen())):
        Image.fromarray(picture).save(folder / f"{name}.png")
        variant(picture, 0.8, 7).save(folder / f"{name}2.png")
    both = np.concatenate([np.asarray(Image.fromarray(one).resize((256, 256))) for one in (grace(), eileen())], axis=1)
    Image.fromarray(both).save(folder / "both.png")
    Image.fromarray(grace()).filter(ImageFilter.GaussianBlur(9)).save(folder / "blurred.png")
    Image.fromarray(grace()).resize((40, 47)).save(folder / "tiny.png")
    Image.fromarray(grace()).rotate(90, expand=True).save(folder / "turned.png")
    Image.new("RGB", (300, 200), "white").save(folder / "wall.png")
    (folder / "text.jpg").write_text("no picture")
    return folder


@pytest.fixture
def gallery(photos: Path, tmp_path: Path) -> str:
    where = str(tmp_path / "gallery.db")
    for name in ("grace", "eileen"):
        assert main(["recognize", "enroll", name.title(), str(photos / f"{name}.png"), "--gallery", where]) == 0
    return where


def answer(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> dict:
    capsys.readouterr()
    assert main(["recognize", *map(str, words), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_verify_says_same_or_different_with_its_error_rate(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = answer(capsys, "verify", photos / "grace.png", photos / "grace2.png")
    assert same["same"] is True
    assert same["probability"] > 0.99
    assert same["distance"] <= same["threshold"]
    assert same["false_match_rate"] == 0.01
    other = verify(photos / "grace.png", photos / "eileen.png", false_match_rate=1e-4)
    assert (other.same, other.false_match_rate) == (False, 1e-4)
    assert other.probability < 0.3
    assert other.threshold < same["threshold"]
    assert verify(photos / "grace.png", photos / "turned.png").same, "a photo that lies on its side"


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        ("wall.png", "no face in"), ("blurred.png", "too poor to decide by|no face in"), ("tiny.png", "too poor to decide by"),
        ("text.jpg", "is not a picture"), ("absent.png", "does not exist"), ("both.png", "shows 2 faces .* choose with --face"),
    ],
)  # fmt: skip
def test_a_photo_to_doubt_is_an_error_never_a_match(photos: Path, photo: str, words: str) -> None:
    with pytest.raises((ValueError, OSError), match=words):
        verify(photos / "grace.png", photos / photo)


def test_one_of_several_faces_is_chosen(photos: Path) -> None:
    answers = [verify(photos / "eileen.png", photos / "both.png", face=face).same for face in ("1", "largest")]
    assert answers[0] == answers[1]
    with pytest.raises(ValueError, match=r"expected largest or 1 .* to 1"):
        verify(photos / "eileen.png", photos / "both.png", face="2")  # the first photo has one face only


def test_identify_names_the_enrolled_and_nobody_else(
    photos: Path, gallery: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "asked"
    where.mkdir()
    for name in ("grace2.png", "both.png", "wall.png", "text.jpg"):
        (where / name).write_bytes((photos / name).read_bytes())
    said = answer(capsys, "identify", where, "--gallery", gallery, "--out", tmp_path / "evidence")
    assert sorted((Path(face["source"]).name, face["name"]) for face in said["faces"]) == [
        ("both.png", "Eileen"), ("both.png", "Grace"), ("grace2.png", "Grace"),
    ]  # fmt: skip
    assert {Path(one["file"]).name: one["why"][-7:] for one in said["left_out"]}.keys() == {"wall.png", "text.jpg"}
    with Image.open(tmp_path / "evidence" / "evidence.png") as sheet:
        assert sheet.width > 500
    assert len((tmp_path / "evidence" / "faces.csv").read_text().splitlines()) == 4
    assert answer(capsys, "forget", "Grace", "--gallery", gallery)["checks"]
    for how in ("--quick", "--thorough"):
        assert len(answer(capsys, "identify", photos / "both.png", "--gallery", gallery, how)["faces"]) == 2
    said = answer(capsys, "identify", photos / "grace2.png", "--gallery", gallery)
    assert [face["name"] for face in said["faces"]] == [None]
    assert "nearest Eileen" in said["faces"][0]["why"]


def test_identify_follows_a_face_through_a_video(gallery: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = tmp_path / "clip.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p"
        for index in range(12):
            frame = av.VideoFrame.from_ndarray(np.roll(eileen(), index, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    said = answer(capsys, "identify", clip, "--gallery", gallery, "--every", 2)
    assert [face["name"] for face in said["faces"]] == ["Eileen"]
    assert said["faces"][0]["start"] == 0
    assert said["faces"][0]["stop"] == 1.0
    clip.write_bytes(clip.read_bytes()[:600])
    assert "is cut off" in answer(capsys, "identify", clip, "--gallery", gallery, code=2)["error"]
    assert answer(capsys, "identify", tmp_path, "--gallery", gallery)["left_out"], "in a folder the rest is looked at all the same"


def test_enroll_adds_all_photos_or_none(photos: Path, gallery: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = answer(capsys, "enroll", "Grace", photos / "grace2.png", photos / "wall.png", "--gallery", gallery, code=2)["error"]
    assert "no face in" in error
    assert {p["name"]: p["vectors"] for p in answer(capsys, "people", "--gallery", gallery)["people"]} == {"Eileen": 1, "Grace": 1}
    said = answer(capsys, "enroll", "Grace", photos / "grace2.png", "--gallery", gallery, "--keep-days", 30, "--consent", "signed")
    assert (said["vectors"], said["consent"]) == (2, "signed")
    assert said["keep_until"]


def test_enroll_says_when_a_photo_is_of_somebody_else(photos: Path, gallery: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recognize", "enroll", "Grace", str(photos / "eileen2.png"), "--gallery", gallery]) == 0
    told = capsys.readouterr().err
    assert "is like Eileen, who is enrolled already" in told
    assert "is unlike every other photo of Grace" in told


def test_a_gallery_with_a_key_goes_from_machine_to_machine(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where, key, copy = tmp_path / "sealed.db", tmp_path / "key", tmp_path / "copy.db"
    key.write_text(new_key())
    answer(capsys, "enroll", "Grace", photos / "grace.png", "--gallery", where, "--key", key)
    assert b"Grace" not in where.read_bytes()
    assert "needs its key" in answer(capsys, "people", "--gallery", where, code=2)["error"]
    assert answer(capsys, "export", tmp_path / "people.zip", "--gallery", where, "--key", key)["people"] == ["Grace"]
    assert answer(capsys, "import", tmp_path / "people.zip", "--gallery", copy)["people"] == ["Grace"]
    monkeypatch.setenv("MIEN_GALLERY", str(copy))
    assert answer(capsys, "identify", photos / "grace2.png")["faces"][0]["name"] == "Grace"
    assert [line["action"] for line in answer(capsys, "audit")["entries"]] == ["import", "identify", "identify"]


def test_what_is_missing_is_said(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], gallery: str) -> None:
    assert "there is no gallery at" in answer(capsys, "people", "--gallery", tmp_path / "none.db", code=2)["error"]
    assert "comes with no calibration" in answer(
        capsys, "verify", photos / "grace.png", photos / "grace2.png", "--false-match-rate", 0.02, code=2)["error"]  # fmt: skip
    assert "no face network" in answer(
        capsys, "verify", photos / "grace.png", photos / "grace2.png", "--model", "no-such", code=2)["error"]  # fmt: skip
    assert "expected 1 (each frame) or more" in answer(
        capsys, "identify", photos, "--gallery", gallery, "--every", 0, code=2)["error"]  # fmt: skip
    assert "exclude each other" in answer(
        capsys, "identify", photos, "--gallery", gallery, "--quick", "--thorough", code=2)["error"]  # fmt: skip
    assert "one of them" in answer(capsys, "calibrate", photos, code=2)["error"]
    (tmp_path / "other.json").write_text("{}")
    wrong = answer(capsys, "verify", photos / "grace.png", photos / "grace2.png", "--calibration", tmp_path / "other.json", code=2)
    assert "is no calibration written by mien" in wrong["error"]


def test_a_hundred_requests_at_once_answer_as_one_by_one(gallery: str) -> None:
    prober, pictures = Prober(), [grace(), eileen(), *(np.roll(grace(), k, 0) for k in (3, 9))]
    alone = [prober(picture)[0].vector for picture in pictures]
    failed: list[str] = []
    barrier = threading.Barrier(4)
    with open_gallery(gallery) as people:
        expected = [people.search(vector[None], 1)[0][0] for vector in alone]

        def ask(number: int) -> None:
            if number < 4:
                barrier.wait()
            which = number % len(pictures)
            vector = prober(pictures[which])[0].vector if number < 12 else alone[which]
            hit = people.search(vector[None], 1)[0][0]
            if hit.name != expected[which].name or abs(hit.distance - expected[which].distance) > 1e-4:
                failed.append(f"{number}: {hit} for {expected[which]}")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, range(100)))
    assert not failed


def test_a_damaged_gallery_is_put_back(photos: Path, gallery: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = Path(gallery)
    where.write_bytes(where.read_bytes()[:2048] + bytes(range(256)) * 32 + where.read_bytes()[10_240:])
    told = answer(capsys, "people", "--gallery", where, code=2)["error"]
    assert f"mien recognize recover --gallery {where}" in told
    said = answer(capsys, "recover", "--gallery", where)
    assert said["people"] == ["Eileen", "Grace"]
    assert Path(said["put_aside"]).is_file()
    assert answer(capsys, "identify", photos / "grace2.png", "--gallery", where)["faces"][0]["name"] == "Grace"
    assert "no backup" in answer(capsys, "recover", "--gallery", where.with_name("absent.db"), code=2)["error"]


def test_asking_again_and_again_keeps_nothing(photos: Path, gallery: str) -> None:
    """What Python and numpy hold after 30 more questions is what they held before."""
    prober = Prober(search="quick")
    with open_gallery(gallery) as people:

        def ask(times: int) -> None:
            for _ in range(times):
                for _, found in prober.photos([photos / "grace2.png"]):
                    assert not isinstance(found, Unread)
                    people.search(found[0].vector[None], 1)

        ask(5)
        gc.collect()
        tracemalloc.start()
        try:
            ask(3)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            ask(30)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert grown < 60_000, "a crop of a face has 76,800 bytes"


@pytest.mark.parametrize("model", ["dlib-face", "mien-face"])
def test_the_plain_threshold_of_a_network_is_its_calibration_for_1_false_match_in_100(model: str) -> None:
    [loosest] = [one for one in shipped(model) if one.asked == 0.01]
    assert MODELS[model].same == pytest.approx(loosest.threshold, abs=0.01)
