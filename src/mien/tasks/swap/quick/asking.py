"""`mien swap quick`: by the network for one photo, or by a trained model of that person where there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.data.pictures import read_picture
from mien.faces.describe import Describer
from mien.faces.one_photo import face_of, network
from mien.models.swap_model import FILE, SwapModel, load_model
from mien.progress import say
from mien.runtime import choose
from mien.tasks.swap.conversion import Conversion, convert, converted
from mien.tasks.swap.quick.swapping import Meant, QuickSwapper
from mien.tasks.swap.run import Applied

SAME = 0.5
"""A model knows the photo's person where its mean face is nearer than this: surer than `SAME_PERSON`, for nobody is asked."""


def known(photo: Path, models: Path) -> tuple[Path, SwapModel, str] | None:
    """The model in this folder, or in one of its folders, whose person is nearest to the photo's, if near enough."""
    files = sorted({*models.glob(FILE), *models.glob(f"*/{FILE}")})
    if not files:
        raise ValueError(f"no swap model in {models}: expected folders made by `mien swap train`, with {FILE} in them")
    image = read_picture(photo)
    vector = Describer()(image, face_of(image, str(photo)).face.landmarks[None])[0]
    found = []
    for file in files:
        model = load_model(file)
        distances = np.linalg.norm(model.centres() - vector, axis=1)
        found.append((float(distances.min()), file, model, list(model.people)[int(distances.argmin())]))
    distance, file, model, person = min(found, key=lambda f: f[0])
    return (file, model, person) if distance < SAME else None


def asked(
    photo: Path, source: Path, output: Path, meant: Meant, wanted: Conversion, consent: str, models: Path | None, eyes: str
) -> Applied:
    """Swap; ValueError in words for what cannot be."""
    if meant.number < 1:
        raise ValueError(f"--face counts from 1, the largest, not {meant.number}")
    if not source.exists():
        raise ValueError(f"{source} does not exist")
    trained = known(photo, models) if models else None
    if trained:
        file, model, person = trained
        say(f"{file.parent} knows {person}: its model draws")
        options = {**vars(wanted), "to": person, "everyone": wanted.everyone or not meant.like}
        return convert(model, source, output, Conversion(**options))
    runtime = choose(wanted.device, wanted.precision)
    swapper = QuickSwapper(photo, network(), runtime, meant, wanted.blend, wanted.smooth, consent, eyes)
    return converted(swapper, source, output, wanted)
