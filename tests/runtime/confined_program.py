"""What the child processes of the tests run."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Sequence


def answer(parts: Sequence[bytes]) -> list[bytes]:  # noqa: C901, PLR0911, PLR0912 (a list of misdeeds)
    """Does what it is told."""
    word, *rest = parts
    match word:
        case b"echo":
            return list(rest)
        case b"pid":
            return [b"%d" % os.getpid()]
        case b"spin":
            while True:
                pass
        case b"sleep":
            time.sleep(float(rest[0]))
        case b"eat":
            return [b"%d" % len(bytearray(int(rest[0])))]
        case b"recurse":
            answer(parts)
        case b"signal":
            os.kill(os.getpid(), signal.Signals(int(rest[0])))
            time.sleep(10)
        case b"fail":
            raise ValueError("a defect")
        case b"leave":
            os._exit(3)
        case b"open":
            with open(rest[0], encoding="utf-8") as file:  # noqa: PTH123 (as short as hostile code)
                return [file.read().encode()]
        case b"environment":
            return [repr(dict(os.environ)).encode(), os.getcwd().encode(), b"%d" % os.nice(0)]  # noqa: PTH109 (see above)
        case b"lies":
            os.write(next(iter(_sockets())), b"\xff" * 64)
            time.sleep(10)
        case b"limits":
            return [b"%d" % resource.getrlimit(resource.RLIMIT_CORE)[0]]
        case _:
            return []
    return []


def _sockets() -> list[int]:
    return [number for number in range(3, 64) if _is_open(number)]


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
