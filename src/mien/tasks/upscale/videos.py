"""A video, enlarged frame by frame: its sound and exact time stamps kept, signed, and gone on with after a stop."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from mien.data.files import no_empty_folders
from mien.data.video import VideoInfo, VideoWriter, probe, read_video
from mien.progress import Progress, say
from mien.provenance.label import read_label
from mien.provenance.manifest import ENHANCED, sign
from mien.tasks.upscale.pictures import How, enlarge_frames, fingerprint
from mien.tiled import measured_frames
from mien.types import Frame

MOVING = (".mp4", ".m4v", ".mov")
LARGEST = 16_384
"""Pixels of a side that H.264 encoders take."""
SEGMENT = 100
"""Frames after which a video's part is safe on disk."""
