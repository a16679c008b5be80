"""Device and precision are chosen in words; bf16 is given up where it changes the answer."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from mien import runtime
from mien.runtime import Runtime, choose, describe_machine, memory, parity, with_parity


def test_cpu_choice_follows_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "devices", lambda: {"cpu": "CPU"})
    monkeypatch.setattr(runtime, "cpu_flags", lambda: {"amx_bf16", "avx512_f"})
    here = choose()
    assert (here.device.type, here.precision, here.channels_last) == ("cpu", "bf16", True)
    assert here.reason == "bf16 chosen on CPU: amx_bf16"
    assert choose(precision="fp32").precision == "fp32"
    monkeypatch.setattr(runtime, "cpu_flags", set)
    assert choose().precision == "fp32"
    assert "neither avx512_bf16 nor amx_bf16" in choose().reason
    assert choose(precision="bf16").precision == "bf16"


@pytest.mark.parametrize(("capability", "precision"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_gpu_choice_follows_its_capability(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(runtime, "devices", lambda: {"cuda:0": "GPU A", "cuda:1": "GPU B", "cpu": "CPU"})
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert (str(choose().device), choose().precision) == ("cuda:0", precision)
    assert str(choose("cuda").device) == "cuda:0"
    assert "GPU B" in choose("cuda:1").reason
    with pytest.raises(ValueError, match=r"'cuda:2' is not here: this machine has cuda:0, cuda:1, cpu$"):
        choose("cuda:2")


def test_apple_gpu_computes_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "devices", lambda: {"mps": "Apple GPU", "cpu": "CPU"})
    assert (choose().device.type, choose().precision, choose().channels_last) == ("mps", "fp32", False)
    with pytest.raises(ValueError, match="bf16 is not offered on mps"):
        choose(precision="bf16")


def test_what_is_not_here_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "devices", lambda: {"cpu": "CPU"})
    with pytest.raises(ValueError, match=r"'cuda' is not here: this machine has cpu; cuda needs .*pip install"):
        choose("cuda")
    with pytest.raises(ValueError, match=r"'tpu' is not here: this machine has cpu$"):
        choose("tpu")
    with pytest.raises(ValueError, match="'fp8' is unknown: choose auto, fp32 or bf16"):
        choose(precision="fp8")


def test_autocast() -> None:
    a = torch.ones(4, 4)
    with choose("cpu", "bf16").autocast():
        assert (a @ a).dtype == torch.bfloat16
    with choose("cpu", "fp32").autocast():
        assert (a @ a).dtype == torch.float32


def test_parity_by_hand() -> None:
    """bf16 keeps 8 bits: 1 + 1/512 becomes 1, 2 + 1/64 stays what it is."""
    x = torch.tensor([[1 + 1 / 512], [2 + 1 / 64]])
    one = torch.ones(1, 1)
    assert parity(lambda v: v @ one, x) == (pytest.approx(1 / 1024), pytest.approx(1 / 512))
    assert parity(lambda v: v @ one * float("nan"), x) == (float("inf"), float("inf"))


def test_fp32_where_bf16_loses_too_much(capsys: pytest.CaptureFixture[str]) -> None:
    x, one = torch.tensor([[1 + 1 / 512]]), torch.ones(1, 1)
    bf16 = choose("cpu", "bf16")
    assert with_parity(bf16, lambda v: v @ one, x, tolerance=0.01).precision == "bf16"
    assert capsys.readouterr().err == ""
    given_up = with_parity(bf16, lambda v: v @ one, x, tolerance=0.001)
    assert given_up.precision == "fp32"
    assert "computing in fp32" in capsys.readouterr().err
    assert "0.002 on average" in given_up.reason
    fp32 = choose("cpu", "fp32")
    assert with_parity(fp32, lambda v: v.new_full((1,), float("nan")), x, tolerance=0) is fp32


def test_the_machine_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(runtime, "_version", lambda name: None if name in ("tensorboard", "av") else "1.0")
    answer = subprocess.CompletedProcess([], 0, "NVIDIA H100 80GB HBM3, 81559 MiB, 570.10\n", "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    told: dict[str, Any] = describe_machine()
    assert told["cores"] >= 1
    assert told["cpu"]
    assert told["bf16_speedup"] > 0
    assert told["gpus"] == [{"name": "NVIDIA H100 80GB HBM3", "memory": "81559 MiB", "driver": "570.10"}]
    assert told["runtime"]["device"] == str(choose().device)
    hints = "\n".join(told["hints"])
    assert "av is missing: pip install av" in hints
    assert "tensorboard is not installed (for training curves): pip install tensorboard" in hints
    assert "a GPU is present (NVIDIA H100 80GB HBM3) but torch is a CPU build" in hints


def test_no_gpu_no_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: Any, **__: Any) -> None:
        raise FileNotFoundError("nvidia-smi")

    monkeypatch.setattr(subprocess, "run", absent)
    told = describe_machine()
    assert told["gpus"] == []
    assert not any("GPU" in hint for hint in told["hints"])


def test_a_containers_memory_does_not_count_the_files_kept_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/meminfo": "MemTotal: 16000 kB\nMemAvailable: 9000 kB\n", "/sys/fs/cgroup/memory.max": "8192000\n",
        "/sys/fs/cgroup/memory.current": "7000000\n",
        "/sys/fs/cgroup/memory.stat": "anon 5\ninactive_file 3000000\nactive_file 1000000\n",
    }  # fmt: skip
    monkeypatch.setattr(Path, "read_text", lambda path: files[str(path)])
    assert memory() == (8192000, 8192000 - 3000000)


def test_memory_is_plausible() -> None:
    total, available = memory()
    assert total is None or total > 2**28
    assert available is None or (total is not None and 0 < available <= total)


def test_runtime_is_frozen() -> None:
    with pytest.raises(AttributeError):
        choose("cpu").precision = "fp32"  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(choose("cpu"), Runtime)
