"""Small data sets of boxes, made in a folder."""

import json
from pathlib import Path

import numpy as np
from PIL import Image


def picture(path: Path, width: int = 40, height: int = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(path.name.encode())
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)).save(path)
    return path


def xml(path: Path, boxes: list[tuple], size: tuple[int, int] = (40, 30), difficult: int = 0) -> None:
    """boxes: (name, xmin, ymin, xmax, ymax)."""
    objects = "".join(
        f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax>"
        f"<ymax>{d}</ymax></bndbox></object>"
        for name, a, b, c, d in boxes
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>{objects}</annotation>")


def voc(root: Path, boxes: dict[str, list[tuple]], **splits: list[str]) -> Path:
    """Stem -> boxes; split -> stems."""
    for stem, ones in boxes.items():
        picture(root / "JPEGImages" / f"{stem}.png")
        xml(root / "Annotations" / f"{stem}.xml", ones)
    for split, stems in splits.items():
        path = root / "ImageSets" / "Main" / f"{split}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(stems) + "\n")
    return root


def coco(path: Path, boxes: dict[str, list[tuple]], names: dict[int, str], pictures: str = "images", first: int = 1) -> Path:
    """File name -> (category, x, y, w, h[, iscrowd]); the pictures are made in the folder `pictures` beside the JSON."""
    images, annotations = [], []
    for number, (file, ones) in enumerate(boxes.items(), first):
        picture(path.parent / pictures / file)
        images.append({"id": number, "file_name": file, "width": 40, "height": 30})
        for category, x, y, w, h, *crowd in ones:
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": category, "bbox": [x, y, w, h],
                                "area": w * h, "iscrowd": int(bool(crowd and crowd[0]))})  # fmt: skip
    categories = [{"id": number, "name": name} for number, name in names.items()]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path
