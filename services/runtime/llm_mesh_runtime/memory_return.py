"""Gives memory back to the machine that was freed after an attack: the allocator would keep it for requests that never come."""

from __future__ import annotations

import asyncio
import ctypes
import sys

_EVERY = 1.0
"""Seconds from the first that is freed to the giving back, which takes some milliseconds of a thread."""


class FreedMemory:
    """Of one process."""

    def __init__(self) -> None:
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # other allocators have none
        self._timer: asyncio.TimerHandle | None = None

    def give_back(self) -> None:
        """Soon, once: whoever freed it may not have let go of all of it yet."""
        if self._trim is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_EVERY, self._begin)

    def _begin(self) -> None:
        self._timer = None
        if self._trim is not None:
            asyncio.get_running_loop().run_in_executor(None, self._trim, 0)
