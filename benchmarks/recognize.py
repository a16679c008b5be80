"""From a photo to a vector, and how often people are told apart: mien against face_recognition (dlib-bin), in one run.

    python -m venv peer && peer/bin/pip install dlib-bin numpy pillow click 'setuptools<81'
    peer/bin/pip install --no-deps face_recognition face_recognition_models
    python benchmarks/recognize.py --peer peer/bin/python --data DATA          # DATA/faces/lfw100, johns, frames347

Speed: 30 photos of LFW (250 pixels), read from disk, faces found, aligned, described; contestants take turns over the rounds, each in
a process of its own that is warm and whose networks use one thread. "single": one photo after another; "batch": the contestant's own
way for many (face_recognition has none on a CPU). Wall time tells what a person waits for, processor time (of all threads) what it
takes, however busy the machine is with other work. "folder": 500 photos in a new process, from its start to its end.
Quality: all pairs of lfw100 and johns, the largest face of each photo, threshold as shipped for a false-match rate of 1 %.
Memory: one process looks at photos again and again, and asks a gallery each time; what it holds after the first tenth and at the end;
and the most that a process holds that looks at one huge photo.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import load, origin

PHOTOS, FOLDER, ROUNDS, CALLS = 30, 500, 3, 300
ALONE = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PEER = """
import sys, json, time
import face_recognition
def vector(path):
    image = face_recognition.load_image_file(path)
    return face_recognition.face_encodings(image)
first = True
for line in sys.stdin:
    paths = json.loads(line)
    if first:
        vector(paths[0])
        first = False
    began, used = time.perf_counter(), time.process_time()
    found = sum(len(vector(path)) > 0 for path in paths)
    took = {"seconds": time.perf_counter() - began, "processor": time.process_time() - used}
    print(json.dumps(took | {"found": found}), flush=True)
"""
OURS = """
import sys, json, time
from pathlib import Path
from mien.faces.probe import Prober
prober = Prober(sys.argv[1], search=sys.argv[2])
first = True
for line in sys.stdin:
    paths = [Path(p) for p in json.loads(line)]
    if first:
        list(prober.photos(paths[:2]))
        first = False
    began, used = time.perf_counter(), time.process_time()
    if sys.argv[3] == "batch":
        found = sum(bool(faces) for _, faces in prober.photos(paths))
    else:
        found = sum(bool(prober.photo(path)) for path in paths)
    took = {"seconds": time.perf_counter() - began, "processor": time.process_time() - used}
    print(json.dumps(took | {"found": found}), flush=True)
