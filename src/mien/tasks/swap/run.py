"""Swap faces: train a model on people who agreed, apply it to photos and video, measure it. Results are marked and signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mien.tasks.swap.score import Restored, Swapped


@dataclass(frozen=True)
class Trained:
    """What training made."""

    model: Path
    preview: Path
    people: dict[str, int]
    """How many faces of each person were learnt from."""
    network: str
    size: int
    """Pixels a side of the drawn face."""
    steps: int
    seconds: float
    faces_per_second: float
    score: float
    """SSIM inside the face on held-out faces, mean over people; on the training faces where there are fewer than ten."""
    ended: str
    """'minutes', 'steps', 'plateau' or 'interrupted'."""


def train(
    people: list[str],
    *,
    out: Path,
    minutes: float | None = None,
    steps: int | None = None,
    network: Literal["compact", "original"] = "compact",
    size: int | None = None,
    start: Path | None = None,
    adversary: bool = False,
    frames: str = "",
    consent: str = "",
    stop_on_plateau: bool = False,
    device: str = "auto",
    precision: Literal["auto", "fp32", "bf16"] = "auto",
) -> Trained:
    """Learn two or more people, so that any of them can be drawn with the expressions of another.

    Killed and started again it goes on where it was. A preview is written to OUT/run/preview.jpg every half minute.

    Args:
        people: A photo, video, folder or face set for each person; NAME=PATH gives a name, else the file's name is it.
        out: The model's folder.
        minutes: How long to train; 10 unless steps are given.
        steps: How many steps to train.
        network: compact: 128 px, starts from a pretrained base. original: the autoencoder of 2017, 64 px, from scratch.
        size: Pixels a side of the drawn face: 192 or 256 grow compact's decoders; the network's own, or that of --start, unless given.
        start: A model of the same people to go on from, in a new folder; its network is taken.
        adversary: Let a judge of patches join once restoring gets no better: sharper, slower.
        frames: Which frames of videos to learn from, START:STOP, for example :160.
        consent: Who agreed to this, and how; kept in the model and in everything it makes.
        stop_on_plateau: Stop when the held-out score no longer rises; without it that is only said.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32 or bf16.

    """
    from mien.tasks.swap.session import Wanted, learn

    if steps is None and minutes is None:
        minutes = 10.0
    return learn(people, Path(out), Wanted(minutes, steps, network, size, Path(start) if start else None, adversary, frames, consent,
                                           stop_on_plateau, device, precision))  # fmt: skip


@dataclass(frozen=True)
class Added:
    """A person added to a model."""

    model: Path
    person: str
    people: list[str]
    score: float
    seconds: float


def add(
    model: Path,
    person: str,
    *,
    minutes: float = 5.0,
    steps: int | None = None,
    frames: str = "",
    consent: str = "",
    device: str = "auto",
    precision: Literal["auto", "fp32", "bf16"] = "auto",
) -> Added:
    """Teach a model one more person; the shared encoder and everybody else's decoder stay exactly as they are.

    Args:
        model: A folder made by `mien swap train`.
        person: A photo, video, folder or face set; NAME=PATH gives a name.
        minutes: How long to train.
        steps: How many steps to train, if that comes first.
        frames: Which frames of videos to learn from, START:STOP.
        consent: Who agreed to this, and how; added to the model's record.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32 or bf16.

    """
    from mien.tasks.swap.session import learn_another

    return learn_another(Path(model), person, minutes, steps, frames, consent, device, precision)


@dataclass(frozen=True)
class Applied:
    """What was converted."""

    output: Path
    files: int
    frames: int
    swapped: int
    """Faces drawn."""
    untouched: int
    """Faces of other people, left as they are."""
    flicker: float
    """Grey levels a frame inside the face that the video did not have before; 0 for photos."""
    seconds: float
    frames_per_second: float
    skipped: list[str]
    """Files of a folder that could not be converted, each with the reason."""


def apply(
    model: Path,
    input_: Path,
    *,
    to: str,
    output: Path,
    everyone: bool = False,
    threshold: float = 0.6,
    frames: str = "",
    colour: Literal["match", "keep"] = "match",
    feather: float = 0.06,
    forehead: float = 0.35,
    sharpen: float = 0.0,
    smooth: float = 1.0,
    enhance: bool = False,
    label: bool = False,
    certificate: Path | None = None,
    key: Path | None = None,
    device: str = "auto",
    precision: Literal["auto", "fp32", "bf16"] = "auto",
) -> Applied:
    """Swap the faces of a photo, a video or a folder of them; other people's faces stay untouched. The result is signed.

    A video keeps its sound and exact time stamps; an interrupted conversion goes on where it was.

    Args:
        model: A folder made by `mien swap train`.
        input_: A photo, a video, or a folder.
        to: Whom to draw.
        output: Where to write: .jpg or .png for a photo, .mp4 for a video, a folder for a folder.
        everyone: Swap every face, also of people the model does not know.
        threshold: How near (embedding distance) a face must be to one of the model's people to be swapped.
        frames: Which frames of a video, START:STOP; all unless given.
        colour: match: take the colours of the face that was there. keep: as drawn.
        feather: Width of the soft edge, as a share of the face window.
        forehead: How far above the brows the new face reaches, as a share of the nose's length.
        sharpen: Unsharp mask on the drawn face, 0 to 2.
        smooth: Strength of the landmarks' smoothing over time; 0 is none.
        enhance: Enlarge the drawn face by a network where the one in the picture is larger than the model draws.
        label: Draw "AI-generated" visibly into the picture.
        certificate: PEM chain to sign with instead of the local one.
        key: PEM private key of that certificate.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32 or bf16.

    """
    from mien.faces.blend import Blend
    from mien.models.swap_model import load_model
    from mien.provenance.identity import identity
    from mien.tasks.swap.conversion import Conversion, convert

    loaded = load_model(Path(model))
    blend = Blend(colour, feather, forehead, sharpen)
    signer = identity(certificate, key) if certificate or key else None
    wanted = Conversion(loaded.person(to), everyone, threshold, frames, blend, smooth, label, device, precision, signer, enhance)
    return convert(loaded, Path(input_), Path(output), wanted)


def quick(
    photo: Path,
    input_: Path,
    *,
    out: Path,
    face: int = 1,
    like: Path | None = None,
    everyone: bool = False,
    threshold: float = 0.6,
    frames: str = "",
    colour: Literal["match", "keep"] = "match",
    feather: float = 0.06,
    forehead: float = 0.35,
    sharpen: float = 0.0,
    smooth: float = 1.0,
    eyes: Literal["photo", "frame"] = "photo",
    label: bool = False,
    consent: str = "",
    models: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    device: str = "auto",
    precision: Literal["auto", "fp32", "bf16"] = "auto",
) -> Applied:
    """Give a photo, a video or a folder of them the face of one photo's person, at once. The result is signed.

    Nothing is trained: a network bends the photo over the face that is there and keeps its expression, light, and what covers it. A
    model trained for minutes (`mien swap train`) draws expressions the photo does not show. An interrupted video goes on where it was.

    Args:
        photo: One photo that shows the person alone, best from the front.
        input_: A photo, a video, or a folder.
        out: Where to write: .jpg or .png for a photo, .mp4 for a video, a folder for a folder.
        face: Which face, counted from the largest; in a video, in the first frame that shows so many.
        like: Swap the face of this photo's person instead.
        everyone: Swap every face.
        threshold: How near (embedding distance) a face must be to the one that is meant.
        frames: Which frames of a video, START:STOP; all unless given.
        colour: match: take the colours of the face that was there. keep: the photo's.
        feather: Width of the soft edge, as a share of the face window.
        forehead: How far above the brows the new face reaches, as a share of the nose's length.
        sharpen: Unsharp mask on the drawn face, 0 to 2.
        smooth: Strength of the landmarks' smoothing over time; 0 is none.
        eyes: photo: the photo's, more alike. frame: those that are there, so that gaze and blinks are followed.
        label: Draw "AI-generated" visibly into the picture.
        consent: Who agreed to this, and how; kept in everything made.
        models: A folder of models made by `mien swap train`: one that knows the photo's person draws instead.
        certificate: PEM chain to sign with instead of the local one.
        key: PEM private key of that certificate.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32 or bf16.

    """
    from mien.faces.blend import Blend
    from mien.provenance.identity import identity
    from mien.tasks.swap.conversion import Conversion
    from mien.tasks.swap.quick.asking import asked
    from mien.tasks.swap.quick.swapping import Meant

    blend = Blend(colour, feather, forehead, sharpen)
    signer = identity(certificate, key) if certificate or key else None
    wanted = Conversion(Path(photo).stem, everyone, threshold, frames, blend, smooth, label, device, precision, signer)
    return asked(Path(photo), Path(input_), Path(out), Meant(face, like, everyone, threshold), wanted, consent, models, eyes)


@dataclass(frozen=True)
class Evaluated:
    """A model's figures; the protocol is that of `mien.tasks.swap.score`."""

    model: Path
    people: list[str]
    a: Restored
    b: Restored
    a_to_b: Swapped
    b_to_a: Swapped
    protocol: str


