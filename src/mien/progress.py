"""Progress on stderr: a bar with the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType


class Progress:
    """`with Progress("extract", total=200) as bar: bar.advance(note="3 faces")`. `total` None: only a count."""

    def __init__(self, label: str, total: float | None = None, unit: str = "", every: float = 5.0) -> None:
        """`every`: seconds between lines where stderr is not a terminal."""
        self.label, self.total, self.unit, self.done, self.note = label, total, unit, 0.0, ""
        self._start = self._shown = time.monotonic()
        self._every = 0.1 if sys.stderr.isatty() else every

    def __enter__(self) -> Progress:
        return self

    def advance(self, by: float = 1.0, note: str = "") -> None:
        """Count `by` more units; `note` replaces the last one."""
        self.set(self.done + by, note)

    def set(self, done: float, note: str = "") -> None:
        """Stand at `done` units."""
        self.done, self.note = done, note or self.note
        now = time.monotonic()
        if now - self._shown >= self._every:
            self._shown = now
            self._write()

    def line(self) -> str:
        """What is shown now."""
        spent = time.monotonic() - self._start
        if not self.total:
            return f"{self.label}: {self.done:g} {self.unit} {self.note}".rstrip()
        share = min(self.done / self.total, 1.0)
        left = f"{clock(spent * (1 - share) / share)} left" if share > 0 else "starting"
        bar = "█" * round(20 * share) + "░" * (20 - round(20 * share))
        return f"{self.label} {bar} {share:4.0%} {left}  {self.note}".rstrip()

    def _write(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[2K{self.line()}")
        else:
            sys.stderr.write(self.line() + "\n")
        sys.stderr.flush()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._write()
        if sys.stderr.isatty():
            sys.stderr.write("\n")


def say(text: str) -> None:
    """One line to the person, on stderr."""
    print(text, file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """`75 -> 1:15`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
