"""What grouping an archive gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Group:
    """Faces held to be one person's, the most typical first."""

    name: str
    """g and its number, which it keeps from run to run; "poor": faces too poor to decide by."""
    ids: tuple[str, ...]
    photos: tuple[str, ...]
    """Every photo with one of them, copies too, below the archive's folder."""
    files: tuple[str, ...]
    """Their crops, below `Clustered.out`."""

    @property
    def faces(self) -> int:
        """How many."""
        return len(self.ids)


@dataclass(frozen=True)
class LeftOut:
    """A photo that nobody was found in."""

    photo: str
    why: str


@dataclass(frozen=True)
class Clustered:
    """An archive in groups."""

    out: Path
    photos: int
    looked: int
    """Photos that were new or changed, and so were searched for faces in this run."""
    faces: int
    """A photo's copies count once."""
    groups: tuple[Group, ...]
    """The largest first; those too poor last."""
    left_out: tuple[LeftOut, ...]
    files: tuple[str, ...]
    """Below `out`."""

    def __str__(self) -> str:
        people = [group for group in self.groups if group.name != "poor"]
        alone, poor = sum(group.faces == 1 for group in people), self.faces - sum(group.faces for group in people)
        said = (f"{self.out / 'index.html'}: {self.faces} faces in {self.photos} photos ({self.looked} looked at now), "
                f"{len(people)} groups, {alone} of one face; {poor} too poor to decide by")  # fmt: skip
        return said + (f"\n{len(self.left_out)} photos without a face or unreadable (index.html names them)" if self.left_out else "")


@dataclass(frozen=True)
class Doubt:
    """Two groups that may be one person."""

    one: str
    other: str
    distance: float
    """Root mean square over all pairs of their faces."""
