"""A checkpoint gives back what was put in, or says that it cannot."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mien.train.checkpoint as files
from mien.train import load_latest, read_checkpoint, save_checkpoint
from mien.train.checkpoint import flatten, unflatten
from mien.train.state import networks_state
from train_probe import Tiny, equal, train


def test_every_single_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 1, {"weight": torch.arange(3.0), "rate": 0.5, "name": "a"})
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ValueError, match="step-00000001"):
            read_checkpoint(path)
    path.write_bytes(whole)
    assert read_checkpoint(path).state["rate"] == 0.5


def test_no_readable_checkpoint(tmp_path: Path) -> None:
    assert load_latest(tmp_path) is None
    save_checkpoint(tmp_path, 5, {"a": 1}).write_bytes(b"")
    with pytest.raises(ValueError, match=r"none of the 1 checkpoints in .* is readable"):
        load_latest(tmp_path)


def test_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3, 9, 4):  # 9: from a past that was rolled back
        save_checkpoint(tmp_path, step, {"a": step}, keep=2)
    left = sorted(file.name for file in (tmp_path / "checkpoints").iterdir())
    assert left == ["step-00000003.safetensors", "step-00000004.safetensors"]


def test_full_disk_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Tiny()
    train(tmp_path, 3, task)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "save_file", full)
    with pytest.raises(OSError, match=r"step-00000006.*No space left on device.*earlier checkpoints are untouched"):
        train(tmp_path, 6, task)
    found = load_latest(tmp_path)
    assert found is not None
    assert found.step == 3
    assert not list((tmp_path / "checkpoints").glob(".*"))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
LEAVES = SCALARS | st.lists(st.floats(width=32, allow_nan=False), max_size=4).map(torch.tensor)
NESTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3)
    | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.integers(-3, 3) | st.sampled_from(["1", "a", "a/b", "tensor", "dict"]), inner, max_size=3),
    max_leaves=12,
)


@given(NESTS)
@settings(max_examples=60, deadline=None)
def test_flatten_round_trip(state: Any) -> None:
    tensors, tree = flatten(state)
    assert equal(unflatten(tensors, tree), state)


def test_state_of_everything_survives_the_file(tmp_path: Path) -> None:
    task = Tiny()
    train(tmp_path / "run", 2, task)
    half = torch.ones(2, 3, dtype=torch.bfloat16)
    state = {
        "networks": networks_state(task),
        "numpy": np.random.get_state(),
        "half": half,
        "same memory": [half, half.t()],
        "scalar": torch.tensor(3),
        "empty": torch.zeros(0, 4),
        "bits": torch.tensor([True, False]),
        "infinite": float("inf"),
    }
    assert equal(read_checkpoint(save_checkpoint(tmp_path, 2, state)).state, state)
    with pytest.raises(TypeError, match="cannot keep a/b: set"):
        save_checkpoint(tmp_path, 3, {"a": {"b": {1}}})
