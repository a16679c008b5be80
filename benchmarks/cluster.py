"""Archives in groups: pairwise precision, recall and F1 against true names, what one correction mends, and photos a second.

    python benchmarks/cluster.py --data ../shared/data

A photo's largest face has the name of its folder or file; other faces are bystanders, grouped but not counted. Of two counted faces
the truth is whether they share a name, the answer whether they share a group; faces too poor to decide by share one with nobody.
The corrections are those that a person would make first. Of the largest person who fell apart: one face of either of the two largest
parts (`one_same_ids`), or both groups whole (`one_same_groups`). Of the largest group that holds two people: the most typical face of
either (`one_different`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import torch

from machine import load, origin
from mien.faces.group import SAME
from mien.tasks.recognize.archive import clustered
from mien.tasks.recognize.clustered import Clustered

TWO_PEOPLE = ("two_people", "knn_test_obama_and_biden")


def archives(faces: Path) -> Iterator[tuple[str, list[tuple[Path, str]]]]:
    """Name, and photos with the name of whom they show ('' where it shows two)."""
    lfw, johns = ([(path, path.parent.name) for path in sorted((faces / name).glob("*/*.jpg"))] for name in ("lfw100", "johns"))
    portraits = [(path, "" if path.stem in TWO_PEOPLE else "Obama" if "obama" in path.stem else "Biden")
                 for path in sorted((faces / "portraits").glob("*.jpg"))]  # fmt: skip
    frames = [(path, re.sub(r"_\d+$", "", path.stem)) for path in sorted((faces / "frames347").glob("*.jpg"))]
    people = sorted({name for _, name in frames})
    wanted = set(people[:: len(people) // 100][:100])
    yield "lfw100", lfw
    yield "johns", johns
    yield "portraits and lfw100", portraits + lfw
    yield "frames347, 100 people", [(path, name) for path, name in frames if name in wanted]


def scores(found: Clustered, names: dict[str, str]) -> dict[str, float | int]:
    """Over pairs of faces whose names are known."""
    counted = [(names[one], group.name) for group in found.groups for one in group.ids if one in names]
    right = together = alike = 0
    for (name, group), (other_name, other_group) in combinations(counted, 2):
        same, said = name == other_name, group == other_group != "poor"
        right, together, alike = right + (same and said), together + said, alike + same
    precision, recall = right / max(together, 1), right / max(alike, 1)
    groups = {group for _, group in counted if group != "poor"}
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4),
            "people": len(set(names.values())), "groups": len(found.groups) - any(group.name == "poor" for group in found.groups),
            "groups_of_named_faces": len(groups), "named_faces": len(counted), "faces": found.faces,
            "too_poor": sum(group.faces for group in found.groups if group.name == "poor"),
            "left_out": len(found.left_out)}  # fmt: skip


def corrections(found: Clustered, names: dict[str, str]) -> dict[str, dict[str, list[str]]]:
    """What to say first."""
    said: dict[str, dict[str, list[str]]] = {}
    parts: dict[str, list[tuple[str, list[str]]]] = {}
    mixed: list[tuple[int, list[str]]] = []
    for group in found.groups:
        if group.name == "poor":
            continue
        here: dict[str, list[str]] = {}
        for one in group.ids:
            if one in names:
                here.setdefault(names[one], []).append(one)
        for name, ids in here.items():
            parts.setdefault(name, []).append((group.name, ids))
        if len(here) > 1:
            mixed.append((group.faces, [ids[0] for ids in sorted(here.values(), key=len, reverse=True)[:2]]))
    split = [sorted(groups, key=lambda part: -len(part[1])) for groups in parts.values() if len(groups) > 1]
    if split:
        first, second = max(split, key=lambda part: sum(len(ids) for _, ids in part))[:2]
        said["one_same_ids"] = {"same": [first[1][0], second[1][0]]}
        said["one_same_groups"] = {"same": [first[0], second[0]]}
    if mixed:
        said["one_different"] = {"different": max(mixed)[1]}
    return said


def measured(photos: list[tuple[Path, str]], folder: Path) -> dict[str, object]:
    archive = folder / "archive"
    known: dict[str, str] = {}
    for number, (path, name) in enumerate(photos):
        link = archive / f"{number:04}_{path.name}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
        known[link.name] = name
    start = time.perf_counter()
    found = clustered(archive, folder / "out")
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    clustered(archive, folder / "out")
    again = time.perf_counter() - start
    rows = [line.split(",") for line in (folder / "out" / "groups.csv").read_text().splitlines()[1:]]
    names = {row[5]: known[row[0]] for row in rows if row[5].endswith("-1") and known[row[0]]}
    result: dict[str, object] = {"photos": found.photos, **scores(found, names), "photos_per_second": round(found.photos / seconds, 2),
                                 "seconds_again": round(again, 2)}  # fmt: skip
    for what, said in corrections(found, names).items():
        shutil.copytree(folder / "out", folder / what)
        mended = scores(clustered(archive, folder / what, **said), names)
        result[what] = {name: mended[name] for name in ("precision", "recall", "f1", "groups")}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Archives in groups.")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MIEN_TEST_DATA", "../shared/data")))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "cluster.json")
    options, before = parser.parse_args(), load()
    torch.set_num_threads(options.threads)
    results = {}
    for name, photos in archives(options.data / "faces"):
        assert Counter(path for path, _ in photos).most_common(1)[0][1] == 1
        with tempfile.TemporaryDirectory() as folder:
            results[name] = measured(photos, Path(folder))
        print(name, json.dumps(results[name]), flush=True)
    result = {"claim": "faces of one person in one group: pairwise scores at the default threshold", "model": "dlib-face",
              "threshold": SAME, "threads": options.threads, "archives": results, **origin(before)}  # fmt: skip
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