def evaluate(
    model: Path,
    a: str,
    b: str,
    *,
    frames: str = "",
    limit: int = 200,
    device: str = "auto",
    precision: Literal["auto", "fp32", "bf16"] = "auto",
) -> Evaluated:
    """Measure a model on frames it has not learnt from: restoration, identity, expression, pose, flicker.

    Args:
        model: A folder made by `mien swap train`.
        a: Photos or video of the first person; NAME=PATH where the order is not the model's.
        b: The same for the second person.
        frames: Which frames of videos, START:STOP, for example 160:.
        limit: At most so many frames of each.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32 or bf16.

    """
    from mien.tasks.swap.session import measure

    return measure(Path(model), a, b, frames, limit, device, precision)


@dataclass(frozen=True)
class Demonstrated:
    """What the demonstration showed."""

    page: Path
    same_person: bool
    distance: float
    train_seconds: float
    seconds: float
    signed: bool


def demo(*, out: Path = Path("out/demo"), minutes: float = 2.0) -> Demonstrated:
    """Swap two public-domain portraits that ship with matplotlib and scikit-image, at once and trained; sign, verify, write a page.

    Args:
        out: A folder for the pictures and index.html.
        minutes: How long to adapt the base to the two photos.

    """
    from mien.tasks.swap.demo import demonstrate

    return demonstrate(Path(out), minutes)


COMMANDS = (quick, train, add, apply, evaluate, demo)
