"""Pictures of a verdict: where and how far pixels were moved, the face put back, and the two in turn."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.faces.inspected import square
from mien.tasks.inspect.judging import FaceVerdict, Opinion

SIDE = 480
"""Pixels of a drawn face's side."""
COLOURS = ((0, 34, 78), (40, 70, 110), (90, 95, 109), (140, 130, 110), (195, 170, 90), (254, 232, 56))
"""From not moved to most: dark blue to yellow (the ends and the lightness of cividis), told apart by every kind of colour vision."""
LEAST = 1.0
"""Pixels of the picture that the scale reaches at least: or noise would fill it."""
ARROWS = 14
"""Arrows along a side."""
TIMES = (900, 900)
"""Milliseconds of each picture of the flicker."""
INK, PAPER = (20, 20, 22), (255, 255, 255)


def outlined(image: np.ndarray, boxes: Sequence[tuple[float, float, float, float]], longest: int = 1200) -> np.ndarray:
    """(H, W, 3) uint8 -> the picture, `longest` pixels at most, with a numbered frame around every box."""
    scale = min(longest / max(image.shape[:2]), 1.0)
    size = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    step = max(int(1 / scale) // 2, 1)  # a picture of 100 megapixels need not be copied to be shrunk
    canvas = Image.fromarray(np.ascontiguousarray(image[::step, ::step])).resize(size, Image.Resampling.BICUBIC)
    draw, height = ImageDraw.Draw(canvas), max(max(size) // 50, 13)
    font = ImageFont.load_default(height)
    for number, box in enumerate(boxes, 1):
        corners = tuple(edge * scale for edge in box)
        draw.rectangle(corners, outline=INK, width=4)
        draw.rectangle(tuple(edge + shift for edge, shift in zip(corners, (1, 1, -1, -1), strict=True)), outline=PAPER, width=2)
        place = corners[0], max(corners[1] - height - 6, 0)
        draw.rectangle((*place, place[0] + height * (0.4 + 0.6 * len(str(number))), place[1] + height + 5), fill=INK)
        draw.text((place[0] + 4, place[1] + 1), str(number), PAPER, font)
    return np.asarray(canvas)


def face_crop(image: np.ndarray, verdict: FaceVerdict, side: int = SIDE) -> np.ndarray:
    """The square that was looked at, (side, side, 3) uint8."""
    return resized(np.ascontiguousarray(square(image, *verdict.crop)), side)


def resized(picture: np.ndarray, side: int) -> np.ndarray:
    """(H, W, 3) -> (side, side, 3)."""
    if picture.shape[:2] == (side, side):
        return picture
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))


def change(face: np.ndarray, opinion: Opinion, crop_side: int) -> np.ndarray:
    """Where, how far and which way: colour over the greyed face (S, S, 3), arrows, and below it the legend in pixels of the picture.

    `crop_side`: pixels of the picture along the crop. Colour fades where the field is not reliable. Arrows show where the content
    went, their lengths only which are longer.
    """
    side, size = face.shape[0], opinion.field.shape[-1]
    field = _spread(opinion.field, side) * (crop_side / size)
    far = np.hypot(*field)
    full = max(float(np.percentile(far, 99.5)), LEAST)
    share = np.clip(far / full, 0, 1)
    grey = np.asarray(Image.fromarray(face).convert("L"), float)[..., None] * 0.75 + 50
    alpha = (np.minimum(share * 1.6, 1) * 0.8 * _spread(opinion.reliability[None], side)[0].clip(0, 1))[..., None]
    drawn = (grey * (1 - alpha) + _coloured(share) * alpha).round().clip(0, 255).astype(np.uint8)
    canvas = Image.fromarray(drawn)
    _arrows(ImageDraw.Draw(canvas), -field, full, alpha[..., 0])
    return np.concatenate([np.asarray(canvas), _legend(side, full)])


