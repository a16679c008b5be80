"""Whether a result can be written, and signed, under the name it shall have: asked before anything is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mien.data.pictures import WRITABLE
from mien.progress import say
from mien.provenance.container import SIGNABLE
from mien.types import Source

SIGNED = tuple(suffix for name, suffixes in SIGNABLE.values() if name in ("JPEG", "PNG") for suffix in suffixes)
"""Of pictures."""
LARGE = 1 << 28
"""Bytes of a file beyond which it is not signed: who signs holds it in memory several times."""


def checked(sources: Sequence[Path], output: Path, signing: bool) -> str:
    """PNG, JPEG or WEBP, as the output's name says. ValueError for a name that will not do."""
    if output.is_dir():
        raise ValueError(f"{output} is a folder, expected the name of a picture")
    name = WRITABLE.get(output.suffix.lower())
    if name is None:
        raise ValueError(f"{output}: cannot write {output.suffix or 'no suffix'}, expected one of {' '.join(WRITABLE)}")
    if any(output.resolve() == source.resolve() for source in sources):
        raise ValueError(f"{output} is the picture itself: choose another name, so that the original is kept")
    if signing and output.suffix.lower() not in SIGNED:
        raise ValueError(f"{output}: a {name} file cannot be signed: write {' or '.join(SIGNED)}, or leave signing out")
    return name


def too_large(draft: Path, output: Path) -> bool:
    """Whether `draft`, a picture that will be `output`, is too large to be signed; a line says so."""
    size = draft.stat().st_size
    large = size > LARGE and draft.suffix.lower() in SIGNED
    if large:
        say(f"{output.name} has {size // 1_000_000} MB: too large to be signed")
    return large


def targets(found: Sequence[Source], source: Path, output: Path, signing: bool) -> list[Path]:
    """Where what is made of the files `found` in a folder `source` goes below `output`: a .jpg or .png stays one, any other picture
    becomes .png, a video .mp4. Two that would become the same file keep their suffix in the name (`a.bmp.png`).
    """
    kept = SIGNED if signing else tuple(WRITABLE)
    suffixes = [".mp4" if one.kind == "video" else one.path.suffix if one.path.suffix.lower() in kept else ".png" for one in found]
    plain = [output / one.path.relative_to(source).with_suffix(suffix) for one, suffix in zip(found, suffixes, strict=True)]
    often = Counter(str(path).casefold() for path in plain)
    alone = [often[str(path).casefold()] == 1 or path.suffix == one.path.suffix for one, path in zip(found, plain, strict=True)]
    whole = [path.with_name(one.path.name + path.suffix) for one, path in zip(found, plain, strict=True)]
    return [path if clear else longer for path, longer, clear in zip(plain, whole, alone, strict=True)]
