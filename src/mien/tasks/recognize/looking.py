"""Looking through an archive: faces of what is new or changed, kept as they come."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Protocol

from mien.faces.probe import Probe, Unread
from mien.progress import Progress
from mien.tasks.recognize.contents import Contents, Stamp

SAVE = 15.0
"""Seconds of looking that a killed run may lose."""


class Looks(Protocol):
    """What finds and describes faces: a `mien.faces.probe.Prober`."""

    def photos(self, paths: Iterable[Path]) -> Iterator[tuple[Path, list[Probe] | Unread]]:
        """Every photo in order with its faces, the largest first."""
        ...


class Looking:
    """Photos as they are now, and what speaks against those that give no face."""

    def __init__(self, contents: Contents, found: dict[str, Path]) -> None:
        """`found`: every photo by its path below the archive's folder."""
        self.contents, self.found, self.looked = contents, found, 0
        self._now: dict[str, Stamp] = {}
        self._why: dict[str, str] = {}
        self._asked: dict[Path, tuple[str, Stamp]] = {}
        """Photos handed over to be looked at."""
        self._copies: list[tuple[str, Stamp]] = []
        """Photos of a content that is being looked at."""

    def run(self, looks: Callable[[], Looks]) -> None:
        """Look; what is known is saved however it ends. `looks` is called where there is anything to look at."""
        saved = time.monotonic()
        try:
            with Progress("looking", total=len(self.found), unit="photos") as bar:
                paths = self._fresh(bar)
                first = list(next(([path] for path in paths), []))
                for path, probes in looks().photos(chain(first, paths)) if first else ():
                    self._take(path, probes)
                    bar.advance(note=path.name)
                    if time.monotonic() - saved >= SAVE:
                        self.contents.save()
                        saved = time.monotonic()
        finally:
            self.contents.save()
        for name, stamp in self._copies:
            self._note(name, stamp)
        self.contents.keep_only({name: self._now[name] for name in self.found if name in self._now})

    def left_out(self) -> list[tuple[str, str]]:
        """Photos without a face or unreadable, and why."""
        none = {name: "no face" for name, stamp in self._now.items() if not self.contents.faces[stamp.content]}
        why = self._why | none
        return [(name, why[name]) for name in self.found if name in why]

    def _fresh(self, bar: Progress) -> Iterator[Path]:
        """What has to be looked at."""
        for name, path in self.found.items():
            try:
                stamp = _stamp(name, path, self.contents.photos.get(name))
            except OSError as error:
                self._why[name] = f"cannot be read: {error.strerror}"
            except UnicodeEncodeError:
                self._why[name] = "its name is not UTF-8: give it another"
            else:
                if stamp.content in self.contents.faces:
                    self._note(name, stamp)
                elif any(stamp.content == other.content for _, other in self._asked.values()):
                    self._copies.append((name, stamp))
                else:
                    self._asked[path] = (name, stamp)
                    yield path
                    continue
            bar.total = (bar.total or 1) - 1  # took no time, so says nothing of the time left

    def _take(self, path: Path, probes: list[Probe] | Unread) -> None:
        name, stamp = self._asked.pop(path)
        self.looked += 1
        if isinstance(probes, Unread):
            self._why[name] = probes.why.removeprefix(f"{path} ")
        else:
            self.contents.add(stamp.content, probes)
            self._note(name, stamp)

    def _note(self, name: str, stamp: Stamp) -> None:
        if stamp.content in self.contents.faces:
            self._now[name] = self.contents.photos[name] = stamp
        else:
            self._why[name] = "a copy of a photo that cannot be read"


def _stamp(name: str, path: Path, before: Stamp | None) -> Stamp:
    """Reads the file only where size or time differ. Raises OSError, and UnicodeEncodeError for a name that cannot be noted."""
    name.encode()
    state = path.stat()
    if before and (before.bytes, before.modified) == (state.st_size, state.st_mtime_ns):
        return before
    with path.open("rb") as file:
        return Stamp(state.st_size, state.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest())