def restored(image: np.ndarray, verdict: FaceVerdict) -> np.ndarray:
    """The square that was looked at with the change undone, (side, side, 3) uint8 at the picture's own size."""
    from mien.tasks.inspect.undoing import undo

    opinion, (x0, y0, side) = verdict.opinion, verdict.crop
    assert opinion is not None
    left, top = max(x0, 0), max(y0, 0)
    part = image[top : max(y0 + side, top + 1), left : max(x0 + side, left + 1)]  # of a large photo the rest need not be copied
    return square(undo(part, (x0 - left, y0 - top, side), opinion.field), x0 - left, y0 - top, side)


def flicker(first: np.ndarray, second: np.ndarray) -> bytes:
    """Two pictures (S, S, 3) in turn for ever, as GIF: what moved jumps to the eye."""
    frames = [Image.fromarray(one).quantize(256, Image.Quantize.MEDIANCUT) for one in (first, second)]
    encoded = BytesIO()
    frames[0].save(encoded, "GIF", save_all=True, append_images=frames[1:], duration=TIMES, loop=0, disposal=1)
    return encoded.getvalue()


def coloured_map(levels: np.ndarray) -> np.ndarray:
    """(h, w) uint8 -> (h, w, 3) in the colours of the change."""
    return _coloured(np.arange(256) / 255).round().astype(np.uint8)[levels]


def traces(face: np.ndarray, where: np.ndarray) -> np.ndarray:
    """A face (S, S, 3) uint8 and (s, s) in 0..1 -> the face in grey under the colours of the change, from its least to its most."""
    span = max(float(np.ptp(where)), 1e-6)
    colours = resized(coloured_map(((where - where.min()) / span * 255).round().astype(np.uint8)), len(face))
    return (0.45 * face.mean(-1, keepdims=True) + 0.55 * colours).round().astype(np.uint8)


def _coloured(share: np.ndarray) -> np.ndarray:
    """0..1 -> (..., 3) float, 0..255."""
    steps = np.linspace(0, 1, len(COLOURS))
    return np.stack([np.interp(share, steps, channel) for channel in zip(*COLOURS, strict=True)], -1)


def _spread(planes: np.ndarray, side: int) -> np.ndarray:
    """(C, S, S) float -> (C, side, side)."""
    if planes.shape[-1] == side:
        return planes
    images = [Image.fromarray(one.astype(np.float32)) for one in planes]
    return np.stack([np.asarray(one.resize((side, side), Image.Resampling.BILINEAR)) for one in images])


def _arrows(draw: ImageDraw.ImageDraw, went: np.ndarray, full: float, alpha: np.ndarray) -> None:
    """`went`: (2, side, side), where content went; one arrow for each spot that is coloured enough to matter."""
    side = went.shape[-1]
    gap = side / ARROWS
    for i in range(ARROWS * ARROWS):
        x, y = ((place + 0.5) * gap for place in (i % ARROWS, i // ARROWS))
        if alpha[int(y), int(x)] < 0.25:
            continue
        dx, dy = went[:, int(y), int(x)] / full * gap * 0.85
        length = max(float(np.hypot(dx, dy)), 1e-6)
        head = min(0.45 * length, 6.0)
        ux, uy = dx / length, dy / length
        start, end = (x - dx / 2, y - dy / 2), (x + dx / 2, y + dy / 2)
        sides = [(end[0] - head * (ux + turn * uy * 0.6), end[1] - head * (uy - turn * ux * 0.6)) for turn in (1, -1)]
        for colour, width in ((INK, 5), (PAPER, 3)):
            draw.line([start, end], fill=colour, width=width)
            draw.line([sides[0], end, sides[1]], fill=colour, width=width)


def _legend(side: int, full: float) -> np.ndarray:
    """(48, side, 3): the colours from 0 to `full` pixels."""
    canvas = Image.new("RGB", (side, 48), PAPER)
    bar = _coloured(np.linspace(0, 1, side - 24))[None].repeat(12, 0).round().astype(np.uint8)
    canvas.paste(Image.fromarray(bar), (12, 8))
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(14)
    for share, anchor in ((0.0, "la"), (0.5, "ma"), (1.0, "ra")):
        unit = " pixels of the photo" if share == 0.5 else ""
        words = "0" if share == 0 else f"{full * share:.1f}{' or more' if share == 1 else ''}{unit}"
        draw.text((12 + share * (side - 24), 25), words, INK, font, anchor)
    return np.asarray(canvas)
