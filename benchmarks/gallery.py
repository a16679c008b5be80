"""A gallery of a million vectors: how fast, how exact, how large; results/gallery.json.

Vectors are structured as those of faces are, since unstructured ones mislead: 200,000 people, a point each on a curved surface of 16
dimensions in 128, five vectors a person around it (spread about a third of the distance to the next person), length about 1.4.
Questions are new vectors of the same people. The truth is brute force in float32.

    python benchmarks/gallery.py [--people 200000] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from machine import load, origin
from mien.gallery import Gallery, Record, open_gallery
from mien.gallery.index import PROBES
from mien.types import Space

SIZE, LATENT, EACH, QUERIES = 128, 16, 5, 1000
SPACE = Space("benchmark", "0" * 64, "none", "none", SIZE)
PERSON = "INSERT INTO person (id, tag, name, consent, added, updated, keep_until) VALUES (?, ?, ?, x'', '', '', '')"
RECORD = "INSERT INTO record (id, person, vector, source, quality) VALUES (?, ?, ?, x'', 0)"
SEEN = """
import sys, time
import numpy as np
from mien.gallery import open_gallery
with open_gallery(sys.argv[1]) as gallery:
    gallery.search(np.zeros((1, 128), np.float32))
    print("ready", flush=True)
    vector = np.frombuffer(bytes.fromhex(sys.stdin.readline().strip()), np.float32)[None]
    start = time.perf_counter()
    hit = gallery.search(vector, 1)[0][0]
    print(hit.name, round(1000 * (time.perf_counter() - start), 1), flush=True)
