"""The trained inspector as it is used: crops in, probabilities, fields and reliabilities out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from mien.models.inspector import Inspected, Inspector
from mien.nn.fuse import fused
from mien.tasks.inspect.calibrated import Calibration, facts

NAME = "mien-inspect"
"""Of the bundled weights' card."""
HEAD = "inspector"
"""Key of the file's header under which a JSON object says the temperature, and what `calibrating` has fitted."""


@dataclass(frozen=True)
class Looked:
    """What was seen in B crops of S x S pixels."""

    probabilities: np.ndarray
    """(B, 3) float32, in the order of `mien.models.inspector.CLASSES`; calibrated on people the network did not learn from."""
    field: np.ndarray
    """(B, 2, S, S) float32: content now at p came from p + field(p), in pixels of the crop."""
    reliability: np.ndarray
    """(B, S, S) float32 in 0..1: the chance that the field there is off by less than a pixel."""
    moved: np.ndarray
    """(B, S, S) float32 in 0..1: how surely content there was moved at all; not calibrated."""


class Looker:
    """A network and what makes its probabilities true, from one file."""

    def __init__(self, path: Path, device: torch.device | None = None) -> None:
        """Raises ValueError where the file is none of `mien.tasks.inspect.training`."""
        self.device = device or torch.device("cpu")
        state, self.temperature, self.calibration = read(path)
        net = Inspector()
        try:
            net.load_state_dict(state)
        except RuntimeError as error:
            raise ValueError(f"{path} holds another network than the inspector ({str(error).splitlines()[-1].strip()})") from None
        self.net = fused(net.eval()).to(self.device)

    @torch.inference_mode()
    def tell(self, crops: np.ndarray) -> Inspected:
        """(B, S, S, 3) uint8 -> the network's own words."""
        x = torch.from_numpy(np.array(crops, order="C")).to(self.device).permute(0, 3, 1, 2).float() / 255
        return self.net(x.contiguous(memory_format=torch.channels_last))

    def look(self, crops: np.ndarray, quality: int | None = None) -> Looked:
        """(B, S, S, 3) uint8 RGB, S a multiple of 16 -> what is seen. `quality`: IJG, of their file, where it is a JPEG."""
        told = self.tell(crops)
        known = np.stack([facts(crop, quality) for crop in crops])
        believed = torch.from_numpy(self.calibration(told.logits.cpu().numpy(), known))
        chances = torch.softmax(believed, 1).float().numpy()
        reliability, moved = (part[:, 0].sigmoid() for part in (told.reliability, told.moved))
        return Looked(chances, *(part.cpu().numpy() for part in (told.field, reliability, moved)))


def read(path: Path) -> tuple[dict[str, Tensor], float, Calibration]:
    """Weights in float32, the temperature (1 where none was measured), and the calibration: that temperature where none was fitted."""
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
            told = json.loads((file.metadata() or {}).get(HEAD, "{}"))
    except Exception as error:
        raise ValueError(f"{path} is no safetensors file ({error})") from None
    state = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    temperature = float(told.get("temperature", 1.0))
    if "calibration" not in told:
        return state, temperature, Calibration.plain(temperature)
    try:
        return state, temperature, Calibration.read(told["calibration"])
    except ValueError as error:
        raise ValueError(f"{path} cannot be used: {error}; calibrate it again (mien.tasks.inspect.calibrating)") from None
