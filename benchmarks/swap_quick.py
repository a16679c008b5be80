"""The swap from one photo on people no network here has seen, against warping and blending alone: likeness, expression, speed.

    python benchmarks/swap_quick.py DATA [--faces FOLDER] [--weights FILE] [--sheet PICTURE] [--pair MODEL]

DATA holds faces/lfw100 and video/wda_*.mp4, neither of which any network but the detectors saw; FOLDER the face sets that
`mien.tasks.swap.quick.training` makes (extracted anew without it), whose people are enrolled beside the unseen ones. Each of ten
people is given by one photo, the first of ten. Its person is drawn over eight frames of a video and six photos of the next person.
Enrolled are the unseen people (mean of nine photos that were not swapped from; of the video's frames) and everybody of the face
sets: a swapped face counts as retrieved where the photo's person is nearest of all. `plain` warps by a thin-plate spline on 68
points, matches colours and blends; `mirrored` also takes the photo's mirror image where that holds the head more alike, as the
network's input does. `shaped`: it also gives the face the photo's proportions. `quick` is all of it as `mien swap quick` does it,
`unshaped` without the proportions, `nobody` with an identity vector of zeros. MODEL: of `mien swap train`, of both videos (without
those frames, `--frames 60:`), named as their files are: it and the others draw each of the two over twenty frames of the other one,
the others from one photo, the video's first frame.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from machine import load, origin

HERE = Path(__file__).parent
FRAMES = "40:60"


def enrolled(sets: dict[str, Any], people: dict[str, list], clips: dict[str, list], describer: Any) -> Any:
    """Names and mean vectors of the unseen people and of all in the face sets."""
    from mien.tasks.swap.base import people_of
    from mien.tasks.swap.quick.scoring import Enrolled

    names, vectors = [], []
    for name, looks in [*((n, some[1:]) for n, some in people.items()), *((n, some[::3]) for n, some in clips.items())]:
        names.append(name)
        vectors.append(np.mean([describer(look.image, look.face.face.landmarks[None])[0] for look in looks], axis=0))
    for source, faces in sets.items():
        person, vector = people_of(faces), faces.embeddings()
        for number in range(person.max() + 1):
            names.append(f"{source} {number}")
            vectors.append(vector[person == number].mean(0))
    return Enrolled(names, np.array(vectors, np.float32))


def sheet(tasks: dict[str, list], photos: dict[str, Any]) -> np.ndarray:
    """Rows: the photo, a frame, and what each method makes of it."""
    from mien.faces.align import align
    from mien.tasks.swap.quick.scoring import swapped

    columns = []
    for number in range(len(next(iter(tasks.values())))):
        task = next(iter(tasks.values()))[number]
        look, photo = task.shown[2], photos[task.target]
        results = [swapped(replace(some[number], shown=[look]))[0] for some in tasks.values()]
        pictures = [(photo.image, photo.face), (look.image, look.face), *((result, look.face) for result in results)]
        columns.append(np.concatenate([align(image, face.face.landmarks, 160, 1.35)[0] for image, face in pictures]))
    return np.concatenate(columns, 1)


def trained(model: Path, to: str, runtime: Any) -> Any:
    """A painter that draws a person as a model of `mien swap train` does."""
    from mien.faces.one_photo import Painted
    from mien.models.swap_model import load_model
    from mien.tasks.swap.convert import Followed, Swapper
    from mien.tasks.swap.steady import Steady

    swapper = Swapper(load_model(model), to, runtime)

    def paint(image: np.ndarray, landmarks: np.ndarray, track: Followed | None) -> Painted:
        track = track or Followed(Steady(25.0))
        drawn, matrix, weight = swapper.drawn(image, landmarks, track)
        return Painted(drawn, weight, matrix, track)  # pyright: ignore[reportArgumentType] - whatever is left to the next frame

    return paint


def speed(painter: Any, looks: list, blend: Any) -> float:
    """Frames a second of a 512-px video from decoded frames to finished ones: followed, drawn, blended."""
    from mien.faces.blend import paste
    from mien.faces.follow import Follower

    follower, state, began = Follower(), None, time.monotonic()
    for look in looks:
        for _, face in follower.step(look.image)[:1]:
            painted = painter(look.image, face.face.landmarks, state)
            state = painted.state
            paste(look.image, painted.face, painted.matrix, face.face.landmarks, blend, painted.weight)
    return len(looks) / (time.monotonic() - began)


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--faces", type=Path)
    parser.add_argument("--weights", type=Path, help="a file of `mien.tasks.swap.quick.training` in place of the bundled one")
    parser.add_argument("--pair", type=Path, help="a model of both videos' people to compare with")
    parser.add_argument("--sheet", type=Path, help="where to draw photo, frame and results")
    given, before = parser.parse_args(), load()
    videos = sorted((given.data / "video").glob("wda_*.mp4"))
    if not videos or not (given.data / "faces" / "lfw100").is_dir():
        print(f"skipped: no clips or no lfw100 in {given.data}")
        return
    from safetensors.torch import load_file

    from mien.data.pictures import write_picture
    from mien.faces.blend import Blend
    from mien.faces.describe import Describer
    from mien.faces.one_photo import Painter, Photo, network
    from mien.faces.shape import face_shape
    from mien.runtime import choose
    from mien.tasks.swap.base import face_sets
    from mien.tasks.swap.quick.scoring import Task, score
    from mien.tasks.swap.score import looks
    from mien.weights.eight_bits import unsqueeze

    runtime, describer, own, net = choose("cpu"), Describer(), Describer(model="mien-face"), network()
    if given.weights:
        net.load_state_dict(unsqueeze(load_file(given.weights)))
    folders = sorted((given.data / "faces" / "lfw100").iterdir())
    people = {folder.name: list(looks(sorted(folder.iterdir()))) for folder in folders}
    clips = {video.stem: list(looks([video], FRAMES)) for video in videos}
    with tempfile.TemporaryDirectory() as scratch:
        sets = face_sets(given.data, given.faces or Path(scratch))
        everybody = enrolled(sets, people, clips, describer)
    photos = {name: some[0] for name, some in people.items()}
    seen = {name: Photo.of(look.image, look.face.face.landmarks, own) for name, look in photos.items()}
    tasks: dict[str, list] = {}
    methods = {"plain": (None, False, None), "mirrored": (None, True, None), "shaped": (None, True, face_shape()),
               "quick": (net, True, face_shape()), "unshaped": (net, True, None), "nobody": (net, True, face_shape())}
    for method, (network_or_none, mirror, shape) in methods.items():
        tasks[method] = []
        for number, name in enumerate(people):
            photo = replace(seen[name], who=0 * seen[name].who) if method == "nobody" else seen[name]
            painter = Painter(photo, network_or_none, runtime, mirror=mirror, shape=shape)
            clip, other = list(clips)[number % len(clips)], list(people)[(number + 1) % len(people)]
            tasks[method] += [Task(painter, clips[clip][:8], clip, name), Task(painter, people[other][:6], other, name)]
    scores = {method: asdict(score(some, everybody, describer)) for method, some in tasks.items()}
    two: dict[str, list] = {}
    if given.pair:
        for first, second in (list(clips), list(clips)[::-1]):
            [look] = looks([next(v for v in videos if v.stem == second)], "0:1")
            photo = Photo.of(look.image, look.face.face.landmarks, own)
            two.setdefault("trained", []).append(Task(trained(given.pair, second, runtime), clips[first], first, second))
            for method in ("plain", "mirrored", "quick"):
                network_or_none, mirror, shape = methods[method]
                painter = Painter(photo, network_or_none, runtime, mirror=mirror, shape=shape)
                two.setdefault(method, []).append(Task(painter, clips[first], first, second))
    pair = {method: asdict(score(some, everybody, describer)) for method, some in two.items()}
    fastest = {method: round(max(speed(some[0].painter, next(iter(clips.values())), Blend()) for _ in range(3)), 2)
               for method, some in tasks.items() if method in ("plain", "quick")}
    result = {"protocol": (__doc__ or "").split("\n\n")[2].replace("\n", " "), "enrolled": len(everybody.names), **scores, "two": pair,
              "frames_per_second": fastest, **origin(before)}
    if given.sheet:
        write_picture(given.sheet, sheet({name: tasks[name] for name in ("plain", "mirrored", "quick")}, photos))
    text = json.dumps(result, indent=1)
    (HERE / "results" / "swap_quick.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
