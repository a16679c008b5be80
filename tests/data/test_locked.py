"""Locks on folders: one holder, gone with it, and honest where there are none."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mien.data import locked as module
from mien.data.locked import NAME, locked


def test_one_at_a_time(tmp_path: Path) -> None:
    said = f"run is used by process {os.getpid()} already: wait until"
    with locked(tmp_path / "run", "run is used"):
        assert (tmp_path / "run" / NAME).read_text() == str(os.getpid())
        with pytest.raises(RuntimeError, match=said), locked(tmp_path / "run", "run is used"):
            pass
    assert list((tmp_path / "run").iterdir()) == []
    with pytest.raises(ValueError, match="bad"), locked(tmp_path / "new" / "run", ""):
        raise ValueError("bad")
    assert not (tmp_path / "new").exists(), "a refused training leaves nothing behind"


def test_a_lock_goes_with_a_process_that_was_killed(tmp_path: Path) -> None:
    program = ("import os, signal, sys; from pathlib import Path; from mien.data.locked import locked\n"
               "with locked(Path(sys.argv[1]), ''): os.kill(os.getpid(), signal.SIGKILL)")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", program, tmp_path]).returncode < 0
    assert (tmp_path / NAME).is_file()
    with locked(tmp_path, ""):
        assert (tmp_path / NAME).read_text() == str(os.getpid())


def test_a_lock_file_that_was_removed_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opened it before its holder ended must not hold what nobody else can see."""
    take, taken = module._take, []

    def late(file) -> None:
        take(file)
        taken.append(file)
        if len(taken) == 1:
            (tmp_path / NAME).unlink()

    monkeypatch.setattr(module, "_take", late)
    with locked(tmp_path, ""):
        assert len(taken) == 2
        assert (tmp_path / NAME).is_file()


def test_a_file_system_without_locks_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(module, "_take", refuse)
    with locked(tmp_path, ""), locked(tmp_path, ""):
        pass
    assert "cannot be locked (No locks available): take care" in capsys.readouterr().err
