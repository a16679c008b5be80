"""One face against one face, and new photos of somebody into a gallery."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mien.faces.describe import distance
from mien.faces.probe import Probe, Prober
from mien.gallery import Gallery, Person, Record
from mien.metrics.calibration import Calibration
from mien.progress import say
from mien.tasks.recognize.subject import one_face

CROP_QUALITY = 92


def compared(prober: Prober, a: Path, b: Path, face: str, by: Calibration) -> tuple[float, float, bool]:
    """Distance, probability and verdict; `face` counts for both photos."""
    one, other = (one_face(prober, photo, face) for photo in (a, b))
    apart = float(distance(one.vector, other.vector))
    return apart, float(by.probability(apart)), by.same(apart)


def record(probe: Probe, photo: Path, keep_photo: bool = False) -> Record:
    """What a gallery keeps of a face: the vector, an aligned crop, where it came from, and the photo itself only if asked."""
    picture = photo.read_bytes() if keep_photo else b""
    return Record(probe.vector, str(photo.absolute()), jpeg(probe.crop), picture, probe.quality.sharpness)


def jpeg(crop: np.ndarray) -> bytes:
    """(H, W, 3) uint8 -> the bytes of a JPEG."""
    out = io.BytesIO()
    Image.fromarray(crop).save(out, "jpeg", quality=CROP_QUALITY, subsampling=0)
    return out.getvalue()


def unlike(gallery: Gallery, name: str, probes: Sequence[Probe], photos: Sequence[Path], by: Calibration) -> None:
    """Say where a new photo does not look like the others of that person, or looks like somebody else who is enrolled."""
    vectors = np.stack([probe.vector for probe in probes])
    for photo, hits in zip(photos, gallery.search(vectors, 3) if len(gallery) else [[]] * len(photos), strict=True):
        others = [hit for hit in hits if hit.name != name and by.same(hit.distance)]
        if others:
            say(f"{photo} is like {others[0].name}, who is enrolled already (distance {others[0].distance:.2f}): the same person?")
    known = [one.vector for one in gallery.records(name)] if any(p.name == name for p in gallery.people()) else []
    everyone = np.stack([*known, *vectors]) if known else vectors
    for place, photo in enumerate(photos):
        rest = np.delete(everyone, len(known) + place, axis=0)
        nearest = float(distance(rest, vectors[place]).min(initial=np.inf))
        if len(rest) and not by.same(nearest):
            say(f"{photo} is unlike every other photo of {name} (nearest {nearest:.2f}, the same person is under"
                f" {by.threshold:.2f}): look whether it shows them")  # fmt: skip


def enrolled(gallery: Gallery, prober: Prober, name: str, photos: Sequence[Path], face: str, by: Calibration | None, keep_photo: bool,
             consent: str, keep_days: float | None) -> Person:
    """Add every photo's face to a person, all or none of them."""
    probes = [one_face(prober, photo, face) for photo in photos]
    if by:
        unlike(gallery, name, probes, photos, by)
    records = [record(probe, photo, keep_photo) for probe, photo in zip(probes, photos, strict=True)]
    return gallery.enroll(name, records, consent=consent, keep_days=keep_days)
