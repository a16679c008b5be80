"""The memory that tensors take."""

from __future__ import annotations

import weakref
from collections import Counter
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

from mien.nn.reach.call import tensors


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors that operations inside make and that are alive: `most` at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._users: Counter[int] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for x in tensors([out]):
            storage = x.untyped_storage()
            place, size = storage.data_ptr(), storage.nbytes()
            if not self._users[place]:
                self.now += size
                self.most = max(self.most, self.now)
            self._users[place] += 1
            weakref.finalize(x, self._gone, place, size)
        return out

    def _gone(self, place: int, size: int) -> None:
        self._users[place] -= 1
        if not self._users[place]:
            self.now -= size
