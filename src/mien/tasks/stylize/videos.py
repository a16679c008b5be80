"""A video restyled by a trained network, frame by frame: sound and exact time stamps kept, signed, and gone on with after a stop."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien.data.video import LARGEST, MOVING, VideoWriter, batches, probe, read_video
from mien.metrics.flicker import CUT, LEVELS, Restless, grey, smoothed
from mien.nn.whole import Steady, asked, places
from mien.progress import Progress, clock, say
from mien.runtime import resident
from mien.tasks.stylize.forward import Forward, Ready
from mien.tasks.stylize.pictures import made_by, sign_as_restyled
from mien.tasks.stylize.results import Moved
from mien.tasks.stylize.whole import Look, kept
from mien.tiled import apply, measured
from mien.tiled.whole import Read

SEGMENT = 25
"""Frames after which a video's part is safe on disk."""
BATCH, PIXELS = 8, 1 << 16
"""Frames that are computed at once, at most, and the pixels that they may have together."""
SETTLED = 0.02
"""A resumed run begins so many frames earlier that the statistics from before have less weight than this."""


def restyle_video(source: Path, out: Path, found: Ready, how: Forward) -> Moved:
    """Restyle `source` into `out` (.mp4, .m4v, .mov), H.264; sound and time stamps are the source's.

    A run stopped by Ctrl-C or killed goes on where it was. Raises ValueError for an input that is no video, an output that is the
    input, of another kind, or larger than H.264 takes; OSError or RuntimeError where it cannot be written: nothing is left then.
    """
    began = time.monotonic()
    if out.suffix.lower() not in MOVING:
        raise ValueError(f"{source.name} is a video: the output must end in {' or '.join(MOVING)}, not {out.name!r}")
    if out.resolve() == source.resolve():
        raise ValueError(f"{out} is the video itself: choose another name, so that the original is kept")
    info = probe(source)
    if max(info.width, info.height) > LARGEST:
        raise ValueError(f"{source} has {info.width} x {info.height} pixels, a video has at most {LARGEST} a side")
    frames = Frames(found, how, info.height, info.width)
    if not how.quiet:
        lasts = f", {info.frames} frames: about {clock((frames.plan.seconds or 0) * info.frames)}" if info.frames else ""
        say(f"{source.name}: each frame {frames.plan}{lasts}")
    draft = out.with_name(f".{out.stem}.unsigned{out.suffix}") if how.signing else out
    out.parent.mkdir(parents=True, exist_ok=True)
    size = max(min(PIXELS // (info.width * info.height), BATCH), 1)
    job, flicker = json.dumps(made_by(found, how), sort_keys=True), Restless()
    with VideoWriter(draft, info, sound=source, segment=SEGMENT, job=job) as writer:
        done, made = writer.done, 0
        if done:
            say(f"going on at frame {done} of {source.name}")
        with Progress(f"stylize {source.name}", info.frames, "frames") as bar:
            bar.done = done
            for group in batches(read_video(source, skip=max(done - frames.run_in, 0)), size):
                images = frames(np.stack([frame.image for frame in group]))
                for frame, image in zip(group, images, strict=True):
                    if frame.index < done:
                        continue
                    flicker.add(frame.image, image)
                    writer.write(image, frame.pts)
                    made += 1
                    bar.advance()
    try:
        if how.signing:
            sign_as_restyled(draft, out, out.name, source, found, how.signer)
    finally:
        if how.signing:
            draft.unlink(missing_ok=True)
    seconds = time.monotonic() - began
    return Moved(source, out, found.stylizer.name, found.style, how.strength, how.steady, info.width, info.height, made, done,
                 info.has_audio, round(flicker.made.mean, 3), round(flicker.still.mean, 3), round(seconds, 2),
                 round(made / max(seconds, 1e-9), 2), how.signing)  # fmt: skip


class Hold:
    """Where a video stands still, what was drawn there stays for the most part: `hold(frame, made)` in order.

    A network draws a little differently on every grain of noise. The less a place changes (brightness, mean of 3 x 3 pixels, against
    `LEVELS`), the more of the last frame's drawing is kept, `keep` of it at most; what moves is drawn anew.
    """

    def __init__(self, keep: float) -> None:
        self.keep = keep
        self._seen: np.ndarray | None = None
        self._made = np.zeros(())

    def __call__(self, frame: np.ndarray, made: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 twice -> the same shape."""
        seen, now = smoothed(grey(frame)), made.astype(np.float32)
        if self._seen is not None:
            share = self.keep * np.exp(-(((seen - self._seen) / LEVELS) ** 2))[..., None]
            now += share * (self._made - now)
        self._seen, self._made = seen, now
        return now.round().astype(np.uint8)


class Frames:
    """`Frames(found, how, height, width)(frames)`: (B, H, W, 3) uint8 RGB in order -> the same shape; `plan` says what one takes.

    With `how.steady` the statistics of a frame are smoothed with those of the frames before it in the same scene, and still places
    are held.
    """

    def __init__(self, found: Ready, how: Forward, height: int, width: int) -> None:
        self.look, self.steady = Look(found, how), how.steady
        cut = self.look.plan(height, width)
        blank = lambda h, w: torch.zeros(1, 3, h, w, dtype=torch.uint8)
        self.plan = self.look.with_passes(measured(cut, self.look.of_pixels, self.look.runtime, blank, resident() or 0))
        self.run_in = int(np.ceil(np.log(SETTLED) / np.log(how.steady))) if how.steady else 0
        self._last: np.ndarray | None = None
        self._recoloured = how.keep_colour != "histogram"

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """As the class says."""
        x = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
        if not self._recoloured:  # the style takes on the colours of the first frame, and keeps them
            self.look, self._recoloured = self.look.recoloured(self.plan, _rows(x[:1])), True
        if not self.steady:
            return self._drawn(x)
        made = []
        for scene, new in self._scenes(frames):
            if new:
                self._hold, self._smoothed = Hold(self.steady), [Steady(self.steady) for _ in places(self.look.stylizer.net)]
            drawn = self._drawn(x[scene])
            made += [self._hold(frame, image) for frame, image in zip(frames[scene], drawn, strict=True)]
        return np.stack(made)

    def _scenes(self, frames: np.ndarray) -> list[tuple[slice, bool]]:
        """Frames that belong together, and whether a new scene begins with them; the first is one."""
        begins = []
        for number, frame in enumerate(frames):
            small = grey(frame[::8, ::8])
            if self._last is None or np.abs(small - self._last).mean() > CUT:
                begins.append(number)
            self._last = small
        starts = sorted({0, *begins})
        return [(slice(start, stop), start in begins) for start, stop in zip(starts, [*starts[1:], len(frames)], strict=True)]

    def _drawn(self, x: Tensor) -> np.ndarray:
        made = self._at_once(x) if self.plan.tiles == 1 else torch.cat([self._in_tiles(one[None]) for one in x])
        return made.permute(0, 2, 3, 1).contiguous().numpy()

    def _at_once(self, x: Tensor) -> Tensor:
        if not self.steady:
            return apply(self.look.of_pixels, x, self.plan, self.look.runtime)
        with asked(self.look.stylizer.net, self._smoothed):
            return apply(self.look.of_pixels, x, self.plan, self.look.runtime)

    def _in_tiles(self, x: Tensor) -> Tensor:
        with kept(self.look.stylizer, self.look.moments(self.plan, _rows(x), smoothed=self._smoothed if self.steady else ())):
            return apply(self.look.of_pixels, x, self.plan, self.look.runtime)


def _rows(x: Tensor) -> Read:
    return lambda top, bottom: x[..., top:bottom, :]
