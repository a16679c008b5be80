"""Extraction from video: frames a second from the file to the finished face set, and the memory at its highest.

    python benchmarks/extract.py

Every round runs in a fresh process with `--threads` threads, start-up left out. Whatever else the machine does slows the
rate: its load is noted, and the processor time a frame, which other work changes far less.
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


def one(video: Path, threads: int) -> dict[str, float]:
    """Extract once in this process."""
    import torch

    from mien.faces.describe import Describer
    from mien.faces.extract import extract

    torch.set_num_threads(threads)
    Describer()
    before = resource.getrusage(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        faces = extract([video], Path(folder) / "set")
        seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    frames = len(set(faces.column("frame")))
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"frames": frames, "faces": len(faces), "frames_per_second": round(frames / seconds, 1),
            "cpu_ms_per_frame": round(1000 * used / frames, 1), "mb_before": round(before.ru_maxrss / 1000),
            "peak_mb": round(after.ru_maxrss / 1000)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MIEN_TEST_DATA", "../shared/data")))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "extract.json")
    parser.add_argument("--one", action="store_true", help="a single round, printed")
    options, before = parser.parse_args(), load()
    video = options.data / "video" / "wda_katiehill_000.mp4"
    if options.one:
        print(json.dumps(one(video, options.threads)))
        return
    command = [sys.executable, __file__, "--one", "--data", str(options.data), "--threads", str(options.threads)]
    rounds = []
    for _ in range(options.rounds):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rounds.append(json.loads(done.stdout.splitlines()[-1]))
    rates = [each["frames_per_second"] for each in rounds]
    result = {
        "what": f"mien faces extract, {video.name} (512 x 512, {rounds[0]['frames']} frames), crops of 256 pixels",
        "threads": options.threads,
        "frames_per_second": {"median": statistics.median(rates), "low": min(rates), "high": max(rates)},
        "cpu_ms_per_frame": statistics.median(each["cpu_ms_per_frame"] for each in rounds),
        "mb_before": statistics.median(each["mb_before"] for each in rounds),
        "peak_mb": max(each["peak_mb"] for each in rounds),
        "rounds": rounds,
        **origin(before),
    }
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
