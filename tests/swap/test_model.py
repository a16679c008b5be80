from pathlib import Path

import numpy as np
import pytest
import torch

from mien.models.swap_model import FILE, SwapModel, add_person, load_model, new_net, save_model
from mien.weights import find

needs_base = pytest.mark.skipif(find("swap-base") is None, reason="the bundled base is missing")


def test_what_is_saved_is_what_is_loaded(tiny: SwapModel, tmp_path: Path) -> None:
    save_model(tiny, tmp_path / FILE)
    again = load_model(tmp_path)
    assert again.people == tiny.people
    assert again.record == tiny.record
    x = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(again.net(x, "grace"), tiny.net.eval()(x, "grace"))


def test_a_model_cut_in_half_is_said_to_be_damaged(tiny: SwapModel, tmp_path: Path) -> None:
    save_model(tiny, tmp_path / FILE)
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"damaged"):
        load_model(tmp_path)


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no swap model at"):
        load_model(tmp_path)


def test_other_weights_are_no_model(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / FILE)
    with pytest.raises(ValueError, match=r"not a swap model"):
        load_model(tmp_path)


def test_names(tiny: SwapModel) -> None:
    assert tiny.person("Grace") == "grace"
    assert tiny.person("B") == "eileen"
    assert tiny.person("clips/eileen.mp4") == "eileen"
    with pytest.raises(ValueError, match=r"it knows grace, eileen"):
        tiny.person("z")


@needs_base
def test_every_new_person_starts_from_the_base() -> None:
    centres = {"a": np.full(128, 0.1, np.float32), "b": np.zeros(128, np.float32)}
    net = new_net("compact", centres)
    a, b = net.decoders["a"].state_dict(), net.decoders["b"].state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a if name != "who")
    assert torch.allclose(a["who"], torch.full((128,), 0.8))


def test_a_third_person_leaves_the_others_as_they_are(tiny: SwapModel) -> None:
    before = {name: value.clone() for name, value in tiny.net.state_dict().items()}
    add_person(tiny.net, "third", np.zeros(128), None)
    after = tiny.net.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert len(after) > len(before)


def test_an_unknown_network_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"compact, original"):
        new_net("huge", {})
