"""The one training loop, on Lightning Fabric: tasks, checkpoints that survive a kill, resume, averages, progress."""

from mien.train.average import EMA
from mien.train.checkpoint import Checkpoint, averaged, compact, load_latest, read_checkpoint, save_checkpoint
from mien.train.loop import fit
from mien.train.task import OneNetworkTask, Task
from mien.train.types import Event, Every, Fitted

__all__ = [
    "EMA", "Checkpoint", "Event", "Every", "Fitted", "OneNetworkTask", "Task", "averaged", "compact", "fit",
    "load_latest", "read_checkpoint", "save_checkpoint",
]
