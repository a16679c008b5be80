"""What generating gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


def _rate(count: int, seconds: float, signed: bool) -> str:
    sealed = ", signed and labelled as generated" if signed else ""
    return f"{count / max(seconds, 1e-9):.3g} a second{sealed}"


@dataclass(frozen=True)
class Generated:
    """A sheet of drawn pictures."""

    output: Path
    model: str
    network: str
    count: int
    side: int
    """Pixels of one picture's side on the sheet."""
    seed: int
    seconds: float
    """For drawing alone."""
    signed: bool

    def __str__(self) -> str:
        return (f"{self.output}: {self.count} pictures by {self.model} ({self.network}), seed {self.seed}, "
                f"{_rate(self.count, self.seconds, self.signed)}")  # fmt: skip


@dataclass(frozen=True)
class Walked:
    """A film of a walk from picture to picture."""

    output: Path
    model: str
    network: str
    count: int
    """Pictures that it passes."""
    frames: int
    side: int
    """Pixels."""
    seed: int
    seconds: float
    """For drawing alone."""
    signed: bool

    def __str__(self) -> str:
        return (f"{self.output}: {self.frames} frames by {self.model} ({self.network}) past {self.count} pictures and back, "
                f"seed {self.seed}, {_rate(self.frames, self.seconds, self.signed)}")  # fmt: skip


@dataclass(frozen=True)
class Scattered:
    """A folder of single pictures."""

    output: Path
    model: str
    network: str
    count: int
    side: int
    """Pixels."""
    seed: int
    drawing: float
    """Seconds for drawing alone."""
    seconds: float
    signed: bool

    def __str__(self) -> str:
        return (f"{self.output}: {self.count} pictures by {self.model} ({self.network}), seed {self.seed}, "
                f"{_rate(self.count, self.seconds, self.signed)}")  # fmt: skip


@dataclass(frozen=True)
class Likely:
    """How well a generator foresees pictures that it did not learn from."""

    nats: float
    """-log p(x) a picture, mean; of a VAE estimated by importance from `samples` draws."""
    bound: float | None
    """Of a VAE: the bound it was trained by."""
    bits: float
    """A pixel."""
    samples: int | None
    protocol: str

    def __str__(self) -> str:
        more = f" (bound {self.bound:.2f}; {self.samples} samples each)" if self.bound is not None else ""
        return f"{self.nats:.2f} nats a picture{more}, {self.bits:.4f} bits a pixel; {self.protocol}"


@dataclass(frozen=True)
class Scored:
    """A score, and what real pictures get: the best that can be hoped for."""

    name: str
    """With the extractor and the beginning of its file's hash."""
    value: float
    training: float | None
    """Of training pictures, scored the same way."""
    protocol: str


@dataclass(frozen=True)
class Evaluated:
    """A generator, measured."""

    model: str
    network: str
    likely: Likely | None
    """None of a network that tells no probabilities."""
    images: int
    """Real pictures it was compared with."""
    scores: tuple[Scored, ...]
    neighbours: Path | None

    def __str__(self) -> str:
        lines = [f"{self.model} ({self.network})"] + ([f"  {self.likely}"] if self.likely else [])
        wide = max((len(one.name) for one in self.scores), default=0)
        for one in self.scores:
            best = "" if one.training is None else f"   training pictures {one.training:9.4f}"
            lines.append(f"  {one.name:{wide}}  {one.value:9.4f}{best}")
        lines += [f"  ({protocol})" for protocol in dict.fromkeys(one.protocol for one in self.scores)]
        return "\n".join(lines + ([f"  {self.neighbours}: samples above, nearest training pictures below"] if self.neighbours else []))


@dataclass(frozen=True)
class Encoded:
    """Latent numbers of pictures, in a file."""

    output: Path
    model: str
    count: int
    latent: int
    """Numbers of a picture: as many means and as many deviations."""

    def __str__(self) -> str:
        return f"{self.output}: {self.count} pictures as {self.latent} means and deviations each, by {self.model}"


@dataclass(frozen=True)
class Reconstructed:
    """A sheet of pictures, and under each the same drawn from its latent numbers."""

    output: Path
    model: str
    count: int
    error: float
    """Root mean square of pixels in 0..1."""
    signed: bool

    def __str__(self) -> str:
        sealed = ", signed" if self.signed else ""
        return f"{self.output}: {self.count} pictures above what {self.model} makes of them, {self.error:.3f} apart{sealed}"


@dataclass(frozen=True)
class Plane:
    """A map of what a VAE draws."""

    output: Path
    model: str
    across: int
    """Tiles a side."""
    latent: int
    along: str
    """Which two directions."""
    signed: bool

    def __str__(self) -> str:
        sealed = ", signed and labelled as generated" if self.signed else ""
        return f"{self.output}: {self.across} x {self.across} tiles of equal probability along {self.along}, by {self.model}{sealed}"
