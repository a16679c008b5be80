"""The rows of a face set in the making: crops are cut and written on a second thread, embeddings made in batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from mien.data.pictures import write_picture
from mien.faces.align import COVER, align
from mien.faces.describe import Describer, chips
from mien.faces.faceset import FACES, SCHEMA
from mien.faces.find import Measured
from mien.faces.mesh import pose
from mien.faces.quality import sharpness
from mien.runtime import choose
from mien.types import Frame

BATCH = 64
"""Faces embedded at once."""
WINDOW = 5
"""Frames of a track that share one embedding, that of the sharpest."""
QUALITY = 96
PENDING, LARGE = 6, 32_000_000
"""Faces that wait for the second thread; a picture of more bytes is waited for, so that two never lie in memory."""


@dataclass
class Window:
    """Successive faces of one track, and the chip of the sharpest."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    sharpest: float = -1.0
    chip: Tensor | None = None

Align = Callable[[np.ndarray, np.ndarray, int, float], tuple[np.ndarray, np.ndarray]]
"""As `mien.faces.align.align`."""


class Harvest:
    """`with Harvest(folder, size) as harvest: harvest.add(...)`; `take()` gives all rows added since the last."""

    def __init__(self, folder: Path, size: int, align: Align = align) -> None:
        """`folder` receives the crops, `size` pixels on each side; `align`: how a face is cut out."""
        self.align = align
        self.folder, self.size, self.faces = folder, size, 0
        self._pool = ThreadPoolExecutor(1)
        self._pending: deque[tuple[Future[tuple[dict[str, Any], Tensor]], tuple[str, int] | None]] = deque()
        self._windows: dict[tuple[str, int], Window] = {}
        self._queue: list[Window] = []
        self._rows: list[dict[str, Any]] = []
        self._describer: Describer | None = None

    def __enter__(self) -> Harvest:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, source: str, prefix: str, frame: Frame, track: int, face: Measured, follows: bool) -> None:
        """One face of one frame; `follows`: the track goes on in other frames."""
        target = self.folder / f"{prefix}_{frame.index:06}_{track:03}.jpg"
        job = self._pool.submit(_row, source, frame, track, face, self.size, target, self.align)
        self._pending.append((job, (source, track) if follows else None))
        self.faces += 1
        while len(self._pending) > (PENDING if frame.image.nbytes < LARGE else 0):
            self._settle()

    def take(self) -> pa.Table:
        """Everything added, finished and on disk, in the order it was added."""
        while self._pending:
            self._settle()
        self._queue += self._windows.values()
        self._windows = {}
        self._describe()
        rows, self._rows = self._rows, []
        return pa.table([_column([row[f.name] for row in rows], f.type) for f in SCHEMA], schema=SCHEMA)

    def _settle(self) -> None:
        job, track = self._pending.popleft()
        row, chip = job.result()
        self._rows.append(row)
        window = Window() if track is None else self._windows.setdefault(track, Window())
        window.rows.append(row)
        if row["sharpness"] > window.sharpest:
            window.sharpest, window.chip = row["sharpness"], chip
        if track is None or len(window.rows) == WINDOW:
            self._queue.append(window)
            if track is not None:
                del self._windows[track]
        elif len(self._windows) > BATCH:  # tracks that have ended
            self._queue.append(self._windows.pop(next(iter(self._windows))))
        if len(self._queue) >= BATCH:
            self._describe()

    def _describe(self) -> None:
        if not self._queue:
            return
        self._describer = self._describer or Describer(choose().device, batch=BATCH)
        stacked = torch.stack([window.chip for window in self._queue if window.chip is not None])
        for window, vector in zip(self._queue, self._describer.vectors(stacked), strict=True):
            for row in window.rows:
                row["embedding"] = vector
        self._queue = []


def _row(
    source: str, frame: Frame, track: int, face: Measured, size: int, target: Path, align: Align
) -> tuple[dict[str, Any], Tensor]:
    """Write the crop; its row without the embedding, and the chip (3, 150, 150) to embed."""
    points = face.face.landmarks
    crop, matrix = align(frame.image, points, size, COVER)
    write_picture(target, crop, QUALITY)
    yaw, pitch, roll = pose(face.mesh)
    height, width = frame.image.shape[:2]
    row = {
        "file": f"{FACES}/{target.name}", "source": source, "frame": frame.index, "pts": frame.pts, "time": frame.time,
        "width": width, "height": height, "track": track, "person": -1, "score": face.face.score, "box": face.face.box,
        "landmarks": points.ravel(), "transform": matrix.ravel(), "sharpness": sharpness(crop), "size": face.face.size,
        "yaw": yaw, "pitch": pitch, "roll": roll, "kept": True,
    }  # fmt: skip
    return row, chips(frame.image, points[None])[0]


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_fixed_size_list(kind):
        return pa.array(values, kind)
    flat = np.asarray(values, np.float32).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), type=kind)
