"""A swap of two 200-frame clips on this machine: quality after some minutes, against `original` from scratch, speed, memory.

    python benchmarks/swap.py DATA [--minutes 10] [--original 10] [--out FOLDER]

DATA holds video/wda_*.mp4. Frames 0 to 159 train, 160 to 199 are held out. Both networks are measured by the same protocol
(`mien swap evaluate`: 128-px window, inside the face). Seconds to an SSIM are read off the training's own held-out score, the mean
over both people on the last tenth of the training frames, taken every 30 seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import load, origin

HERE = Path(__file__).parent
CLIPS = {"aoc": "wda_alexandriaocasiocortez_000.mp4", "katie": "wda_katiehill_000.mp4"}


def mien(*words: str) -> tuple[dict, float, int]:
    """One command in a process of its own: its JSON, seconds, and peak memory in MB."""
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "mien", *words, "--json"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"mien {' '.join(words)} failed: {text}")
    return json.loads(text), time.monotonic() - began, usage.ru_maxrss // 1024


def learn(network: str, people: list[str], clips: dict[str, Path], out: Path, minutes: float) -> dict:
    """Train and measure one network."""
    trained, _, memory = mien("swap", "train", *people, "--out", str(out), "--network", network, "--frames", ":160",
                              "--minutes", str(minutes))
    figures, _, _ = mien("swap", "evaluate", str(out), *map(str, clips.values()), "--frames", "160:")
    from mien.train import load_latest

    checkpoint = load_latest(out / "run")
    assert checkpoint
    history = [{k: round(e[k], 4) for k in ("step", "seconds", "score")} for e in checkpoint.state["history"]]
    reached = {f"seconds_to_{level}": next((round(e["seconds"]) for e in history if e["score"] >= level), None)
               for level in (0.6, 0.7, 0.75, 0.8)}
    return {"train": trained, "memory_mb": memory, "evaluate": figures, **reached, "history": history}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--original", type=float, default=10, help="minutes for `original`; 0 leaves it out")
    parser.add_argument("--out", type=Path)
    given, before = parser.parse_args(), load()
    clips = {name: given.data / "video" / file for name, file in CLIPS.items()}
    if not all(path.is_file() for path in clips.values()):
        print(f"skipped: no clips in {given.data}/video")
        return
    out = given.out or Path(tempfile.mkdtemp())
    people = [f"{name}={path}" for name, path in clips.items()]
    result: dict[str, Any] = {"protocol": (__doc__ or "").split("\n\n")[2]}
    result["compact"] = learn("compact", people, clips, out / "compact", given.minutes)
    target = out / "swapped.mp4"
    target.unlink(missing_ok=True)
    applied, seconds, memory = mien("swap", "apply", str(out / "compact"), str(clips["aoc"]), "--to", "katie", "--output", str(target))
    result["apply"] = {**applied, "output": target.name, "seconds_with_start": round(seconds, 1), "memory_mb": memory}
    if given.original:
        result["original"] = learn("original", people, clips, out / "original", given.original)
    result |= origin(before)
    text = json.dumps(result, indent=1).replace(str(given.data), "DATA").replace(str(out), "OUT")
    (HERE / "results" / "swap.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
