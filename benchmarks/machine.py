"""Where a figure comes from: the hardware, how busy it was, the commit and the day. Run alone, it shows them."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def load() -> float:
    """Processes that were running or waiting, on average over the last minute."""
    return round(os.getloadavg()[0], 2)


def origin(load_before: float) -> dict[str, Any]:
    """`hardware`, `commit` (with a + where tracked files differ from it) and `date`: for the end of a result."""
    from mien.runtime import cores, cpu_flags, cpu_name

    here = Path(__file__).parent
    describe = ["git", "describe", "--always", "--exclude=*", "--dirty=+"]
    commit = subprocess.run(describe, cwd=here, capture_output=True, text=True, check=False)
    hardware = {"cpu": cpu_name(), "cores": cores(), "bf16": sorted(cpu_flags()), "load_before": load_before, "load_after": load()}
    return {"hardware": hardware, "commit": commit.stdout.strip(), "date": datetime.now(UTC).strftime("%Y-%m-%d")}


if __name__ == "__main__":
    print(json.dumps(origin(load()), indent=2))
