"""How much the process of a library may take of its machine, and that it ends with its parent."""

from __future__ import annotations

import ctypes
import resource
import signal
from typing import Final

_DIES_WITH_PARENT: Final = 1
_NOT_INSPECTABLE: Final = 4


def bound(memory: int, files: int) -> None:
    """Hold the process to these from now on. Memory is what it may hold of its own, in bytes."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would have credentials
    control = getattr(ctypes.CDLL(None), "prctl", None)
    if control is not None:  # Linux
        control(_DIES_WITH_PARENT, signal.SIGKILL)
        control(_NOT_INSPECTABLE, 0)
