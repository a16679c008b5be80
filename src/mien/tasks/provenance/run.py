"""Where a picture or video comes from: `mien provenance FILE`."""

from __future__ import annotations

from pathlib import Path

from mien.provenance.report import Provenance, verify


def provenance(file: Path, *, trust: Path | None = None) -> Provenance:
    """Say who signed a picture or video, whether to believe it, and whether it was changed since.

    Args:
        file: A picture or a video. One without Content Credentials is an answer, not an error.
        trust: A PEM file of root certificates to believe besides the local one.

    """
    return verify(file, trust)


COMMANDS = (provenance,)
