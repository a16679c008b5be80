"""`mien explain` on real pictures: the page, its numbers, and what is said of bad input."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from portraits import eileen, grace, needs_networks

pytest.importorskip("captum")

from mien.cli import main
from mien.faces.describe import MODELS
from mien.faces.extract import extract
from mien.models import classifier
from mien.models.swap import SwapNet
from mien.models.swap_model import Person, SwapModel, save_model
from mien.nn.explain.layers import peak
from mien.tasks.explain import faces
from mien.tasks.explain.opening import open_subject
from mien.tasks.explain.run import explain
from mien.tasks.explain.study import begin
from mien.weights import find

needs_dlib = pytest.mark.skipif(find("dlib-face") is None, reason="no face network here (mien models --fetch)")
DIGITS = tuple("0123456789")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(grace()).save(tmp_path / "grace.png")
    return tmp_path / "grace.png"


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier file with random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("lenet") / "lenet.safetensors"
    plan = classifier.Plan("lenet5", (1, 28, 28), DIGITS, "none")
    classifier.save(path, classifier.build(plan), plan)
    return path


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """A data set: 12 grey pictures in two class folders, larger than the network's input."""
    for i in range(12):
        picture = np.zeros((40, 40), np.uint8)
        picture[i : i + 20, 8:30] = 20 * i
        folder = tmp_path / "shapes" / ("odd" if i % 2 else "even")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{i}.png")
    return tmp_path / "shapes"


def test_a_classifier_is_explained_on_one_page_with_every_picture(lenet: Path, photo: Path, shapes: Path, tmp_path: Path) -> None:
    told = explain(str(lenet), photo, out=tmp_path / "page", data=shapes, steps=3)
    page = told.page.read_text("utf-8")
    names = {path.stem for path in told.pictures}
    assert {"input", "saliency", "gradients", "cam", "occlusion", "filters", "maps-1.1", "maps-1.4", "fields"} <= names
    assert sum(name.startswith("unit-1.1-") for name in names) == 4
    assert sum(name.startswith("unit-1.11-") for name in names) == 4
    for path in told.pictures:
        assert path.parent == tmp_path / "page"
        assert base64.b64encode(path.read_bytes()).decode() in page
    assert page.count("<img") == len(told.pictures)
    assert "http" not in page.replace("http-equiv", "")  # nothing is fetched
    net, _ = classifier.load(lenet)
    seen = open_subject(str(lenet), photo, None).x
    chances = net(seen).softmax(1)[0]
    assert told.predicted == DIGITS[int(chances.argmax())]
    assert [one.value for one in told.answers] == pytest.approx(chances.sort(descending=True).values[:5].tolist())
    assert told.completeness_gap < 0.02  # at most 512 points on the way
    lines = {line.name: line for line in told.layers}
    assert (lines["1.0"].receptive_field, lines["1.3"].receptive_field, lines["1.3"].stride) == (5, 14, 2)
    assert lines["1.11"].receptive_field is None
    assert "shapes (12 pictures)" in page


def test_a_unit_is_explained_instead_of_the_answer(lenet: Path, photo: Path, tmp_path: Path) -> None:
    told = explain(str(lenet), photo, out=tmp_path / "page", layer="1.3", unit=7, steps=0)
    assert told.asked == "the largest activation of unit 7 in layer 1.3"
    assert not any(path.name.startswith("maps-1.1.") for path in told.pictures)
    study = begin(open_subject(str(lenet), photo, None), "1.3", 7)
    assert float(study.score(study.subject.x)) == pytest.approx(float(peak(study.look(study.layer)[None])[0, 7]))  # type: ignore[arg-type]


def test_the_target_is_a_class_by_name_or_number(lenet: Path, photo: Path) -> None:
    by_name = open_subject(str(lenet), photo, "3")
    net, _ = classifier.load(lenet)
    assert by_name.score(by_name.x) == net(by_name.x)[0, 3]
    with pytest.raises(ValueError, match="no class is called 'zebra'; the nearest"):
        open_subject(str(lenet), photo, "zebra")


@pytest.mark.parametrize("name", ["mlp", "resnet20", "rnn", "swap-compact"])
def test_any_architecture_can_be_opened_and_is_called_untrained(name: str, photo: Path) -> None:
    study = begin(open_subject(name, photo, None), None, None)
    assert not study.subject.trained
    assert study.score(study.subject.x).shape == (1,)
    assert study.looked_into(only_maps=False)
    again = open_subject(name, photo, None)
    assert torch.equal(again.score(again.x), study.score(study.subject.x))  # the same random weights every time


@needs_networks
@needs_dlib
def test_the_swap_base_restores_the_face_it_is_asked_about(photo: Path, tmp_path: Path) -> None:
    told = explain("swap-base", photo, out=tmp_path / "page", layer="encoder.9", steps=2)
    assert {"drawn", "maps-encoder.9", "cam", "occlusion"} <= {path.stem for path in told.pictures}
    assert told.answers[0].value < 0.06  # the mean colour of the picture alone is at 0.1
    assert told.completeness_gap < 0.01
    assert {line.name: line for line in told.layers}["encoder.9"].receptive_field == 49