"""


def surface(people: int, seed: int = 0) -> Callable[[np.ndarray, int], np.ndarray]:
    """Person numbers (N,) and a seed -> vectors (N, 128) of them."""
    draw = np.random.default_rng(seed)
    latent = draw.normal(size=(people, LATENT)).astype(np.float32)
    inner, outer = (draw.normal(size=shape).astype(np.float32) for shape in ((LATENT, 64), (64, SIZE)))
    scale = 1.4 / np.linalg.norm(np.tanh(latent[:1000] @ inner / LATENT ** 0.5) @ outer, axis=1).mean()

    def vectors(who: np.ndarray, seed: int) -> np.ndarray:
        noise = np.random.default_rng(seed)
        points = latent[who] + 0.15 * noise.normal(size=(len(who), LATENT)).astype(np.float32)
        return scale * (np.tanh(points @ inner / LATENT ** 0.5) @ outer) + 0.01 * noise.normal(size=(len(who), SIZE))

    return lambda who, seed: vectors(who, seed).astype(np.float32)


def fill(path: Path, vectors: Callable[[np.ndarray, int], np.ndarray], people: int) -> float:
    """Seconds to write everybody's rows, a thousand people a transaction; enrolment itself is timed in `changed`."""
    start = time.perf_counter()
    with open_gallery(path, SPACE) as gallery:
        for first in range(0, people, 1000):
            who = np.arange(first, min(first + 1000, people)).repeat(EACH)
            names = [f"Person {number:06d}" for number in range(first, min(first + 1000, people))]
            with gallery.store.writing():
                gallery.store.write_many(PERSON, [(first + row + 1, gallery.cipher.tag(name), name.encode())
                                                  for row, name in enumerate(names)])
                gallery.store.write_many(RECORD, [(first * EACH + row + 1, first + row // EACH + 1, vector.tobytes())
                                                  for row, vector in enumerate(vectors(who, first + 1))])
    return time.perf_counter() - start


def nearest(path: Path, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The record of the nearest vector to each question, and its distance, by brute force."""
    best, record = np.full(len(queries), np.inf), np.zeros(len(queries), np.int64)
    with open_gallery(path) as gallery:
        for some in gallery.store.stream("SELECT id, vector FROM record"):
            block = np.frombuffer(b"".join(row[1] for row in some), "<f4").reshape(-1, SIZE)
            square = (queries ** 2).sum(1)[:, None] - 2 * queries @ block.T + (block ** 2).sum(1)
            at = square.argmin(1)
            exact = np.linalg.norm(queries - block[at], axis=1)
            record = np.where(exact < best, np.array([row[0] for row in some])[at], record)
            best = np.minimum(exact, best)
    return record, best


def resident() -> float:
    """Megabytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def ask(gallery: Gallery, queries: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Milliseconds a question, one at a time through `Gallery.search`, and how many found the nearest of all."""
    times, busy, right = [], [], 0
    for query, record in zip(queries, truth, strict=True):
        start, worked = time.perf_counter(), time.thread_time()
        hits = gallery.search(query[None], 5)[0]
        times.append(1000 * (time.perf_counter() - start))
        busy.append(1000 * (time.thread_time() - worked))
        right += hits[0].record == record
    return {"p50_ms": round(float(np.percentile(times, 50)), 2), "p99_ms": round(float(np.percentile(times, 99)), 2),
            "p50_cpu_ms": round(float(np.percentile(busy, 50)), 2), "p99_cpu_ms": round(float(np.percentile(busy, 99)), 2),
            "recall_at_1": right / len(queries)}


def searched(path: Path, exact_to: int, queries: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Load an index, weigh it, ask it."""
    with open_gallery(path, exact_to=exact_to) as gallery:
        import faiss  # noqa: F401 -- its own code is not the index's memory

        before, start = resident(), time.perf_counter()
        kind = type(gallery.index()).__name__
        result = {"index": kind, "load_s": round(time.perf_counter() - start, 1), "index_mb": round(resident() - before)}
        gallery.search(queries[:20])
        return result | ask(gallery, queries, truth)


def changed(path: Path, vectors: Callable[[np.ndarray, int], np.ndarray]) -> dict[str, Any]:
    """Enroll into the full gallery, see it from another process, forget."""
    with open_gallery(path) as gallery:
        gallery.search(vectors(np.arange(1), 9))
        other = subprocess.Popen([sys.executable, "-c", SEEN, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        times = []
        for number, row in enumerate(vectors(np.arange(100), 77)):
            start = time.perf_counter()
            gallery.enroll(f"New {number}", [Record(row + 3)])
            gallery.index()
            times.append(1000 * (time.perf_counter() - start))
        row = vectors(np.arange(100), 77)[42] + 3
        print(row.astype("<f4").tobytes().hex(), file=other.stdin, flush=True)
        name = other.stdout.readline().strip()
        other.wait()
        start = time.perf_counter()
        receipt = gallery.forget("New 42")
        return {"enroll_p50_ms": round(float(np.percentile(times, 50)), 2), "enroll_p99_ms": round(float(np.percentile(times, 99)), 2),
                "another_process_finds": name, "forget_s": round(time.perf_counter() - start, 1), "forget_proved": receipt.proved,
                "receipt": str(receipt)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "gallery.json")
    options = parser.parse_args()
    before = load()
    vectors = surface(options.people)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "gallery.db")  # a new one each time: what an earlier run enrolled would move the counts
        result: dict[str, Any] = {"vectors": EACH * options.people, "size": SIZE, "latent": LATENT, "queries": QUERIES}
        result["fill_s"] = round(fill(path, vectors, options.people), 1)
        result["file_mb"] = round(path.stat().st_size / 1e6)
        queries = vectors(np.random.default_rng(5).integers(0, options.people, QUERIES), 6)
        truth, _ = nearest(path, queries)
        result["exact"] = searched(path, EACH * options.people, queries, truth)
        cells = searched(path, 0, queries, truth)
        del cells["index_mb"]  # it fills memory that the exact index left behind, so growth says too little
        result["cells"] = {"probes": PROBES} | cells
        result["changes"] = changed(path, vectors)
    result |= origin(before)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
