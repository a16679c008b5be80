"""Finding bytes in files, against Python's own search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mien.gallery import proof
from mien.gallery.proof import PIECE, occurrences, pieces


def counted(data: bytes, needle: bytes) -> int:
    """Overlapping ones too."""
    return sum(data.startswith(needle, place) for place in range(len(data)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), chunk=st.integers(8, 40))
def test_every_occurrence_is_counted_wherever_chunks_end(tmp_path: Path, data: st.DataObject, chunk: int) -> None:
    letters = st.lists(st.sampled_from(b"abc"), max_size=200).map(bytes)
    content = data.draw(letters)
    needles = data.draw(st.lists(st.lists(st.sampled_from(b"abc"), min_size=4, max_size=9).map(bytes), max_size=5))
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof, "CHUNK", chunk)
        found = occurrences(file, needles)
    assert found == {needle: counted(content, needle) for needle in set(needles) if needle in content}


def test_pieces_are_of_the_blob_and_not_its_beginning() -> None:
    blob = b"\xff\xd8JFIF" * 30 + np.random.default_rng(0).bytes(3000)
    found = pieces(blob)
    assert len(found) == 3
    assert all(len(piece) == PIECE and piece in blob and not blob.startswith(piece) for piece in found)


def test_what_is_like_everything_has_no_pieces() -> None:
    assert pieces(bytes(5000)) == pieces(b"") == pieces(b"short") == []