@needs_networks
@pytest.mark.parametrize("model", [pytest.param("dlib-face", marks=needs_dlib), "mien-face"])
def test_recognition_is_asked_for_likeness(photo: Path, tmp_path: Path, model: str) -> None:
    alone = open_subject(model, photo, None)
    length = dict(alone.answers)["length of the embedding"]
    assert float(alone.score(alone.x)) == pytest.approx(length, rel=1e-4)
    Image.fromarray(eileen()).save(tmp_path / "eileen.png")
    other = open_subject(model, photo, str(tmp_path / "eileen.png"))
    name, apart = other.answers[0]
    assert apart > MODELS[model].same
    assert "different people" in name
    assert float(other.score(other.x)) < length


@needs_networks
def test_a_trained_swap_is_asked_about_its_best_or_a_named_person(photo: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    people = {name: Person(name, 3, [0.0] * 128, []) for name in ("Anna", "Ben")}
    save_model(SwapModel(SwapNet(people, "tiny"), "tiny", people), tmp_path / "swap.safetensors")
    best, ben = open_subject(str(tmp_path), photo, None), open_subject(str(tmp_path / "swap.safetensors"), photo, "ben")
    assert float(best.score(best.x)) >= float(ben.score(ben.x))
    assert "Ben" in ben.asked.en
    with pytest.raises(ValueError, match="it knows Anna, Ben"):
        open_subject(str(tmp_path), photo, "Carl")


@pytest.mark.parametrize(("options", "message"), [
    (["--layer", "1.33"], "no layer is called '1.33'; the nearest: 1."),
    (["--layer", "1.3", "--unit", "16"], "layer 1.3 has the units 0 to 15, not 16"),
    (["--unit", "3"], "unit 3 of which layer?"),
    (["--target", "ten"], "no class is called 'ten'"),
    (["--data", "nowhere"], "nowhere does not exist"),
    (["--steps", "-1"], "--steps of at least 0"),
])  # fmt: skip
def test_bad_options_are_answered_in_one_line(
    lenet: Path, photo: Path, tmp_path: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert main(["explain", str(lenet), str(photo), "--out", str(tmp_path / "page"), *options]) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert "\n" not in said
    assert not (tmp_path / "page").exists()


def test_bad_models_and_pictures_are_named(lenet: Path, photo: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(lenet.read_bytes()[:5000])
    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    for model, image, message in [
        (str(cut), photo, "cut.safetensors is damaged"),
        (str(lenet), text, "notes.txt is not a picture: it is text"),
        ("resnet21", photo, "no model is called 'resnet21'; the nearest: resnet"),
        ("gone.safetensors", photo, "gone.safetensors does not exist"),
        (str(tmp_path), photo, "holds none of"),
        ("face-mesh", photo, "face-mesh is a LiteRT program"),
        (str(text), photo, "damaged or no model file"),
    ]:
        with pytest.raises(ValueError, match=message):
            explain(model, image, out=tmp_path / "page")
    with pytest.raises(ValueError, match=r"notes\.txt is a file, expected a folder"):
        explain(str(lenet), photo, out=text)


@needs_networks
@needs_dlib
def test_faces_of_a_set_and_of_photos_are_cut_alike(photo: Path, tmp_path: Path) -> None:
    extract([photo], tmp_path / "set", size=256)
    (tmp_path / "photos").mkdir()
    photo.rename(tmp_path / "photos" / "grace.png")
    read = faces.reader(faces.window(128))
    from_set, from_photo = read(tmp_path / "set", 10), read(tmp_path / "photos", 10)
    assert from_set.shape == from_photo.shape == (1, 3, 128, 128)
    assert (from_set.float() - from_photo.float()).abs().mean() < 3  # the set's crop is a JPEG, resampled once more


@needs_networks
@needs_dlib
def test_a_face_network_needs_a_face(tmp_path: Path) -> None:
    Image.new("RGB", (200, 200), "green").save(tmp_path / "green.png")
    with pytest.raises(ValueError, match=r"no face in .*green\.png"):
        open_subject("dlib-face", tmp_path / "green.png", None)


@pytest.mark.parametrize(("name", "shape"), [("signal", (256,)), ("volume", (14, 14, 14)), ("volume", (1, 20, 18, 16))])
def test_signals_and_volumes_are_explained_from_arrays(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "beat.npy", np.random.default_rng(0).normal(size=shape))
    told = explain(name, tmp_path / "beat.npy", out=tmp_path / "page")
    assert {"input", "saliency", "gradients", "cam", "occlusion", "maps-1"} <= {path.stem for path in told.pictures}
    assert told.completeness_gap < 0.01


def test_bad_arrays_are_named(photo: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.zeros((3, 3)))
    np.save(tmp_path / "hole.npy", np.full(256, np.nan))
    for path, message in [
        (photo, "grace.png is not a NumPy array: this network looks at signals, expected .npy of 1 x 256 numbers"),
        (tmp_path / "flat.npy", "flat.npy is 3 x 3, expected 1 x 256"),
        (tmp_path / "hole.npy", "hole.npy holds other than finite numbers"),
    ]:
        with pytest.raises(ValueError, match=message):
            explain("signal", path, out=tmp_path / "page")


def test_json_holds_the_numbers(lenet: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["explain", str(lenet), str(photo), "--out", str(tmp_path / "page"), "--layer", "1.0", "--steps", "0", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["predicted"] in DIGITS
    assert len(told["answers"]) == 5
    assert told["layers"][1]["shape"] == [6, 28, 28]
