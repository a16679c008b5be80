"""Image-to-image networks on pictures of any size: tile by tile, equal to the whole, memory and time known before the start.

A tile is cut out with a halo of the pixels its result depends on, computed, and what belongs to the halo thrown away. At the edge of
the picture a tile ends where the picture does, so a network's own padding happens exactly where it would without tiles.
"""

from mien.tiled.cutting import Plan, Span, amount, plan, side, spans
from mien.tiled.enlarger import Enlarger
from mien.tiled.live import LiveBytes
from mien.tiled.reach import halo
from mien.tiled.running import Network, apply, batch, measured, pixels, run
from mien.tiled.sufficing import suffices

__all__ = ["Enlarger", "LiveBytes", "Network", "Plan", "Span", "amount", "apply", "batch", "halo", "measured", "pixels", "plan", "run",
           "side", "spans", "suffices"]  # fmt: skip
