"""A photo's face reshaped by sliders, signed as what it is: what an inspection is meant to find, to see for oneself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mien.data.files import atomic
from mien.data.pictures import read_picture, write_picture
from mien.faces.find import find_in_photo
from mien.faces.inspected import crop_of
from mien.faces.reshape.sampling import KERNELS, sampled
from mien.faces.reshape.sliders import NAMES, Sliders
from mien.faces.reshape.warpers import WARPERS, reshaped_field
from mien.provenance.identity import Identity
from mien.provenance.manifest import sign
from mien.provenance.visible import mark
from mien.tasks.inspect.reshaped import Reshaped

SUFFIXES = (".jpg", ".jpeg", ".png")


def reshape_photo(path: Path, amounts: Sliders | Mapping[str, float], out: Path, warper: str = "mls", *, resampling: str = "bicubic",
                  face: int = 1, field: Path | None = None, picture: Path | None = None, label: bool = False,
                  signer: Identity | None = None) -> Reshaped:
    """Write `path` with one of its faces reshaped to `out` (JPEG or PNG), labelled and signed as synthetic.

    `face`: 1 is the largest. `field`: a .npy file for the backward field (2, H, W) float32 of the whole photo, in pixels;
    `picture`: a JPEG or PNG of it, direction as hue, distance as colour. `label`: draw "AI-generated" visibly into the photo.
    Raises ValueError where nothing is asked for, there is no such face, or a name or suffix is unknown.
    """
    asked = amounts if isinstance(amounts, Sliders) else _sliders(amounts)
    _check(path, asked, out, warper, resampling, field, picture)
    image = read_picture(path)
    box, moves = _moves(image, path, asked, warper, face)
    x1, y1, x2, y2 = box
    result = image.copy()
    result[y1:y2, x1:x2] = sampled(np.ascontiguousarray(image[y1:y2, x1:x2]), moves, resampling)
    told = {name: getattr(asked, name) for name in NAMES if getattr(asked, name)}
    with atomic(out) as draft:  # signed before it gets its name: nothing unsigned is ever at `out`
        write_picture(draft, mark(result) if label else result, like=path)
        words = ", ".join(f"{name.replace('_', ' ')} {amount:+g}" for name, amount in told.items())
        sign(draft, draft, title=out.name, action=f"a face reshaped by a warp ({warper}): {words}", parents=[path],
             model=f"mien inspect warp {warper}", identity=signer)
    if field is not None:
        whole = np.zeros((2, *image.shape[:2]), np.float32)
        whole[:, y1:y2, x1:x2] = moves
        with atomic(field) as draft, draft.open("wb") as file:
            np.save(file, whole)
    if picture is not None:
        write_picture(picture, wheel(moves))
    length = np.hypot(*moves)
    return Reshaped(out, warper, told, box, round(float(length.mean()), 2), round(float(length.max()), 2),
                    tuple(str(file) for file in (field, picture) if file is not None))


def wheel(field: np.ndarray) -> np.ndarray:
    """(2, H, W) -> (H, W, 3) uint8: white where nothing moved, full colour where it moved farthest, hue by where content went."""
    length = np.hypot(*field)
    angle = np.arctan2(-field[1], -field[0])  # content came from p + D: it went the other way
    share = length / max(float(length.max()), 1e-6)
    hues = [0.5 + 0.5 * np.cos(angle - turn) for turn in (0, 2 * np.pi / 3, 4 * np.pi / 3)]
    return np.stack([255 * (1 - share * (1 - hue)) for hue in hues], -1).round().astype(np.uint8)


def _sliders(amounts: Mapping[str, float]) -> Sliders:
    given = {name.replace("-", "_"): float(amount) for name, amount in amounts.items()}
    unknown = [name for name in given if name not in NAMES]
    if unknown:
        raise ValueError(f"no slider is called {unknown[0]}: choose {', '.join(NAMES)}")
    return Sliders(*(given.get(name, 0.0) for name in NAMES))


def _check(path: Path, asked: Sliders, out: Path, warper: str, resampling: str, field: Path | None, picture: Path | None) -> None:
    """Fail before anything is read or computed."""
    if asked == Sliders():
        raise ValueError("every slider is 0, so nothing would change: give at least one, for example --smile 0.6")
    for name, known, what in ((warper, WARPERS, "warper"), (resampling, KERNELS, "resampling")):
        if name not in known:
            raise ValueError(f"no {what} is called {name!r}: choose {', '.join(known)}")
    for file, suffixes in ((out, SUFFIXES), (field, (".npy",)), (picture, SUFFIXES)):
        if file is not None and file.suffix.lower() not in suffixes:
            raise ValueError(f"{file}: expected a name that ends in {' or '.join(suffixes)}")
    if out.resolve() == path.resolve():
        raise ValueError(f"{out} is the photo itself: choose another name, so that the original is kept")


def _moves(image: np.ndarray, path: Path, asked: Sliders, warper: str, face: int) -> tuple[tuple[int, int, int, int], np.ndarray]:
    """The part x1, y1, x2, y2 of a picture that an inspection of its face would see, and the field (2, h, w) there."""
    faces = [found.face for found in find_in_photo(image)]
    if not faces:
        raise ValueError(f"no face was found in {path}")
    if not 1 <= face <= len(faces):
        raise ValueError(f"{path} has {len(faces)} face{'s' * (len(faces) > 1)}: there is no face {face}")
    chosen = faces[face - 1]
    x0, y0, side = crop_of(chosen.box, image.shape)
    x1, y1, x2, y2 = max(x0, 0), max(y0, 0), min(x0 + side, image.shape[1]), min(y0 + side, image.shape[0])
    landmarks = chosen.landmarks - np.array([x1, y1], np.float32)
    return (x1, y1, x2, y2), reshaped_field(landmarks, asked, y2 - y1, x2 - x1, warper)
