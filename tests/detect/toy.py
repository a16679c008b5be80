"""A small data set: two kinds of squares on grey."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from mien.types import Detections

COLOURS = ((220, 60, 60), (60, 60, 220))


def toy_picture(random: np.random.Generator, height: int = 64, width: int = 64) -> tuple[np.ndarray, Detections]:
    """(H, W, 3) uint8 with a red and a blue square that do not cover each other."""
    image = (90 + random.integers(-6, 7, (height, width, 3))).astype(np.uint8)
    boxes = []
    for half, colour in enumerate(COLOURS):
        side = int(random.integers(18, width // 2 - 2))
        x = half * width // 2 + int(random.integers(0, width // 2 - side))
        y = int(random.integers(0, height - side))
        image[y:y + side, x:x + side] = colour
        boxes.append((x, y, x + side, y + side))
    return image, Detections.of(boxes, [0, 1])


def toy_pictures(count: int, seed: int = 0) -> list[tuple[np.ndarray, Detections]]:
    random = np.random.default_rng(seed)
    return [toy_picture(random) for _ in range(count)]


def toy_set(root: Path, train: int = 6, test: int = 3) -> Path:
    """The same as COCO files."""
    (root / "images").mkdir(parents=True)
    for part, count in (("train", train), ("test", test)):
        images, boxes = [], []
        for number, (image, truth) in enumerate(toy_pictures(count, seed=count), 1):
            Image.fromarray(image).save(root / "images" / f"{part}{number}.png")
            images.append({"id": number, "file_name": f"{part}{number}.png", "width": 64, "height": 64})
            for (x1, y1, x2, y2), label in zip(truth.boxes.tolist(), truth.labels.tolist(), strict=True):
                boxes.append({"id": len(boxes) + 1, "image_id": number, "category_id": label + 1, "iscrowd": 0,
                              "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)})  # fmt: skip
        table = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "red"}, {"id": 2, "name": "blue"}]}
        (root / f"{part}.json").write_text(json.dumps(table))
    return root