"""
HUGE = """
import re, sys
from pathlib import Path
from mien.faces.probe import Prober
prober = Prober("mien-face")
for path in sys.argv[1:]:
    assert prober.photo(Path(path))
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])  # ru_maxrss would count the parent
"""


def contestants(peer: str) -> dict[str, list[str]]:
    """Name -> the command that answers lists of photos with seconds."""
    searches = {"dlib-face": ("largest", "everybody", "quick", "thorough"), "mien-face": ("largest", "everybody")}
    ours = [(model, search, way) for model, those in searches.items() for search in those for way in ("single", "batch")]
    return {"face_recognition": [peer, "-c", PEER]} | {
        f"mien {model}, {search} search, {way}": [sys.executable, "-c", OURS, model, search, way] for model, search, way in ours
    }


def speed(peer: str, photos: list[str]) -> dict[str, dict[str, float]]:
    """Photos a second, median over rounds, and the ratio to the peer."""
    running = {
        name: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               env=ALONE)
        for name, command in contestants(peer).items()
    }
    told: dict[str, list[dict[str, float]]] = {name: [] for name in running}
    for turn in range(ROUNDS):
        for name, process in running.items():
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(photos) + "\n")
            process.stdin.flush()
            told[name].append(json.loads(process.stdout.readline()))
            wall, cpu = (told[name][-1][clock] / len(photos) for clock in ("seconds", "processor"))
            print(f"round {turn + 1}: {name} {1000 * wall:.1f} ms a photo, of the processor {1000 * cpu:.1f}", file=sys.stderr)
    for process in running.values():
        process.kill()
    wall, cpu = (
        {name: statistics.median(len(photos) / one[clock] for one in all_) for name, all_ in told.items()}
        for clock in ("seconds", "processor")
    )
    peer_wall, peer_cpu = wall["face_recognition"], cpu["face_recognition"]
    return {
        name: {"photos_per_second": round(wall[name], 2), "times_peer": round(wall[name] / peer_wall, 2),
               "processor_ms": round(1000 / cpu[name], 1), "times_peer_by_processor_time": round(cpu[name] / peer_cpu, 2),
               "found": told[name][-1]["found"]}
        for name in told
    }


def folder(peer: str, photos: list[str]) -> dict[str, float]:
    """Seconds for a whole folder, processes started anew."""
    left_out = ("single", "largest")
    chosen = {name: command for name, command in contestants(peer).items() if not any(word in name for word in left_out)}
    out = {}
    for name, command in chosen.items():
        began = time.perf_counter()
        subprocess.run(command, input=json.dumps(photos) + "\n", text=True, capture_output=True, check=True, env=ALONE)
        out[name] = round(time.perf_counter() - began, 1)
        print(f"folder of {len(photos)}: {name} {out[name]} s", file=sys.stderr)
    return out


def quality(data: Path) -> dict[str, dict[str, float]]:
    """Of both networks on both sets."""
    from mien.tasks.recognize.run import evaluate

    out = {}
    for model in ("dlib-face", "mien-face"):
        for name in ("lfw100", "johns"):
            found = evaluate(data / "faces" / name, model=model)
            right = found.false_match.total - found.false_match.count + found.false_non_match.total - found.false_non_match.count
            out[f"{model}, {name}"] = {
                "auc": found.auc.value, "eer": found.eer.value, "threshold": found.threshold, "pictures": found.pictures,
                "accuracy_at_threshold": right / (found.false_match.total + found.false_non_match.total),
                "false_match_rate": found.false_match.value, "false_non_match_rate": found.false_non_match.value,
                "rank1": found.rank1.value if found.rank1 else None, "failure_to_acquire": found.failure_to_acquire.value,
                "pairs": found.same_pairs + found.different_pairs,
            }  # fmt: skip
            print(f"{model} {name}: {out[f'{model}, {name}']}", file=sys.stderr)
    return out


def memory(photos: list[Path], folder_: Path) -> dict[str, float]:
    """Megabytes of the process over `CALLS` photos."""
    from mien.tasks.recognize.opening import opened, prober
    from mien.tasks.recognize.run import enroll

    where = str(folder_ / "memory.db")
    enroll("somebody", (photos[0],), gallery=where, face="largest")
    sizes = []
    with opened(where, "") as gallery:
        asked = prober(gallery)
        for call in range(CALLS):
            for _, found in asked.photos([photos[call % len(photos)]]):
                gallery.search(found[0].vector[None])  # pyright: ignore[reportIndexIssue]
            sizes.append(resident())
    return {"calls": CALLS, "after_a_tenth_mb": sizes[CALLS // 10], "at_the_end_mb": sizes[-1], "peak_mb": peak()}


def huge(photo: Path, folder_: Path) -> dict[str, float]:
    """The most megabytes a process held that looked at a photo of 144 megapixels: one with a large face, one with a small one too."""
    from PIL import Image

    out = {}
    for name, widths in {"no photo": (), "a large face": (2500,), "a large and a small face": (2500, 700)}.items():
        scene = Image.new("RGB", (12000, 12000), (90, 110, 100))
        for place, width in enumerate(widths):
            scene.paste(Image.open(photo).resize((width, width)), (1000 + 5000 * place, 1000))
        if widths:
            scene.save(folder_ / "huge.jpg", quality=85)
        told = subprocess.run([sys.executable, "-c", HUGE, *([str(folder_ / "huge.jpg")] if widths else [])], env=ALONE, text=True,
                              capture_output=True, check=True)
        out[f"{name}_mb"] = round(float(told.stdout) / 1e3)
    return out


def resident() -> float:
    """Megabytes of this process in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def peak() -> float:
    """The most it was, in megabytes."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default=sys.executable, help="a Python that has face_recognition")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data", help="holds faces/")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "recognize.json")
    parser.add_argument("--only", choices=("speed", "folder", "quality", "memory", "huge"), action="append")
    given = parser.parse_args()
    if not (given.data / "faces" / "lfw100").is_dir():
        print(f"skipped: no {given.data}/faces/lfw100")
        return
    parts = given.only or ["quality", "speed", "folder", "memory", "huge"]
    if subprocess.run([given.peer, "-c", "import face_recognition"], capture_output=True, check=False).returncode:
        print(f"speed is left out: {given.peer} has no face_recognition (--peer)")
        parts = [part for part in parts if part not in ("speed", "folder")]
    before, lfw = load(), sorted((given.data / "faces" / "lfw100").glob("*/*.jpg"))
    many = [str(path) for path in sorted((given.data / "faces" / "frames347").glob("*.jpg"))[:FOLDER]]
    table = json.loads(given.out.read_text()) if given.only and given.out.is_file() else {}
    if "quality" in parts:
        table["quality"] = quality(given.data)
    if "speed" in parts:
        table["speed"] = speed(given.peer, [str(path) for path in lfw[::3][:PHOTOS]])
    if "folder" in parts:
        table["folder_of_500_seconds"] = folder(given.peer, many)
    with tempfile.TemporaryDirectory() as room:
        if "memory" in parts:
            table["memory"] = memory(lfw[::3][:PHOTOS], Path(room))
        if "huge" in parts:
            table["peak_at_144_megapixels"] = huge(lfw[0], Path(room))
    given.out.write_text(json.dumps(table | origin(before), indent=2) + "\n")
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
