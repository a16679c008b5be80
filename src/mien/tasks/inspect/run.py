"""Inspect pictures and videos: was a face reshaped or swapped, where, and what else the file tells."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mien.tasks.inspect.results import Batch, Inspected, InspectedVideo, Reshaped


def inspect(source: Path, /, *, out: Path | None = None, every: float = 0.5) -> Inspected | InspectedVideo | Batch:
    """Say of every face whether it was reshaped or swapped, or why that cannot be said; with --out also a report to print.

    The report shows where and how far the face was moved, the face put back, and what the file itself tells, each test for itself:
    Content Credentials, metadata, compression, error levels, noise, resizing. A folder gives a table, the most suspicious first;
    run again, it goes on where it stopped.

    Args:
        source: A picture, a video, or a folder of them.
        out: A folder for the report and its pictures; needed for a folder.
        every: Seconds between the frames of a video that are looked at.

    """
    from mien.tasks.inspect.opening import inspect_source

    return inspect_source(Path(source), None if out is None else Path(out), every)


def warp(
    photo: Path,
    /,
    *,
    out: Path,
    left_eye_size: float = 0.0,
    right_eye_size: float = 0.0,
    left_eye_height: float = 0.0,
    right_eye_height: float = 0.0,
    left_eye_width: float = 0.0,
    right_eye_width: float = 0.0,
    left_eye_tilt: float = 0.0,
    right_eye_tilt: float = 0.0,
    eye_distance: float = 0.0,
    smile: float = 0.0,
    upper_lip: float = 0.0,
    lower_lip: float = 0.0,
    mouth_width: float = 0.0,
    mouth_height: float = 0.0,
    nose_width: float = 0.0,
    nose_height: float = 0.0,
    face_width: float = 0.0,
    chin_height: float = 0.0,
    jawline: float = 0.0,
    forehead: float = 0.0,
    warper: Literal["mls", "tps", "liquify"] = "mls",
    resampling: Literal["bilinear", "bicubic", "lanczos"] = "bicubic",
    face: int = 1,
    field: Path | None = None,
    drawn: Path | None = None,
    label: bool = False,
    certificate: Path | None = None,
    key: Path | None = None,
) -> Reshaped:
    """Reshape a face by sliders from -1 to 1, signed as what it is: to see what an inspection finds.

    Args:
        photo: A picture with a face.
        out: The reshaped photo, .jpg or .png.
        left_eye_size: Above 0 larger; left and right are those of the picture.
        right_eye_size: Above 0 larger.
        left_eye_height: Above 0 more open.
        right_eye_height: Above 0 more open.
        left_eye_width: Above 0 wider.
        right_eye_width: Above 0 wider.
        left_eye_tilt: Above 0 the outer corner rises.
        right_eye_tilt: Above 0 the outer corner rises.
        eye_distance: Above 0 farther apart.
        smile: Above 0 the corners of the mouth rise.
        upper_lip: Above 0 fuller.
        lower_lip: Above 0 fuller.
        mouth_width: Above 0 wider.
        mouth_height: Above 0 taller.
        nose_width: Above 0 wider.
        nose_height: Above 0 longer.
        face_width: Above 0 wider.
        chin_height: Above 0 the chin is longer.
        jawline: Above 0 the jaw is wider.
        forehead: Above 0 higher.
        warper: mls (moving least squares), tps (thin-plate spline) or liquify (local brushes).
        resampling: How pixels between pixels are made.
        face: Which face; 1 is the largest.
        field: A .npy file for the exact backward field (2, H, W), in pixels.
        drawn: A picture of that field, direction as hue.
        label: Draw "AI-generated" visibly into the picture.
        certificate: PEM chain to sign with instead of the local one.
        key: PEM private key of that certificate.

    """
    from mien.provenance.identity import identity
    from mien.tasks.inspect.reshaping import reshape_photo

    amounts = {
        "left_eye_size": left_eye_size, "right_eye_size": right_eye_size, "left_eye_height": left_eye_height,
        "right_eye_height": right_eye_height, "left_eye_width": left_eye_width, "right_eye_width": right_eye_width,
        "left_eye_tilt": left_eye_tilt, "right_eye_tilt": right_eye_tilt, "eye_distance": eye_distance, "smile": smile,
        "upper_lip": upper_lip, "lower_lip": lower_lip, "mouth_width": mouth_width, "mouth_height": mouth_height,
        "nose_width": nose_width, "nose_height": nose_height, "face_width": face_width, "chin_height": chin_height,
        "jawline": jawline, "forehead": forehead,
    }  # fmt: skip
    signer = identity(certificate, key) if certificate or key else None
    return reshape_photo(Path(photo), amounts, Path(out), warper, resampling=resampling, face=face, field=field, picture=drawn,
                         label=label, signer=signer)  # fmt: skip


COMMANDS = (inspect, warp)
