"""The one face of a photo that is meant, or words that say why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mien.faces.probe import Probe, Prober
from mien.faces.search import Search
from mien.progress import say

CLEAR = 2.0
"""The largest face is the one meant without being asked for when the next is smaller by this factor."""


def looked_for(face: str) -> Search:
    """The search that `one_face` needs: who asks for the second face wants the small ones counted too."""
    return "largest" if face in ("", "largest") else "thorough"


def one_face(prober: Prober, photo: Path, face: str = "") -> Probe:
    """The face of a photo to decide by. ValueError where there is none, it is not clear which, or it is too poor."""
    probe = chosen(prober.photo(photo), str(photo), face)
    if faults := probe.quality.faults:
        raise ValueError(f"the face in {photo} is too poor to decide by: {'; '.join(faults)}; take another photo")
    return probe


def chosen(probes: Sequence[Probe], name: str, face: str = "") -> Probe:
    """`face`: "largest", a number from 1 (the largest) on, or nothing: then one face must stand out."""
    if not probes:
        raise ValueError(f"no face in {name}: expected a photo with one")
    if face == "largest":
        return probes[0]
    if face:
        if not face.isdecimal() or not 1 <= int(face) <= len(probes):
            raise ValueError(f"--face is {face}: {name} shows {len(probes)}, expected largest or 1 (the largest) to {len(probes)}")
        return probes[int(face) - 1]
    if len(probes) > 1:
        if probes[0].face.size < CLEAR * probes[1].face.size:
            places = ", ".join(f"{i} at {one.face.box[0]:.0f},{one.face.box[1]:.0f}" for i, one in enumerate(probes, 1))
            raise ValueError(f"{name} shows {len(probes)} faces ({places}): choose with --face largest or --face N")
        say(f"{name} shows {len(probes)} faces: the largest is taken")
    return probes[0]
