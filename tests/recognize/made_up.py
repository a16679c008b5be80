"""Vectors without a network: a place for each person, and noise."""

from pathlib import Path

import numpy as np

from mien.tasks.recognize.figures import Look, Seen
from mien.tasks.recognize.pairs import Labelled


def pictures(people: int, each: int, spread: float = 0.3, groups: bool = False, seed: int = 0) -> tuple[Labelled, dict[Path, Seen]]:
    """Made-up vectors: a place for each person, and noise."""
    random = np.random.default_rng(seed)
    names = [f"p{number:02}" for number in range(people) for _ in range(each)]
    centres = random.normal(size=(people, 8))
    paths = tuple(Path(f"{name}/{number}.png") for number, name in enumerate(names))
    seen = {path: Seen((centres[int(name[1:])] + spread * random.normal(size=8)).astype(np.float32)) for path, name in
            zip(paths, names, strict=True)}  # fmt: skip
    of = tuple("left" if int(name[1:]) % 2 else "right" for name in names) if groups else None
    return Labelled(paths, tuple(names), of, None, True, "made-up pictures"), seen


def look(seen: dict[Path, Seen]) -> Look:
    return lambda paths: [seen[path] for path in paths]
