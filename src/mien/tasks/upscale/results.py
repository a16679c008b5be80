"""What enlarging and measuring give back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Image:
    """One picture's score."""

    name: str
    psnr: float
    """dB."""
    ssim: float


@dataclass(frozen=True)
class Evaluated:
    """An enlarger on a folder of pictures; means over pictures on top."""

    model: str
    scale: int
    psnr: float
    """dB."""
    ssim: float
    protocol: str
    images: tuple[Image, ...]

    def __str__(self) -> str:
        width = max(len(one.name) for one in self.images)
        rows = [f"{one.name:{width}}  {one.psnr:6.2f} dB  {one.ssim:.4f}" for one in self.images]
        return "\n".join([*rows, f"{f'mean of {len(self.images)}':{width}}  {self.psnr:6.2f} dB  {self.ssim:.4f}", self.protocol])


@dataclass(frozen=True)
class Enlarged:
    """What was made of a picture."""

    input: Path
    output: Path
    model: str
    scale: int
    width: int
    """Of the result, pixels."""
    height: int
    channels: int
    """1 grey, 2 grey and alpha, 3 RGB, 4 RGBA."""
    depth: int
    """Bits a channel."""
    tiles: int
    memory: int
    """Bytes of the process at most, as predicted."""
    predicted: float
    """Seconds, before the start."""
    seconds: float
    resumed: int
    """Rows of the result that an earlier run had left."""
    signed: bool

    def __str__(self) -> str:
        going = f", {self.resumed} rows by an earlier run" if self.resumed else ""
        sealed = ", signed" if self.signed else ""
        made = f"{self.width} x {self.height}, {self.model} x{self.scale}, {self.seconds:g} s{going}{sealed}"
        return f"{self.input} -> {self.output}: {made}"


@dataclass(frozen=True)
class Moved:
    """What was made of a video."""

    input: Path
    output: Path
    model: str
    scale: int
    width: int
    """Of the result, pixels."""
    height: int
    frames: int
    """Enlarged by this run."""
    resumed: int
    """Frames that an earlier run had left."""
    sound: bool
    seconds: float
    frames_per_second: float
    signed: bool

    def __str__(self) -> str:
        sealed = ", signed" if self.signed else ""
        return (f"{self.input} -> {self.output}: {self.frames + self.resumed} frames of {self.width} x {self.height}, "
                f"{self.model} x{self.scale}, {self.frames_per_second:g} frames a second{sealed}")


@dataclass(frozen=True)
class Folder:
    """What was made of a folder."""

    input: Path
    output: Path
    model: str
    scale: int
    made: tuple[Enlarged | Moved, ...]
    there: int
    """Files that an earlier run had made."""
    skipped: tuple[str, ...]
    """A line for every file that could not be enlarged."""
    seconds: float

    def __str__(self) -> str:
        lines = [str(one) for one in self.made]
        there = f", {self.there} were there already" if self.there else ""
        return "\n".join([*lines, *(f"skipped: {line}" for line in self.skipped), f"{len(self.made)} enlarged{there}"])
