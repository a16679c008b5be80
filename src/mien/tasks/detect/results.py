"""What detecting, checking and measuring give back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.data.box_faults import Fault
    from mien.metrics.coco import CocoScores
    from mien.metrics.localisation import Localised


@dataclass(frozen=True)
class ClassCount:
    """One class of a data set."""

    name: str
    boxes: int
    """That can be used."""
    pictures: int
    difficult: int


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault, and how often it was found."""

    kind: str
    level: str
    """"error": something is left out; "warning": it is used, but somebody should look."""
    count: int
    what: str
    then: str
    """What learning and scoring do."""
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """A data set of boxes, looked through."""

    source: Path
    kind: str
    """VOC or COCO."""
    pictures: int
    """That can be used."""
    left_out: int
    parts: dict[str, int]
    """What the files themselves name -> pictures."""
    classes: tuple[ClassCount, ...]
    errors: int
    warnings: int
    kinds: tuple[FaultKind, ...]
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        boxes = sum(one.boxes for one in self.classes)
        divided = ", ".join(f"{name} {count}" for name, count in self.parts.items()) or "not divided"
        out = f", {self.left_out} left out" if self.left_out else ""
        lines = [f"{self.source}: {self.kind}, {self.pictures} pictures{out}, {boxes} boxes; {divided}"]
        shown = [one for one in self.classes if one.boxes]
        width = max((len(one.name) for one in shown), default=0)
        for one in shown:
            hard = f", {one.difficult} difficult" if one.difficult else ""
            lines.append(f"  {one.name:{width}}  {one.boxes:6} boxes in {one.pictures} pictures{hard}")
        if len(shown) < len(self.classes):
            lines.append(f"  {len(self.classes) - len(shown)} more classes without a box")
        for one in self.kinds:
            lines += [f"{one.level}: {one.count} x {one.kind}: {one.what}; {one.then}", *(f"  {example}" for example in one.examples)]
            if one.count > len(one.examples):
                lines.append(f"  and {one.count - len(one.examples)} more (--json has them all)")
        lines.append(f"{self.errors} errors, {self.warnings} warnings" if self.kinds else "nothing is wrong with it")
        return "\n".join(lines)


@dataclass(frozen=True)
class ClassScore:
    """One class of a measurement; NaN where there is no object of it."""

    name: str
    objects: int
    """True ones that are not difficult."""
    ap50: float
    """Area below the curve at an overlap (IoU) of 0.5, VOC 2010 and later."""
    ap50_11: float
    """Mean of eleven points, VOC 2007."""
    ap: float
    """COCO: mean over ten overlaps."""
    precision: float
    """At the score from which on detections are shown."""
    recall: float


@dataclass(frozen=True)
class ErrorKind:
    """One kind of mistake."""

    kind: str
    count: int
    """Among the surest detections, as many as there are objects of their class; of "missed" the objects."""
    cost: float
    """What the mean AP at 0.5 would gain without it."""
    what: str


@dataclass(frozen=True)
class Evaluated:
    """A detector on pictures whose objects are known; means over classes on top."""

    model: str
    source: Path
    split: str
    pictures: int
    ap50: float
    """VOC 2010 and later: area below the curve, overlap 0.5."""
    ap50_11: float
    """VOC 2007: eleven points, overlap 0.5."""
    coco: CocoScores
    classes: tuple[ClassScore, ...]
    least: float
    """Score of `precision` and `recall`."""
    errors: tuple[ErrorKind, ...]
    localised: Localised | None
    """Where of every picture the largest object alone was asked for."""
    seconds: float | None
    """A picture, decoding left out; None for a file of results."""
    files: tuple[str, ...]

    def __str__(self) -> str:
        shown = [one for one in self.classes if one.objects]
        width = max((len(one.name) for one in shown), default=4)
        width = max(width, len("mean"))
        lines = [f"{self.model} on {self.pictures} pictures of {self.source} ({self.split})",
                 f"{'':{width}}  objects   AP50  AP50 of 11 points     AP  precision  recall (score {self.least:g})"]  # fmt: skip
        for one in shown:
            lines.append(f"{one.name:{width}}  {one.objects:7}  {one.ap50:5.3f}  {one.ap50_11:17.3f}  {one.ap:5.3f}  "
                         f"{one.precision:9.3f}  {one.recall:6.3f}")  # fmt: skip
        total = sum(one.objects for one in shown)
        lines.append(f"{'mean':{width}}  {total:7}  {self.ap50:5.3f}  {self.ap50_11:17.3f}  {self.coco.ap:5.3f}")
        sizes = (("small", self.coco.small), ("medium", self.coco.medium), ("large", self.coco.large))
        known = ", ".join(f"{name} {value:.3f}" for name, value in sizes if value == value)
        lines.append(f"COCO: AP75 {self.coco.ap75:.3f}; by area: {known}; AR {self.coco.recall:.3f}")
        lines += [f"{one.kind:10}  {one.count:5}  costs {one.cost:.3f}: {one.what}" for one in self.errors]
        if (one := self.localised) is not None:
            lines.append(f"the largest object of a picture: class and place right {one.right:.3f}, class {one.classified:.3f}, "
                         f"place {one.placed:.3f}, mean IoU {one.overlap:.3f}")  # fmt: skip
        if self.seconds is not None:
            lines.append(f"{self.seconds:.3f} s a picture")
        return "\n".join([*lines, *(f"wrote {file}" for file in self.files)])


@dataclass(frozen=True)
class Object:
    """Something that was found."""

    name: str
    score: float
    box: tuple[float, float, float, float]
    """x1, y1, x2, y2 in pixels of the picture."""


@dataclass(frozen=True)
class Detected:
    """What was found in a picture."""

    input: Path
    output: Path | None
    model: str
    width: int
    height: int
    found: tuple[Object, ...]
    """The surest first."""
    seconds: float
    """From file to file."""

    def __str__(self) -> str:
        goal = f" -> {self.output}" if self.output else ""
        return f"{self.input}{goal}: {counted(self.found)}, {self.seconds:g} s"


@dataclass(frozen=True)
class DetectedVideo:
    """What was found in a video."""

    input: Path
    output: Path | None
    model: str
    width: int
    height: int
    frames: int
    seen: int
    """Frames with something in them."""
    objects: int
    """In all frames together."""
    seconds: float
    frames_per_second: float

    def __str__(self) -> str:
        goal = f" -> {self.output}" if self.output else ""
        return (f"{self.input}{goal}: {self.objects} objects in {self.seen} of {self.frames} frames, "
                f"{self.frames_per_second:g} frames a second")


@dataclass(frozen=True)
class DetectedFolder:
    """What was found in a folder."""

    input: Path
    output: Path | None
    model: str
    made: tuple[Detected | DetectedVideo, ...]
    skipped: tuple[str, ...]
    """A line for every file that could not be looked at."""
    seconds: float

    def __str__(self) -> str:
        lines = [str(one) for one in self.made]
        return "\n".join([*lines, *(f"skipped: {line}" for line in self.skipped), f"{len(self.made)} files, {self.seconds:g} s"])


def counted(found: tuple[Object, ...]) -> str:
    """12 RBC, 2 WBC: the most frequent first; or nothing."""
    names = [one.name for one in found]
    many = sorted(dict.fromkeys(names), key=lambda name: -names.count(name))
    return ", ".join(f"{names.count(name)} {name}" for name in many) or "nothing"
