from pathlib import Path

import pytest
from PIL import Image

from mien.data.sources import find_sources
from mien.types import Source


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_folders_are_walked_in_natural_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("frame10.png", "frame2.PNG", "b/clip.mp4", "notes.txt", ".hidden.jpg", ".cache/1.jpg", "b/a1.jpeg"):
        touch(tmp_path / name)
    found = find_sources([tmp_path])
    assert [source.path.relative_to(tmp_path).as_posix() for source in found] == [
        "b/a1.jpeg", "b/clip.mp4", "frame2.PNG", "frame10.png",
    ]  # fmt: skip
    assert [source.kind for source in found] == ["picture", "video", "picture", "picture"]


def test_files_keep_their_order_and_content_decides(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "z.bin", format="PNG")
    clip = tmp_path / "a.jpg"
    clip.write_bytes(b"\0\0\0\x20ftypisom\0\0\0\0")
    plain = touch(tmp_path / "text.webm")
    given = [tmp_path / "z.bin", clip, plain]
    assert find_sources(given) == [Source(given[0], "picture"), Source(clip, "video"), Source(plain, "video")]


def test_a_tree_with_odd_digits_sorts(tmp_path: Path) -> None:
    names = ["a\N{SUPERSCRIPT TWO}.png", "1.png", "a1.png", "A01.png", "Ä.png"]
    for name in names:
        touch(tmp_path / name)
    assert {source.path.name for source in find_sources([tmp_path])} == set(names)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "missing does not exist"),
        ("empty", r"holds no picture \(jpg .* and no video \(mp4"),
        ("n.txt", r"n\.txt is neither"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    touch(tmp_path / "n.txt")
    with pytest.raises(ValueError, match=message):
        find_sources([tmp_path / name])


def test_nothing_given() -> None:
    with pytest.raises(ValueError, match="nothing was given"):
        find_sources([])
