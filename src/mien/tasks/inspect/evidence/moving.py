"""What a video's container says of itself."""

from __future__ import annotations

from pathlib import Path

from mien.data.video.container import opened
from mien.tasks.inspect.evidence.metadata import LIMITS, Metadata, camera_of, named
from mien.tasks.inspect.evidence.words import Words, clean

APPLE = "com.apple.quicktime."
MOST = 30
"""Entries kept."""


def container_metadata(path: Path) -> Metadata:
    """Camera, software and date as the container names them, everything else as texts. ValueError: no video."""
    with opened(path) as container:
        entries = {clean(name, 60): clean(value) for name, value in list(container.metadata.items())[:MOST]}
    camera = camera_of(entries.pop(APPLE + "make", ""), entries.pop(APPLE + "model", ""))
    software = entries.pop(APPLE + "software", None) or entries.pop("encoder", None)
    taken = entries.pop("creation_time", None)
    place = any("location" in name for name in entries)
    texts = {name: value for name, value in entries.items() if "location" not in name}
    editors = named(" ".join(filter(None, (software, *texts.values()))).casefold(), texts)
    said = [f"{name}: {value}." for name, value in (("Camera", camera), ("Software", software), ("Made", taken)) if value]
    meaning = f"It names programs that change or make pictures ({', '.join(editors)})." if editors else "Nothing in it stands out."
    words = Words(" ".join(said) or "It says nothing of itself.", meaning, LIMITS)
    return Metadata(camera, software, taken, None, 1, place, editors, texts, None, words)
