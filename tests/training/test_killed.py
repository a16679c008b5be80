"""A training that is killed from outside, at a moment nobody chose, and two that want the same folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mien.cli import main

PROBE = Path(__file__).parent / "kill_probe.py"
EVERYTHING = ("options.widths=64", "size=8", "epochs=20", "dev=0.1", "batch=8", "momentum=0.9", "lr=0.05", "shift=1", "flip=true",
              "mixup=0.3", "average=0.9", "schedule=cosine", "l1=1e-5")  # fmt: skip
STEPS = 240


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_at_a_random_step_and_resumed_equals_undisturbed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL whenever it comes after a step drawn anew every time; before that, nobody else can go on with the run."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    at = 2 + int.from_bytes(os.urandom(4), "big") % (STEPS - 3)
    line = ["train", "classify/digits-256", "--data", str(data), "--device", "cpu", "--precision", "fp32"]
    line += [word for setting in EVERYTHING for word in ("--set", setting)]
    parted = [*line, "--out", str(tmp_path / "parted")]
    with (
        (tmp_path / "said").open("w") as said,
        subprocess.Popen([sys.executable, PROBE, *parted], env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as child,
    ):  # fmt: skip
        assert child.stdin
        assert child.stdout
        try:
            assert child.stdout.readline() == "1\n", (tmp_path / "said").read_text()
            assert main([*parted, "--resume"]) == 1
            expected = f"{tmp_path / 'parted'} is being trained by process {child.pid} already"
            assert expected in capsys.readouterr().err.strip().splitlines()[-1]
            child.stdin.write("\n")
            child.stdin.flush()
            assert f"{at}\n" in child.stdout, (tmp_path / "said").read_text()
        finally:
            child.kill()
    assert child.returncode == -signal.SIGKILL
    assert main([*parted, "--resume"]) == 0, "the lock went with the process"
    assert main([*line, "--out", str(tmp_path / "alone")]) == 0
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("alone", "parted"))
    for name, value in one.items():
        assert torch.equal(other[name], value), f"killed after step {at}: {name} differs"
