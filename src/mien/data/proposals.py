"""Searched for once: the proposals of a picture, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from mien.data.cache import cache_folder
from mien.data.files import atomic
from mien.data.selective import selective_search
from mien.progress import say

LEAST = 128 * 128
"""Pixels from which a search takes longer than a file."""
VERSION = 1
"""Another one where `selective_search` finds other boxes."""


@dataclass
class KeptSearch:
    """`selective_search`, once for each picture: (H, W, 3) uint8 -> (N, 4) float32."""

    at_hand: int = 0
    """Pictures that did not have to be searched."""

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 RGB -> (N, 4) float32. RuntimeError where scikit-image is missing."""
        if image.shape[0] * image.shape[1] < LEAST:
            return selective_search(image)
        facts = hashlib.sha256(f"{VERSION} {image.shape}".encode() + np.ascontiguousarray(image).tobytes())
        path = cache_folder("proposals") / f"{facts.hexdigest()[:24]}.npy"
        try:
            found = np.load(path)
            self.at_hand += 1
            return found
        except FileNotFoundError:
            pass
        except (ValueError, EOFError, OSError):
            say(f"{path} is damaged: the picture is searched again")
        found = selective_search(image)
        try:
            with atomic(path) as draft:
                np.save(draft, found)
        except OSError as error:
            say(f"proposals are not kept ({error})")
        return found
