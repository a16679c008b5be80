"""Signed as what it is: a picture or a video that was enlarged."""

from __future__ import annotations

from pathlib import Path

from mien.provenance.identity import Identity
from mien.provenance.label import read_label
from mien.provenance.manifest import ENHANCED, sign
from mien.provenance.outputs import too_large
from mien.tiled import Enlarger


def signed_as_enlarged(draft: Path, output: Path, source: Path, enlarger: Enlarger, signer: Identity | None) -> bool:
    """Sign `draft` as what it is: an enhanced `source`; a label that says the source was generated goes on with it.

    False, with a line, for a picture too large to be held in memory.
    """
    if too_large(draft, output):
        return False
    sign_as_enlarged(draft, draft, output.name, source, enlarger, signer)
    return True


def sign_as_enlarged(draft: Path, target: Path, title: str, source: Path, enlarger: Enlarger, signer: Identity | None) -> None:
    """Sign a picture or a video, whatever its size."""
    by = "interpolation" if enlarger.name == "bicubic" else "a trained network"
    sign(draft, target, title=title, action=f"enlarged {enlarger.scale} times by {by} ({enlarger.name})", parents=[source],
         model=f"mien upscale {enlarger.name}", identity=signer, label=read_label(source) or {}, source_type=ENHANCED)
