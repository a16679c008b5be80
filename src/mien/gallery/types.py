"""What goes into a gallery and what comes out: frozen dataclasses; no torch, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Record:
    """One vector of a person and what it came from."""

    vector: np.ndarray
    """(D,) float32."""
    source: str = ""
    """Where the photo came from, as told."""
    crop: bytes = b""
    """JPEG of the aligned face."""
    picture: bytes = b""
    """The photo's file where it is to be kept, else empty."""
    quality: float = 0.0
    id: int = 0
    """The gallery's number for it: 0 until it is enrolled."""


@dataclass(frozen=True)
class Person:
    """Somebody the gallery knows."""

    name: str
    vectors: int
    added: str
    """ISO 8601, UTC, as all times here."""
    updated: str
    consent: str = ""
    keep_until: str = ""
    """Nobody is recognised after this time; empty: no limit."""


@dataclass(frozen=True)
class Hit:
    """A person near a vector, by the nearest of their vectors."""

    name: str
    distance: float
    """Euclidean, of the stored float32 vectors."""
    record: int
    source: str = ""


@dataclass(frozen=True)
class Entry:
    """One line of the audit log."""

    at: str
    who: str
    """The operating system's name of the user who asked."""
    action: str
    subject: str
    detail: str


@dataclass(frozen=True)
class Check:
    """One thing looked at after a deletion."""

    what: str
    ok: bool
    found: str = ""

    def __str__(self) -> str:
        return f"{'ok    ' if self.ok else 'FAILED'}  {self.what}{': ' + self.found if self.found else ''}"


@dataclass(frozen=True)
class Receipt:
    """What `forget` deleted, and the proof. It names the person, so it is returned and kept nowhere."""

    number: str
    name: str
    at: str
    vectors: int
    crops: int
    pictures: int
    entries: int
    """Of the search index of this process."""
    log_lines: int
    """Lines of the audit log that mentioned the name, rewritten without it."""
    bytes: int
    """Of vectors, crops and pictures."""
    checks: tuple[Check, ...] = ()
    beyond: str = ""
    """What no check can see."""

    @property
    def proved(self) -> bool:
        """True where every check passed."""
        return all(check.ok for check in self.checks)

    def __str__(self) -> str:
        deleted = (f"{self.vectors} vectors, {self.crops} crops, {self.pictures} pictures, {self.entries} index entries "
                   f"({self.bytes:,} bytes); {self.log_lines} log lines made nameless")
        verdict = f"nothing is left ({self.beyond})" if self.proved else "NOT PROVED: see the failed checks"
        lines = [f"Receipt {self.number}, {self.at}: {self.name} forgotten", f"  deleted  {deleted}"]
        return "\n".join([*lines, *(f"  {check}" for check in self.checks), f"  {verdict}"])


def iso(when: datetime | None = None) -> str:
    """UTC to the second, so that times compare as text."""
    return (when or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
