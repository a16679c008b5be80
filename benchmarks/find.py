"""Finding faces: BlazeFace and the face mesh against CenterFace and dlib's HOG, on the same pictures, in one run.

    pip install onnxruntime && pip install --no-deps dlib-bin && python benchmarks/find.py DATA

DATA is the folder with `faces` and `video` in it. A picture counts as seen when at least one face is found in it: each shows
at least one. Whatever is found beyond the first is listed as extra, for a person to look at. The landmarks' error is the mean
over 68 points, in shares of the distance between the outer corners of the eyes. A detector that cannot be imported is left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from machine import load, origin
from mien.data.pictures import read_picture
from mien.data.video import read_video
from mien.faces import blaze, mesh
from mien.faces.find import find, find_measured
from mien.faces.follow import Follower
from mien.weights import locate

SETS = ("lfw100", "johns", "portraits", "stills", "generated")
ANIMALS = frozenset(f"s{number}.jpg" for number in (22, 23, 25, 30, 31, 32, 33, 36, 38, 39, 40, 41))
Detector = Callable[[np.ndarray], int]


def centerface(threshold: float = 0.5) -> Detector:
    """Counts CenterFace's faces; the longer side is brought to at most 1024 pixels."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # The file fixes its sides to (10, 3, 32, 32); in protobuf, an unnamed dimension is as long as a number: replace them.
    model = locate("centerface").read_bytes()
    fixed = b"".join(b"\n\x02\x08" + bytes([side]) for side in (10, 3, 32, 32))
    free = b"\n\x02\x12\x00"
    model = model.replace(fixed, free + b"\n\x02\x08\x03" + free + free)
    session = onnxruntime.InferenceSession(model, options)
    entry = session.get_inputs()[0].name

    def detect(image: np.ndarray) -> int:
        height, width = image.shape[:2]
        scale = min(1024 / max(height, width), 1)
        w, h = (max(round(side * scale / 32), 1) * 32 for side in (width, height))
        pixels = np.asarray(Image.fromarray(image).resize((w, h)), np.float32).transpose(2, 0, 1)[None]
        heat, size, offset = (np.asarray(output) for output in session.run(None, {entry: pixels})[:3])
        row, column = np.nonzero(heat[0, 0] > threshold)
        tall, wide = np.exp(size[0][:, row, column]) * 4
        y, x = (np.stack([row, column]) + offset[0][:, row, column] + 0.5) * 4
        boxes = np.stack([x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2], 1)
        return len(blaze.suppress(boxes, heat[0, 0, row, column]))

    return detect


def detectors() -> dict[str, Detector]:
    found: dict[str, Detector] = {
        "mien": lambda image: len(find(image)),
        "mien, quick": lambda image: len(find(image, thorough=False)),
    }
    if find_spec("onnxruntime"):
        found["CenterFace"] = centerface()
    if find_spec("dlib"):
        import dlib

        hog = dlib.get_frontal_face_detector()  # pyright: ignore[reportAttributeAccessIssue]
        found["dlib HOG"] = lambda image: len(hog(image, 0))
    return found


def pictures(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"} and path.name not in ANIMALS:
            yield path.name, read_picture(path)


def recall(images: list[tuple[str, np.ndarray]], detect: Detector) -> dict[str, object]:
    detect(images[0][1])
    missed, extra, seconds = [], {}, []
    for name, image in images:
        start = time.perf_counter()
        count = detect(image)
        seconds.append(time.perf_counter() - start)
        if not count:
            missed.append(name)
        elif count > 1:
            extra[name] = count - 1
    return {"pictures": len(images), "missed": missed, "extra": extra, "ms": round(1000 * statistics.median(seconds), 1)}


def follow(path: Path) -> dict[str, float]:
    """Share of frames with a face, and the median time of a frame whose longer side is brought to 640 pixels."""
    follower, seen, seconds = Follower(), 0, []
    for frame in read_video(path):
        picture = Image.fromarray(frame.image)
        scale = 640 / max(picture.size)
        image = np.asarray(picture.resize((round(picture.width * scale), round(picture.height * scale))))
        start = time.perf_counter()
        seen += bool(follower.step(image))
        seconds.append(time.perf_counter() - start)
    ordered = sorted(1000 * value for value in seconds)
    return {"frames": len(ordered), "with_a_face": round(seen / len(ordered), 4), "tracks": follower.begun,
            "ms": round(statistics.median(ordered), 1), "ms_90": round(ordered[int(0.9 * len(ordered))], 1)}


def labelled(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures and one face's points (68, 2); the labels name pixels, whose centres lie half a pixel further."""
    for name in ("testing_with_face_landmarks.xml", "training_with_face_landmarks.xml"):
        for picture in ElementTree.parse(folder / name).getroot().iter("image"):
            image = read_picture(folder / str(picture.get("file")))
            for box in picture.iter("box"):
                points = np.zeros((68, 2))
                for part in box.iter("part"):
                    points[int(str(part.get("name")))] = float(str(part.get("x"))), float(str(part.get("y")))
                yield image, points + 0.5


def landmark_error(folder: Path) -> dict[str, float]:
    errors, plain, widths, lost = [], [], [], 0
    last, faces = None, []
    for image, truth in labelled(folder):
        if image is not last:
            last, faces = image, find_measured(image)
        width = float(np.linalg.norm(truth[36] - truth[45]))
        near = min(faces, key=lambda f, truth=truth: float(np.abs(f.face.landmarks - truth).mean()), default=None)
        if near is None or np.abs(near.face.landmarks - truth).mean() > width / 3:
            lost += 1
            continue
        errors.append(np.linalg.norm(near.face.landmarks - truth, axis=1) / width)
        plain.append(np.linalg.norm(near.mesh[mesh.IBUG, :2] - truth, axis=1) / width)
        widths.append(width)
    error, big = np.array(errors), np.array(widths) >= 25
    percent = {"mean": error.mean(), "jaw": error[:, :17].mean(), "inner_51": error[:, 17:].mean(),
               "median_face": np.median(error.mean(1)), "eyes_25_pixels_apart_or_more": error[big].mean(),
               "without_offsets": np.mean(plain)}
    return {"faces": len(error), "lost": lost, "of_them_25_or_more": int(big.sum()),
            **{name: round(100 * float(value), 2) for name, value in percent.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "find.json")
    args, before = parser.parse_args(), load()
    result: dict[str, object] = {
        "threads": 1,
        "landmarks68, % of the outer eye distance": landmark_error(args.data / "faces" / "landmarks68"),
        "video": {path.name: follow(path) for path in sorted((args.data / "video").glob("*.mp4"))},
    }
    for name in SETS:
        images = list(pictures(args.data / "faces" / name))
        result[name] = {which: recall(images, detect) for which, detect in detectors().items()}
        print(json.dumps({name: result[name]}), flush=True)
    result |= origin(before)
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
