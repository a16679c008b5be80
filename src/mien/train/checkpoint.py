"""One file a checkpoint: tensors as safetensors, the rest as JSON in its header, a CRC-32 for each; no pickle."""

from __future__ import annotations

import json
import os
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mien.data.files import atomic
from mien.progress import say

CHECKPOINTS = "checkpoints"
"""The folder inside a run's."""
NAME = re.compile(r"step-(\d+)\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as read back."""

    path: Path
    step: int
    state: dict[str, Any]
    """Nested as it was saved; tensors on the CPU."""


def save_checkpoint(run: Path, step: int, state: dict[str, Any], keep: int = 3) -> Path:
    """Write `run/checkpoints/step-00000012.safetensors` atomically, then remove all but the newest `keep`.

    `state`: dicts (keys text or whole numbers), lists, tuples, numbers, text, None, tensors, arrays; anything else is a
    TypeError. OSError when the disk is full: what was there before is untouched.
    """
    folder = Path(run) / CHECKPOINTS
    path = folder / f"step-{step:08}.safetensors"
    for draft in folder.glob(".step-*.part.safetensors"):  # left by a run that was killed while it saved
        draft.unlink(missing_ok=True)
    tensors, tree = flatten(state)
    text = json.dumps({"step": step, "state": tree, "crc32": {name: _crc(tensor) for name, tensor in tensors.items()}})
    try:
        with atomic(path) as draft:
            save_file(tensors, draft, metadata={"mien": text, "mien_crc32": str(zlib.crc32(text.encode()))})
    except (OSError, SafetensorError) as error:  # safetensors wraps the system's error
        raise OSError(f"cannot save {path}: {error} (earlier checkpoints are untouched)") from error
    _sync_folder(folder)
    # A file of a later step is one that could not be read, or one that was rolled back: it must not outlive this one.
    older = [file for file in _files(run) if file != path and _step(file) < step]
    for file in {*_files(run)} - {path, *older[: max(keep - 1, 0)]}:
        file.unlink(missing_ok=True)
    return path


def read_checkpoint(path: Path) -> Checkpoint:
    """Read and verify one file; ValueError when it is cut short, changed or not a checkpoint."""
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole checkpoint (cut short or damaged): {error}") from error
    text = metadata.get("mien")
    if text is None:
        raise ValueError(f"{path} is a safetensors file, but not a checkpoint of mien")
    if str(zlib.crc32(text.encode())) != metadata.get("mien_crc32"):
        raise ValueError(f"{path} is damaged: its header does not match its checksum")
    content = json.loads(text)
    damaged = [name for name, crc in content["crc32"].items() if name not in tensors or _crc(tensors[name]) != crc]
    if damaged:
        raise ValueError(f"{path} is damaged: {len(damaged)} tensors do not match their checksums, first {damaged[0]}")
    return Checkpoint(Path(path), content["step"], unflatten(tensors, content["state"]))


def load_latest(run: Path) -> Checkpoint | None:
    """The newest readable checkpoint of a run, None where there is none; ValueError when none of them is readable."""
    files = _files(run)
    for number, file in enumerate(files):
        try:
            return read_checkpoint(file)
        except ValueError as error:
            say(f"{error}{'; taking the one before' if number + 1 < len(files) else ''}")
    if files:
        raise ValueError(f"none of the {len(files)} checkpoints in {files[0].parent} is readable; use an empty folder")
    return None


def latest_step(run: Path) -> int | None:
    """The step of the newest checkpoint, unread; None where there is none."""
    files = _files(run)
    return _step(files[0]) if files else None


def flatten(state: Any) -> tuple[dict[str, Tensor], Any]:
    """Nested state -> (tensors by path, the same nest as JSON); types of keys, tuples, arrays survive `unflatten`."""
    tensors: dict[str, Tensor] = {}
    owned: set[int] = set()

    def put(tensor: Tensor, where: str) -> str:
        while where in tensors:  # keys 1 and "1" of one dict
            where += "'"
        tensor = tensor.detach().cpu().contiguous()
        if tensor.untyped_storage().data_ptr() in owned:  # safetensors refuses shared memory
            tensor = tensor.clone()
        owned.add(tensor.untyped_storage().data_ptr())
        tensors[where] = tensor
        return where

    def pack(value: Any, where: str) -> Any:
        match value:
            case None | bool() | str():
                return value
            case Tensor():
                return {"tensor": put(value, where)}
            case np.ndarray():
                return {"array": put(torch.from_numpy(value.copy()), where)}
            case np.generic():
                return value.item()
            case int() | float():
                return value
            case dict() if all(type(key) in (str, int) for key in value):
                return {"dict": [[key, pack(item, f"{where}/{key}".lstrip("/"))] for key, item in value.items()]}
            case tuple() | list():
                items = [pack(item, f"{where}/{number}") for number, item in enumerate(value)]
                return {"tuple": items} if isinstance(value, tuple) else items
        raise TypeError(f"a checkpoint cannot keep {where}: {type(value).__name__}")

    return tensors, pack(state, "")


def unflatten(tensors: dict[str, Tensor], tree: Any) -> Any:
    """Put together what `flatten` took apart."""
    match tree:
        case {"tensor": name}:
            return tensors[name]
        case {"array": name}:
            return tensors[name].numpy()
        case {"dict": pairs}:
            return {key: unflatten(tensors, item) for key, item in pairs}
        case {"tuple": items}:
            return tuple(unflatten(tensors, item) for item in items)
        case list():
            return [unflatten(tensors, item) for item in tree]
    return tree


def _crc(tensor: Tensor) -> int:
    return zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data)


def _step(file: Path) -> int:
    found = NAME.fullmatch(file.name)
    assert found
    return int(found[1])


def _files(run: Path) -> list[Path]:
    """Checkpoints, newest first."""
    folder = Path(run) / CHECKPOINTS
    files = [file for file in folder.glob("step-*.safetensors") if NAME.fullmatch(file.name)]
    return sorted(files, key=_step, reverse=True)


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself last; systems that cannot open a folder need no such thing."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def averaged(run: Path, name: str = "net") -> dict[str, Tensor]:
    """A network's averaged weights of a run's last checkpoint.

    Raises ValueError where the run has no checkpoint.
    """
    checkpoint = load_latest(run)
    if checkpoint is None:
        raise ValueError(f"no checkpoint in {run}: train first (--minutes)")
    return checkpoint.state["networks"]["averages"][name]["module"]


def compact(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights as they are bundled: bfloat16 but for vectors and batch statistics."""
    wide = {key for key, value in state.items() if value.is_floating_point() and value.ndim > 1}
    return {key: (value.to(torch.bfloat16) if key in wide else value).contiguous() for key, value in state.items()}
