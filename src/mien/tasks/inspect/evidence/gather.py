"""All evidence of one picture file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.tasks.inspect.evidence.credentials import Credentials, credentials
from mien.tasks.inspect.evidence.double import DoubleJpeg, double_jpeg
from mien.tasks.inspect.evidence.error_level import ErrorLevel, error_level
from mien.tasks.inspect.evidence.metadata import Metadata, metadata
from mien.tasks.inspect.evidence.noise import Noise, noise
from mien.tasks.inspect.evidence.resampling import Resampling, resampling
from mien.tasks.inspect.evidence.subject import Subject
from mien.tasks.inspect.evidence.tables import Tables, tables


@dataclass(frozen=True)
class Evidence:
    """Each for itself. What a file cannot have is None: tables of a PNG, a trace in a picture too small for one."""

    credentials: Credentials
    metadata: Metadata | None
    tables: Tables | None = None
    double_jpeg: DoubleJpeg | None = None
    error_level: ErrorLevel | None = None
    noise: Noise | None = None
    resampling: Resampling | None = None


def gather(subject: Subject) -> tuple[Evidence, dict[str, np.ndarray]]:
    """The evidence, and its pictures (h, w) or (h, w, 3) uint8 by name: 'error level', 'noise', 'thumbnail' where there is one."""
    said, thumbnail = metadata(subject)
    compression = tables(subject)
    levels, level_map = error_level(subject)
    grain, grain_map = noise(subject)
    found = Evidence(
        credentials(subject.path), said, compression, double_jpeg(subject, compression.luma) if compression else None, levels, grain,
        resampling(subject),
    )  # fmt: skip
    maps = {"error level": level_map, "noise": grain_map} | ({} if thumbnail is None else {"thumbnail": thumbnail})
    return found, maps
