"""What a run listens to: Ctrl-C, a score that has stopped rising, TensorBoard."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from mien.progress import say


class Stop:
    """`asked` turns true on the first Ctrl-C or SIGTERM."""

    asked = False


@contextmanager
def graceful_stop() -> Iterator[Stop]:
    """The first SIGINT or SIGTERM is noted, the second acts as usual; only in the main thread."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        stop.asked = True
        restore()
        os.write(2, b"\nfinishing this step and saving (again: stop at once)\n")  # print may be busy: not reentrant

    for number in usual:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        restore()


def plateau(scores: Sequence[float], patience: int = 5, least_gain: float = 0.002) -> bool:
    """Whether the best of the last `patience` scores is less than `least_gain` above the best before them."""
    return len(scores) > patience and max(scores[-patience:]) < max(scores[:-patience]) + least_gain


class Board:
    """TensorBoard's curves in a folder; without the package one line says so and nothing is written."""

    def __init__(self, folder: Path, step: int) -> None:
        """`step`: where the run goes on; later points of an earlier attempt are hidden."""
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError:
            say("tensorboard is not installed: no curves are written (pip install tensorboard)")
            self._writer = None
        else:
            self._writer = SummaryWriter(str(folder), purge_step=step or None)

    def add(self, step: int, values: dict[str, float]) -> None:
        """One point on each named curve."""
        for name, value in values.items():
            if self._writer:
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left."""
        if self._writer:
            self._writer.close()
