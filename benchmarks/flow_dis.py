"""Dense optical flow DIS (Kroeger et al. 2016) given both pictures, against the true field: what `benchmarks/tamper.py` compares with.

    python -m venv peer && peer/bin/pip install opencv-python-headless
    peer/bin/python benchmarks/flow_dis.py PAIRS                 # PAIRS/*.npz: before, after (S, S, 3) uint8, field (2, S / 4, S / 4)

Runs without mien. Prints, for each preset, every pair's mean end-point error over cells of 4 x 4 pixels, in pixels of the crop.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2  # pyright: ignore[reportMissingImports]
import numpy as np

PRESETS = {"ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST, "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
           "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM}  # fmt: skip


def main() -> None:
    """One JSON object."""
    cv2.setNumThreads(1)
    errors: dict[str, list[float]] = {name: [] for name in PRESETS}
    for file in sorted(Path(sys.argv[1]).glob("*.npz")):
        with np.load(file) as pair:
            before, after = (cv2.cvtColor(pair[name], cv2.COLOR_RGB2GRAY) for name in ("before", "after"))
            field = pair["field"].astype(np.float32)
        for name, preset in PRESETS.items():
            flow = cv2.DISOpticalFlow_create(preset).calc(after, before, None)  # content now at p came from p + flow(p)
            small = cv2.resize(flow, field.shape[:0:-1], interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
            errors[name].append(float(np.hypot(*(small - field)).mean()))
    print(json.dumps({"opencv": cv2.__version__, "errors": errors}))


if __name__ == "__main__":
    main()
