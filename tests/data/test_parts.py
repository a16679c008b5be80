from pathlib import Path

import pytest

from mien.data.parts import Parts


def fails(path: Path, parts: tuple[bytes, ...], error: BaseException, job: str = "a") -> None:
    with Parts(path, {"job": job}) as made:
        for part in parts:
            made.append(part)
        raise error


def stopped(path: Path, *parts: bytes) -> Path:
    with pytest.raises(KeyboardInterrupt):
        fails(path, parts, KeyboardInterrupt())
    return path.with_name(f".{path.name}.part-rows")


def found(path: Path, job: str = "a") -> list[bytes]:
    with Parts(path, {"job": job}) as parts:
        return list(parts)


def test_a_stopped_run_goes_on_and_nothing_stays_at_the_end(tmp_path: Path):
    stopped(tmp_path / "new" / "a.png", b"one", b"")
    with Parts(tmp_path / "new" / "a.png", {"job": "a"}) as parts:
        assert parts.done == 2
        parts.append(b"three")
        assert list(parts) == [b"one", b"", b"three"]
    assert not list((tmp_path / "new").iterdir())


def test_parts_of_another_job_are_thrown_away(tmp_path: Path):
    stopped(tmp_path / "a.png", b"one")
    assert found(tmp_path / "a.png", "b") == []


@pytest.mark.parametrize("length", [1, 10, 15])
def test_a_part_cut_off_by_a_crash_is_made_again(tmp_path: Path, length: int):
    side = stopped(tmp_path / "a.png", b"one", b"three")
    side.write_bytes(side.read_bytes()[:-length])
    assert found(tmp_path / "a.png") == [b"one"]


def test_a_damaged_part_and_those_behind_it_are_made_again(tmp_path: Path):
    side = stopped(tmp_path / "a.png", b"one", b"two", b"three")
    side.write_bytes(side.read_bytes().replace(b"two", b"tvo"))
    assert found(tmp_path / "a.png") == [b"one"]


def test_nothing_stays_after_an_error_or_where_nothing_was_finished(tmp_path: Path):
    stopped(tmp_path / "a.png")
    with pytest.raises(OSError, match="full"):
        fails(tmp_path / "a.png", (b"one",), OSError("full"))
    assert not list(tmp_path.iterdir())


def test_another_process_in_the_same_file_is_noticed(tmp_path: Path):
    with Parts(tmp_path / "a.png", {}) as parts:
        parts.append(b"one")
        parts.path.write_bytes(parts.path.read_bytes().replace(b"one", b"own"))
        with pytest.raises(RuntimeError, match="changed by another process"):
            list(parts)
