"""What can be made again but took a while: kept per user, below one folder."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(room: str) -> Path:
    """`$XDG_CACHE_HOME/mien/ROOM`, by default `~/.cache/mien/ROOM`; it need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mien" / room
