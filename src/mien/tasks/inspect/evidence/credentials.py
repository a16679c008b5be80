"""Content Credentials and the label of generated pictures: what a signer states, checked as `mien provenance` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mien.provenance.report import Provenance, verify
from mien.tasks.inspect.evidence.words import Words, clean

GENERATED = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia", "compositeSynthetic")
"""IPTC digital source types of what an algorithm made or helped to make."""
NONE = Words("No Content Credentials and no label.", "Most pictures have none, honest or not.",
             "Credentials are easily stripped: their absence says nothing.")  # fmt: skip
LIMITS = ("A signature proves who signed and that nothing changed since, not that what is shown is true. A label can be written, or "
          "removed, by anybody.")  # fmt: skip


@dataclass(frozen=True)
class Credentials:
    """Who signed, whether to believe it, and whether the file says that it was generated."""

    signed: bool
    trusted: bool
    intact: bool | None
    generated: bool
    """The credentials or the label say that an algorithm made it, or part of it."""
    signer: str | None
    generator: str | None
    problems: tuple[str, ...]
    words: Words


def credentials(path: Path) -> Credentials:
    """What the file says of its origin; one without credentials is an answer. Nothing is fetched."""
    try:
        found = verify(path)
    except ValueError:  # a kind that carries none, BMP for one
        found = Provenance(signed=False)
    source = (found.digital_source_type or "").rpartition("/")[2]
    generated = source in GENERATED or (found.label or {}).get("Label") == "1"
    signer, generator = (None if one is None else clean(one) for one in (found.signer, found.generator))
    words = Words(_found(found, signer, generator), _meaning(found, generated), LIMITS) if found.signed or found.label else NONE
    problems = tuple(map(clean, found.problems))
    return Credentials(found.signed, found.trusted, found.intact, generated, signer, generator, problems, words)


def _found(found: Provenance, signer: str | None, generator: str | None) -> str:
    lines = []
    if found.signed:
        by = f"signed by {signer or 'somebody unnamed'}" + (f" with {generator}" if generator else "")
        lines.append(f"{by[0].upper()}{by[1:]}, {'trusted here' if found.trusted else 'whom nobody here vouches for'}; "
                     f"{'unchanged since' if found.intact else 'CHANGED since it was signed'}.")  # fmt: skip
    if found.label:
        producer = clean(found.label.get("ContentProducer", ""))
        lines.append("Labelled as generated" + (f" by {producer}." if producer else "."))
    return " ".join(lines)


def _meaning(found: Provenance, generated: bool) -> str:
    if found.signed and not found.intact:
        return "The file is not what was signed: something was changed afterwards."
    if generated:
        return "Whoever made it says that an algorithm made or altered it: believe them."
    return "Whoever signed vouches for it, as far as you trust them."
