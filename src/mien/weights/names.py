"""What the tensors of somebody else's file are called here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


def renaming(names: Iterable[str], patterns: Mapping[str, str]) -> dict[str, str]:
    r"""Name in the file -> name here, for those whose whole name a pattern matches; its template says how (`\1`: the first group).

    No pattern: all as they are. ValueError where none is matched.
    """
    names = list(names)
    if not patterns:
        return {name: name for name in names}
    found = {name: re.sub(pattern, to, name) for name in names for pattern, to in patterns.items() if re.fullmatch(pattern, name)}
    if not found:
        raise ValueError(f"no tensor is called like {', '.join(patterns)}; there are {', '.join(names[:5])}...")
    return found
