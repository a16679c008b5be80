"""One process at a time in a folder: a lock that goes with its process, however that ends."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mien.data.files import no_empty_folders
from mien.progress import say

NAME = ".lock"
BUSY = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
"""What a system answers when somebody else holds the lock; anything else means that it has no locks."""
BEYOND = 1 << 20
"""The byte that is locked on Windows, where a locked byte cannot be read: behind the text."""

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        file.seek(BEYOND)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(folder: Path, busy: str) -> Iterator[None]:
    """Hold `folder` (made where it is missing) until the block or the process ends, killed or not.

    RuntimeError where another process holds it: `busy`, "by process 4711", and what to do. Where the file system has no locks a
    line says so, and the block runs all the same.
    """
    with no_empty_folders(folder, *folder.parents):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / NAME
        file = _held(path, busy)
        try:
            yield
        finally:
            if sys.platform != "win32":  # while it is still held: nobody else's is removed
                path.unlink(missing_ok=True)
            file.close()
            if sys.platform == "win32":  # cannot be removed while it is open, by anybody
                with suppress(OSError):
                    path.unlink(missing_ok=True)


def _held(path: Path, busy: str) -> IO[bytes]:
    """The lock file, open and locked."""
    while True:
        file = path.open("a+b")
        try:
            _take(file)
        except OSError as error:
            if error.errno in BUSY:
                file.seek(0)
                who = file.read().decode(errors="replace").strip()
                file.close()
                busy = f"{busy} by process {who}" if who else busy
                raise RuntimeError(f"{busy} already: wait until it ends or stop it, or name another folder") from None
            say(f"{path.parent} cannot be locked ({error.strerror}): take care that no other process uses it")
            return file
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                file.truncate(0)
                file.write(str(os.getpid()).encode())
                file.flush()
                return file
        file.close()  # whoever held it before has just removed it: this one nobody else would see
