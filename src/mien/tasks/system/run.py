"""What this machine can do, and what mien can build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mien.tasks.system.architectures import Architectures, Layers, every, one

TOP_LEVEL = True

ENCODERS = {"libx264": "videos cannot be written", "aac": "videos come out without their sound"}
"""The ffmpeg encoders mien needs -> what does not work without one."""
LEAST_FREE_GB = 2
"""A swap model, its checkpoints and a converted video fit in this."""


@dataclass(frozen=True)
class Finding:
    """Something that is missing, and what to do about it."""

    what: str
    do: str


@dataclass(frozen=True)
class Doctor:
    """What mien found on this machine."""

    ok: bool
    """Nothing is missing."""
    device: str
    """'cpu', 'cuda'...; 'none' where torch is missing."""
    precision: str
    """'fp32' or 'bf16': what mien computes in here."""
    channels_last: bool
    threads: int
    reason: str
    """Why this device and precision."""
    machine: dict[str, object]
    """More about the machine, as `mien.runtime.describe_machine` names it; memory in bytes."""
    versions: dict[str, str]
    """mien, Python and the packages mien uses that are installed -> the version."""
    encoders: dict[str, bool]
    """ffmpeg encoder -> is it in the installed PyAV."""
    weights_here: int
    weights_known: int
    free_gb: float
    """Free space in the working folder, in 10^9 bytes."""
    missing: tuple[Finding, ...]

    def __str__(self) -> str:
        layout = ", channels last" if self.channels_last else ""
        lines = [f"device    {self.device}, {self.precision}{layout}, {self.threads} threads: {self.reason}"]
        for name, value in self.machine.items():
            shown = f"{value / 1e9:.1f} GB" if name.startswith("memory") and isinstance(value, int) else value
            shown = ", ".join(map(str, shown)) if isinstance(shown, list | dict) else shown
            lines += [f"          {name.replace('_', ' ')}: {shown}"] if shown else []
        encoders = (f"{name} {'is here' if here else 'is missing'}" for name, here in self.encoders.items())
        lines += [
            f"versions  {', '.join(f'{name} {version}' for name, version in self.versions.items())}",
            f"video     {', '.join(encoders) or 'not known'}",
            f"weights   {self.weights_here} of {self.weights_known} networks are here (mien models lists them)",
            f"disk      {self.free_gb:.1f} GB free",
        ]
        lines += [f"missing   {finding.what}\n          -> {finding.do}" for finding in self.missing]
        return "\n".join(lines if self.missing else [*lines, "Nothing is missing."])


def doctor() -> Doctor:
    """Say what this machine computes with, which versions are installed, what is missing and what to do about it.

    "ok" in the result is true where nothing is missing.
    """
    import shutil

    from mien.weights.listing import listed

    versions, missing = _versions()
    encoders = _encoders() if "av" in versions else {}
    missing += [Finding(f"the encoder {name}: {ENCODERS[name]}", "pip install --force-reinstall --no-deps av")
                for name, here in encoders.items() if not here]  # fmt: skip
    known = listed()
    for model in known:
        if not model.path and (model.problem or not model.large):
            missing.append(Finding(model.problem or f"the weights of {model.name}", "mien models --fetch"))
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    if free < LEAST_FREE_GB:
        missing.append(Finding(f"disk space: {free:.1f} GB free", f"free {LEAST_FREE_GB} GB or work in another folder"))
    try:
        from mien.runtime import describe_machine

        machine = describe_machine()
        versions |= {name: version for name, version in machine.pop("versions").items() if version}
        missing += [Finding(*hint.rsplit(": ", 1)) for hint in machine.pop("hints") if _is_news(hint, missing)]
        chosen = machine.pop("runtime")
        machine.pop("python", None)  # among the versions already
    except (ImportError, OSError) as error:  # a broken torch is just what a doctor is asked about
        machine = {}
        chosen = {"device": "none", "precision": "fp32", "channels_last": False, "threads": 0, "reason": str(error)}
        missing.append(Finding(f"torch does not load: {error}", "pip install --force-reinstall torch"))
    here = sum(model.path is not None for model in known)
    return Doctor(not missing, **chosen, machine=machine, versions=versions, encoders=encoders,
                  weights_here=here, weights_known=len(known), free_gb=free, missing=tuple(missing))  # fmt: skip


def networks(name: str | None = None, *, size: int | None = None) -> Architectures | Layers:
    """List every architecture mien can build and train, or one layer by layer: parameters, multiplications, receptive field.

    The networks are run without numbers, on shapes alone: none needs its weights.

    Args:
        name: an architecture; its layers are listed.
        size: pixels a side of its input, instead of its usual size.

    """
    if name is None:
        if size is not None:
            raise ValueError("--size is for one architecture: mien networks NAME --size 512")
        return every()
    return one(name, size)


def _is_news(hint: str, missing: list[Finding]) -> bool:
    """Whether no finding speaks of the hint's package yet."""
    return not any(finding.what.startswith(f"the package {hint.split()[0]}") for finding in missing)


def _versions() -> tuple[dict[str, str], list[Finding]]:
    """The versions of all that mien requires, and what of it is not installed."""
    import platform
    import re
    from importlib import metadata

    versions = {"mien": metadata.version("mien"), "python": platform.python_version()}
    missing = []
    for requirement in metadata.requires("mien") or []:
        if "extra ==" in requirement:
            continue
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(Finding(f"the package {requirement}", f"pip install '{requirement}'"))
    return versions, missing


def _encoders() -> dict[str, bool]:
    """Which of the needed encoders the installed PyAV holds."""
    import av
    from av.codec.codec import UnknownCodecError

    def here(name: str) -> bool:
        try:
            return av.Codec(name, "w").is_encoder
        except UnknownCodecError:
            return False

    return {name: here(name) for name in ENCODERS}


COMMANDS = (doctor, networks)
