"""What is finished of a long piece of work, beside the file it will become: a run that was stopped goes on from there."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

RECORD = 12
"""Bytes before a part: its length (8) and its CRC-32."""


class Parts:
    """`with Parts(path, job) as parts: parts.append(data)`; the parts are in `.NAME.part-rows` until the block succeeds.

    Stopped by Ctrl-C or killed, the file stays, and the next run of the same `job` finds the parts; parts of another job, or damaged
    ones, are thrown away. After an error nothing stays.
    """

    def __init__(self, path: Path, job: Mapping[str, object]) -> None:
        """`job`: what is being made, from what and how, as JSON takes it."""
        self.path = path.with_name(f".{path.name}.part-rows")
        self.done = 0
        """Parts that are there."""
        self._head = json.dumps(job, sort_keys=True).encode() + b"\n"

    def __enter__(self) -> Parts:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("r+b" if self.path.exists() else "w+b")
        if self._file.read(len(self._head)) != self._head:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(self._head)
            return self
        end = len(self._head)
        while (part := self._next()) is not None:
            end += RECORD + len(part)
            self.done += 1
        self._file.seek(end)
        self._file.truncate()
        return self

    def append(self, data: memoryview | bytes) -> None:
        """One more part, on the disk before this returns."""
        data = memoryview(data).cast("B")
        self._file.write(len(data).to_bytes(8, "big") + zlib.crc32(data).to_bytes(4, "big"))
        self._file.write(data)
        self._file.flush()
        self.done += 1

    def __iter__(self) -> Iterator[bytes]:
        """All parts, in order. RuntimeError where another process has written between them."""
        self._file.seek(len(self._head))
        for _ in range(self.done):
            part = self._next()
            if part is None:
                raise RuntimeError(f"{self.path} was changed by another process: run it again, one at a time")
            yield part

    def _next(self) -> bytes | None:
        """The part that begins here, if it is all there."""
        record = self._file.read(RECORD)
        length = int.from_bytes(record[:8], "big")
        if len(record) < RECORD or length > os.fstat(self._file.fileno()).st_size - self._file.tell():
            return None
        part = self._file.read(length)
        return part if zlib.crc32(part).to_bytes(4, "big") == record[8:] else None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        stopped = kind is not None and not issubclass(kind, Exception)
        try:
            self._file.close()
        finally:
            if not (stopped and self.done):
                self.path.unlink(missing_ok=True)
