"""Evidence in plain words; text out of a file made harmless."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

LONGEST = 200
"""Characters kept of a text in a file."""


@dataclass(frozen=True)
class Words:
    """What a person who is no expert may take from a finding, and what not."""

    found: str
    """What is there."""
    meaning: str
    """What it may mean."""
    limits: str
    """What it cannot prove."""


def clean(value: object, longest: int = LONGEST) -> str:
    """Any value of a file as one printable line: no control characters (a terminal obeys them), no line breaks, not too long.

    Nothing is escaped here: what is fit to print is not yet fit for HTML.
    """
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = text[: 4 * longest]
    shown = "".join(" " if one.isspace() else one for one in text if one.isspace() or unicodedata.category(one)[0] != "C")
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
