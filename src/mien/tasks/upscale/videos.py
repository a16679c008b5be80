"""A video, enlarged frame by frame: its sound and exact time stamps kept, signed, and gone on with after a stop."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.data.video import LARGEST, MOVING, VideoWriter, batches, probe, read_video
from mien.progress import Progress, clock, say
from mien.tasks.upscale.pictures import Frames, How, made_by
from mien.tasks.upscale.results import Moved
from mien.tasks.upscale.writing import sign_as_enlarged

SEGMENT = 100
"""Frames after which a video's part is safe on disk."""
BATCH, PIXELS = 8, 1 << 17
"""Frames that are computed at once, at most, and the pixels that they may have together."""


def upscale_video(source: Path, output: Path, how: How) -> Moved:
    """Enlarge `source` into `output` (.mp4, .m4v, .mov), H.264; sound and time stamps are the source's.

    A run stopped by Ctrl-C or killed goes on where it was. Raises ValueError for an input that is no video, an output that is
    the input, of another kind, or larger than H.264 takes; OSError or RuntimeError where it cannot be written: nothing is left then.
    """
    began, s = time.monotonic(), how.enlarger.scale
    if output.suffix.lower() not in MOVING:
        raise ValueError(f"{source.name} is a video: the output must end in {' or '.join(MOVING)}, not {output.name!r}")
    if output.resolve() == source.resolve():
        raise ValueError(f"{output} is the video itself: choose another name, so that the original is kept")
    info = probe(source)
    large = replace(info, width=s * info.width, height=s * info.height)
    if max(large.width, large.height) > LARGEST:
        raise ValueError(f"{source} would have {large.width} x {large.height} pixels, a video has at most {LARGEST} a side")
    enlarged = Frames(how, info.height, info.width)
    if not how.quiet:
        lasts = f", {info.frames} frames: about {clock((enlarged.plan.seconds or 0) * info.frames)}" if info.frames else ""
        say(f"{source.name}: each frame {enlarged.plan}{lasts}")
    draft = output.with_name(f".{output.stem}.unsigned{output.suffix}") if how.signing else output
    output.parent.mkdir(parents=True, exist_ok=True)
    job, batch = json.dumps(made_by(how), sort_keys=True), max(min(PIXELS // (info.width * info.height), BATCH), 1)
    with VideoWriter(draft, large, sound=source, segment=SEGMENT, job=job) as writer:
        ready, frames = writer.done, 0
        if ready:
            say(f"going on at frame {ready} of {source.name}")
        with Progress(f"enlarge {source.name}", info.frames, "frames") as bar:
            bar.done = ready
            for group in batches(read_video(source, skip=ready), batch):
                images = enlarged(np.stack([frame.image for frame in group]))
                for frame, image in zip(group, images, strict=True):
                    writer.write(image, frame.pts)
                frames += len(group)
                bar.advance(len(group))
    try:
        if how.signing:
            sign_as_enlarged(draft, output, output.name, source, how.enlarger, how.signer)
    finally:
        if how.signing:
            draft.unlink(missing_ok=True)
    seconds = time.monotonic() - began
    return Moved(source, output, how.enlarger.name, s, large.width, large.height, frames, ready, info.has_audio, round(seconds, 2),
                 round(frames / max(seconds, 1e-9), 2), how.signing)
