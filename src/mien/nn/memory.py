"""Memory of the CPU: keep what was freed, because getting fresh pages for every large tensor costs a tenth of a training step."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # malloc.h of glibc


def keep_freed_memory() -> bool:
    """Have glibc serve large blocks from its heap and never give them back; False where the C library is another one.

    Call it once, before training. The process then holds its peak until it ends.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return False
    wanted = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**28))
    return all([libc.mallopt(key, value) == 1 for key, value in wanted])
