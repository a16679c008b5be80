"""What generating gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
        sealed = ", signed and labelled as generated" if self.signed else ""
        return (f"{self.output}: {self.count} pictures by {self.model} ({self.network}), seed {self.seed}, "
                f"{self.count / max(self.seconds, 1e-9):.3g} a second{sealed}")  # fmt: skip


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
        sealed = ", signed and labelled as generated" if self.signed else ""
        return (f"{self.output}: {self.frames} frames by {self.model} ({self.network}) past {self.count} pictures and back, "
                f"seed {self.seed}, {self.frames / max(self.seconds, 1e-9):.3g} a second{sealed}")  # fmt: skip


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
        sealed = ", signed and labelled as generated" if self.signed else ""
        return (f"{self.output}: {self.count} pictures by {self.model} ({self.network}), seed {self.seed}, "
                f"{self.count / max(self.seconds, 1e-9):.3g} a second{sealed}")  # fmt: skip


@dataclass(frozen=True)
class Likely:
    """How well a generator foresees pictures that it did not learn from."""

    model: str
    network: str
    nats: float
    """-log p(x) a picture, mean; of a VAE estimated by importance from `samples` draws."""
    bound: float | None
    """Of a VAE: the bound it was trained by."""
    bits: float
    """A pixel."""
    samples: int | None
    images: int
    protocol: str

    def __str__(self) -> str:
        more = f" (bound {self.bound:.2f}; {self.samples} samples each)" if self.bound is not None else ""
        return f"{self.model} ({self.network}): {self.nats:.2f} nats a picture{more}, {self.bits:.4f} bits a pixel; {self.protocol}"
