"""One video: its faces followed, judged in frames a while apart, and drawn over time."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import numpy as np

from mien.data.video.reading import probe, read_video
from mien.faces.follow import Follower
from mien.faces.inspected import square
from mien.progress import Progress
from mien.tasks.inspect.evidence.credentials import credentials
from mien.tasks.inspect.evidence.gather import Evidence
from mien.tasks.inspect.evidence.moving import container_metadata
from mien.tasks.inspect.inspecting import NO_FACE, PAGE, TOLD, face_result, pictures_of, sha256, with_files, write_told
from mien.tasks.inspect.judging import CLASSES, INSUFFICIENT, FaceVerdict, Judge
from mien.tasks.inspect.page import write_video_page
from mien.tasks.inspect.results import FrameFace, InspectedVideo, Track
from mien.tasks.inspect.writing import write
from mien.train.figure import BLUE, GREY, INK, ORANGE, figure, quiet
from mien.train.figure import write as write_figure

MOST = 240
"""Frames judged of one video at most: of a long one they are farther apart."""
STEP = 0.12
"""Seconds between frames in which faces are followed."""
AS_JPEG = 70
"""The quality of a JPEG that a frame is judged like: video is compressed too, but no table says how hard. Assumed, not measured."""
SHOWN = 12
"""Faces on the page, those seen longest."""
CURVES = (BLUE, ORANGE, "#3a9a5f", "#8b5bb5", INK, GREY)


@dataclass
class Followed:
    """What is kept of a face while the video is read."""

    number: int
    """From 1; in the end by how long it was seen, the longest first."""
    seen: list[FrameFace] = field(default_factory=list)
    chances: list[tuple[float, ...]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    worst: tuple[float, FaceVerdict, np.ndarray] | None = None
    """Rank, verdict and square of the most suspicious frame, or of the largest where none was judged."""

    def add(self, time: float, one: FaceVerdict, image: np.ndarray) -> None:
        """One sampled frame (H, W, 3)."""
        result = face_result(one)
        moved = result.moved_mean
        self.seen.append(FrameFace(round(time, 3), self.number, one.verdict, result.probability, result.suspicion, moved, one.crop[2]))
        if one.opinion is not None and one.verdict != INSUFFICIENT:
            self.chances.append(one.opinion.probabilities)
        self.reasons.update(reason.partition(":")[0] for reason in one.reasons)
        rank = one.crop[2] * 1e-6 - 1 if result.suspicion is None else result.suspicion
        if self.worst is None or rank > self.worst[0]:
            self.worst = rank, one, np.ascontiguousarray(square(image, *one.crop))

    def track(self) -> Track:
        """Over all: of the mean probabilities of the frames that could be judged, if those are half of them."""
        verdict, reasons = INSUFFICIENT, tuple(reason for reason, _ in self.reasons.most_common(2))
        if 2 * len(self.chances) >= len(self.seen):
            verdict, reasons = CLASSES[int(np.mean(self.chances, axis=0).argmax())], ()
        suspicion = round(median(1 - one[0] for one in self.chances), 4) if self.chances else None
        return Track(self.number, self.seen[0].time, self.seen[-1].time, len(self.seen), verdict, suspicion, reasons)


def inspect_video(path: Path, judge: Judge, out: Path | None, every: float) -> InspectedVideo:
    """Look at a video; with `out`, a folder, write the report, the curve as PNG and every frame's faces as CSV there.

    `every`: seconds between frames that are judged. ValueError where it is no video.
    """
    info = probe(path)
    every = max(every, (info.duration or 0) / MOST)
    followed, seconds = _follow(path, judge, every, info.duration)
    longest = sorted(followed, key=lambda one: (-len(one.seen), one.number))
    for number, one in enumerate(longest, 1):
        one.number, one.seen = number, [replace(frame, track=number) for frame in one.seen]
    notes = () if followed else (NO_FACE,)
    if len(longest) > SHOWN:
        notes = (f"{len(longest)} faces were followed: the {SHOWN} seen longest are shown, all of them are in frames.csv",)
    shown = longest[:SHOWN]
    tracks = tuple(one.track() for one in shown)
    frames = tuple(sorted((frame for one in followed for frame in one.seen), key=lambda frame: (frame.time, frame.track)))
    results = tuple(face_result(one.worst[1]) for one in shown if one.worst)
    evidence = Evidence(credentials(path), container_metadata(path))
    found = InspectedVideo(str(path), results, tracks, frames, evidence, info.width, info.height, round(seconds, 3), sha256(path),
                           notes, judge.fingerprint)  # fmt: skip
    return found if out is None else _written(found, shown, out)


def _follow(path: Path, judge: Judge, every: float, duration: float | None) -> tuple[list[Followed], float]:
    """Every face, and the time of the last frame."""
    followed: dict[int, Followed] = {}
    follower, last, stepped, due = Follower(), 0.0, -1.0, 0.0
    with Progress(f"inspect {path.name}", duration, "s") as bar:
        for frame in read_video(path):
            last = frame.time
            if frame.time - stepped < STEP and frame.time < due:
                continue
            stepped = frame.time
            faces = follower.step(frame.image)
            if frame.time < due:
                continue
            due = frame.time + every
            verdicts = judge.judge(frame.image, [one.face for _, one in faces], AS_JPEG)
            for (number, _), one in zip(faces, verdicts, strict=True):
                followed.setdefault(number, Followed(number)).add(frame.time, one, frame.image)
            bar.set(frame.time)
    return list(followed.values()), last


def _written(found: InspectedVideo, shown: Sequence[Followed], out: Path) -> InspectedVideo:
    write(out / "frames.csv", _csv(found.frames).encode())
    files, curve = {"frames": "frames.csv"}, None
    if any(frame.suspicion is not None for frame in found.frames):
        _draw(found, out / "curve.png")
        files["curve"], curve = "curve.png", (out / "curve.png").read_bytes()
    pictures, results = [], []
    for number, (one, result) in enumerate(zip(shown, found.faces, strict=True), 1):
        assert one.worst is not None
        _, verdict, piece = one.worst
        pictures.append(pictures_of(piece, replace(verdict, crop=(0, 0, verdict.crop[2]))))
        results.append(with_files(result, pictures[-1], out, number))
    found = replace(found, faces=tuple(results), files=files, report=str(out / PAGE))
    write_video_page(out / PAGE, found, curve, pictures)
    write_told(out / TOLD, found)
    return found


def _csv(frames: Sequence[FrameFace]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("time", "face", "verdict", "probability", "suspicion", "moved_mean", "crop_side"))
    for one in frames:
        rows.writerow((one.time, one.track, one.verdict, one.probability, one.suspicion, one.moved_mean, one.side))
    return text.getvalue()


def _draw(found: InspectedVideo, path: Path) -> None:
    """Suspicion of every face over time, and how far it was moved."""
    page = figure(7.2, 4.4)
    above, below = page.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    quiet(above, "Suspicion: 1 minus the probability of an original")
    quiet(below, "Moved on average, pixels of the video")
    for one, colour in zip(found.tracks, CURVES * len(found.tracks), strict=False):
        mine = [frame for frame in found.frames if frame.track == one.track and frame.suspicion is not None]
        times = [frame.time for frame in mine]
        above.plot(times, [frame.suspicion for frame in mine], color=colour, marker=".", linewidth=1.4, label=f"face {one.track}")
        below.plot(times, [frame.moved_mean for frame in mine], color=colour, marker=".", linewidth=1.2)
    above.set_ylim(-0.02, 1.02)
    below.set_ylim(0, 1.15 * max(frame.moved_mean or 0.0 for frame in found.frames) + 0.1)
    below.set_xlabel("seconds", fontsize=9, color=INK)
    above.legend(frameon=False, fontsize=9, labelcolor=INK, ncols=4)
    write_figure(page, path)
