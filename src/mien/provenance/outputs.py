"""Whether a result can be written, and signed, under the name it shall have: asked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mien.data.pictures import WRITABLE
from mien.provenance.container import SIGNABLE

SIGNED = tuple(suffix for name, suffixes in SIGNABLE.values() if name in ("JPEG", "PNG") for suffix in suffixes)
"""Of pictures."""


def checked(sources: Sequence[Path], output: Path, signing: bool) -> str:
    """PNG, JPEG or WEBP, as the output's name says. ValueError for a name that will not do."""
    name = WRITABLE.get(output.suffix.lower())
    if name is None:
        raise ValueError(f"{output}: cannot write {output.suffix or 'no suffix'}, expected one of {' '.join(WRITABLE)}")
    if output.is_dir():
        raise ValueError(f"{output} is a folder, expected the name of a picture")
    if any(output.resolve() == source.resolve() for source in sources):
        raise ValueError(f"{output} is the picture itself: choose another name, so that the original is kept")
    if signing and output.suffix.lower() not in SIGNED:
        raise ValueError(f"{output}: a {name} file cannot be signed: write {' or '.join(SIGNED)}, or leave signing out")
    return name
