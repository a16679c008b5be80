"""Device and precision: what this machine has, what is really faster on it, and a check that nothing is lost."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from mien.progress import say

Precision = Literal["fp32", "bf16"]

INSTALL = {
    "cuda": "a CUDA build of torch: pip install --force-reinstall torch (Linux), or as pytorch.org/get-started says",
    "mps": "macOS 13 or later on Apple silicon",
}
NEEDED = (
    "torch", "lightning-fabric", "numpy", "pillow", "av", "safetensors", "pyarrow", "ai-edge-litert", "c2pa-python",
    "matplotlib", "faiss-cpu",
)
OPTIONAL = {
    "tensorboard": "training curves",
    "scikit-image": "one portrait of the demo",
    "captum": "mien explain",
    "optuna": "mien tune",
    "psycopg": "galleries in PostgreSQL",
}


@dataclass(frozen=True)
class Runtime:
    """Where and how to compute."""

    device: torch.device
    precision: Precision
    channels_last: bool
    """Whether networks on pictures should be laid out channels_last here."""
    threads: int
    reason: str
    """Why, in words."""

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Compute in bf16 inside where `precision` says so (weights stay fp32)."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            yield


def choose(device: str = "auto", precision: str = "auto") -> Runtime:
    """The best device and precision of this machine, or those asked for.

    device: "auto", "cpu", "cuda", "cuda:1", "mps". precision: "auto", "fp32", "bf16"; auto takes bf16 only where the
    processor computes in it. ValueError for a device or precision that is not here, with what is and what to install.
    """
    if precision not in ("auto", "fp32", "bf16"):
        raise ValueError(f"precision {precision!r} is unknown: choose auto, fp32 or bf16")
    there = devices()
    name = next(iter(there)) if device == "auto" else device
    if name == "cuda" and "cuda:0" in there:
        name = "cuda:0"
    if name not in there:
        kind = name.split(":")[0]
        absent = kind in INSTALL and not any(one.startswith(kind) for one in there)
        needs = f"; {kind} needs {INSTALL[kind]}" if absent else ""
        raise ValueError(f"device {device!r} is not here: this machine has {', '.join(there)}{needs}")
    here = torch.device(name)
    bf16, why = bf16_support(here)
    wanted: Precision = "bf16" if precision == "bf16" or (precision == "auto" and bf16) else "fp32"
    if wanted == "bf16" and here.type == "mps":
        raise ValueError("bf16 is not offered on mps: choose auto or fp32")
    reason = f"{wanted} {'chosen' if precision == 'auto' else 'as asked'} on {there[name]}: {why}"
    return Runtime(here, wanted, here.type != "mps", torch.get_num_threads(), reason)


def devices() -> dict[str, str]:
    """Devices torch can use here, best first: {"cuda:0": "NVIDIA H100", "cpu": "CPU"}."""
    found: dict[str, str] = {}
    if torch.cuda.is_available():
        found |= {f"cuda:{n}": torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())}
    if torch.backends.mps.is_available():
        found["mps"] = "Apple GPU"
    return found | {"cpu": "CPU"}


def bf16_support(device: torch.device) -> tuple[bool, str]:
    """Whether the device computes in bf16 (not only stores it), and how that is known."""
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        return major >= 8, f"compute capability {major}.{minor}, bf16 from 8.0 on"
    if device.type == "cpu":
        flags = cpu_flags() & {"avx512_bf16", "amx_bf16"}
        return bool(flags), " and ".join(sorted(flags)) or "the processor has neither avx512_bf16 nor amx_bf16"
    return False, "bf16 is used on CPU and CUDA only"


def cpu_flags() -> set[str]:
    """bf16 abilities torch reports for this processor: avx512_bf16, amx_bf16."""
    get = getattr(torch.cpu, "get_capabilities", None)  # from torch 2.10 on
    if get is not None:
        abilities = get()
        return {name for name in ("avx512_bf16", "amx_bf16") if abilities.get(name)}
    flags: set[str] = set()
    if getattr(torch.cpu, "_is_avx512_bf16_supported", bool)():
        flags.add("avx512_bf16")
    if getattr(torch.cpu, "_is_amx_tile_supported", bool)():
        flags.add("amx_bf16")  # every processor with AMX tiles multiplies bf16
    return flags


@torch.no_grad()
def parity(network: Callable[[Tensor], Tensor], x: Tensor) -> tuple[float, float]:
    """(mean, largest) absolute difference of `network(x)` between fp32 and bf16 autocast, in units of the output."""
    with torch.autocast(x.device.type, enabled=False):
        exact = network(x).float()
    with torch.autocast(x.device.type, torch.bfloat16):
        rough = network(x).float()
    difference = (exact - rough).abs().nan_to_num(float("inf"), float("inf"))
    return float(difference.mean()), float(difference.max())


def with_parity(runtime: Runtime, network: Callable[[Tensor], Tensor], x: Tensor, tolerance: float) -> Runtime:
    """`runtime`, or the same in fp32 where bf16 moves `network(x)` by more than `tolerance` on average."""
    if runtime.precision == "fp32":
        return runtime
    mean, most = parity(network, x.to(runtime.device))
    figures = f"bf16 differs from fp32 by {mean:.2g} on average ({most:.2g} at most)"
    if mean <= tolerance:
        return replace(runtime, reason=f"{runtime.reason}; {figures}")
    say(f"{figures}, more than {tolerance:g}: computing in fp32")
    return replace(runtime, precision="fp32", reason=f"{figures}, more than {tolerance:g}")


def describe_machine() -> dict[str, Any]:
    """What `mien doctor` tells: system, CPU, memory (bytes), devices, versions, what is missing; "hints" in words.

    Takes a moment: it times a small matrix product in fp32 and bf16.
    """
    total, available = memory()
    versions = {name: _version(name) for name in (*NEEDED, *OPTIONAL)}
    best = choose()
    gpus = [dict(zip(("name", "memory", "driver"), line.split(", "), strict=False)) for line in _nvidia_smi()]
    hints = [f"{name} is missing: pip install {name}" for name in NEEDED if not versions[name]]
    for name, use in OPTIONAL.items():
        if not versions[name]:
            hints.append(f"{name} is not installed (for {use}): pip install {name}")
    if gpus and not torch.cuda.is_available():
        cuda = torch.version.cuda
        build = f"built for CUDA {cuda}, which this driver cannot run" if cuda else "a CPU build"
        hints.append(f"a GPU is present ({gpus[0]['name']}) but torch is {build}; it needs {INSTALL['cuda']}")
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpu": cpu_name(),
        "cores": cores(),
        "bf16": sorted(cpu_flags()),
        "bf16_speedup": round(bf16_speedup(best.device), 2),
        "memory_total": total,
        "memory_available": available,
        "devices": devices(),
        "gpus": gpus,
        "runtime": asdict(best) | {"device": str(best.device)},
        "versions": versions,
        "hints": hints,
    }


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def memory() -> tuple[int | None, int | None]:
    """(total, available) bytes, within the limit of a container; None where the system does not say."""
    with suppress(OSError, ValueError, KeyError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        total, available = kilobytes["MemTotal"] * 1024, kilobytes["MemAvailable"] * 1024
        with suppress(OSError, ValueError):  # "max" where there is no limit
            limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
            used = int(Path("/sys/fs/cgroup/memory.current").read_text())
            stat = dict(line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines())
            used -= int(stat["inactive_file"]) + int(stat["active_file"])  # files kept at hand, given up when memory is asked for
            total, available = min(total, limit), min(available, max(limit - used, 0))
        return total, available
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None
    return None, None


def resident() -> int | None:
    """Bytes of memory that this process holds; None where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None


def peak() -> int | None:
    """Bytes of memory that this process held at most; None where the system does not say."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    return None


@torch.no_grad()
def bf16_speedup(device: torch.device, size: int = 512, repeats: int = 5) -> float:
    """How many times faster a product of two (size, size) matrices is in bf16 than in fp32 (best of `repeats`)."""

    def best(dtype: torch.dtype) -> float:
        a = torch.ones(size, size, dtype=dtype, device=device)
        times = []
        for _ in range(repeats + 1):  # the first one is for warming up
            began = time.perf_counter()
            float((a @ a)[0, 0])  # reading a number waits for the device
            times.append(time.perf_counter() - began)
        return min(times[1:])

    return best(torch.float32) / best(torch.bfloat16)


def _version(package: str) -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return None


def _nvidia_smi() -> list[str]:
    """One line a GPU: name, memory, driver; empty where there is none."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout.strip().splitlines()
    return []
