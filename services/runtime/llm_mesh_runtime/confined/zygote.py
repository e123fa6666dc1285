"""The process that child processes are forked from: it has loaded everything, so that a new child takes a millisecond.

python -m llm_mesh_runtime.confined.zygote <module>:<function> <descriptor> <limits>

Over the descriptor it is told to fork a child for a socket that comes along, or to kill one, and tells which have ended and how. It runs
no tenant code itself. A child answers one call after the other: the function is given the parts of a call and gives those of the answer.
A child opens no files, so what a program loads late it has to load in its function `prepare`, which is called here once if it is there.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from llm_mesh_runtime.confined.limits import ProcessLimits
from llm_mesh_runtime.confined.wire import DEPTH, ENDED, FAULT, FORK, KILL, LAST, LENGTH, MEMORY, MOST_BYTES, NOTICE, OK, packed, unpacked

Answer = Callable[[Sequence[bytes]], Sequence[bytes]]
_NICENESS = 10
"""Whoever serves requests goes first."""
_GROWTH = 64 * 1024
"""KiB by which a child may have grown before it is replaced."""


class Zygote:
    """Forks and reaps children."""

    def __init__(self, answer: Answer, control: socket.socket, limits: ProcessLimits) -> None:
        self._answer = answer
        self._control = control
        self._limits = limits
        self._children: set[int] = set()

    def run(self) -> None:
        """Serve until the other side closes."""
        signal.signal(signal.SIGCHLD, self._reap)
        while True:
            notice, descriptors, _, _ = socket.recv_fds(self._control, NOTICE.size, 1)
            if len(notice) < NOTICE.size:
                break
            kind, pid, _ = NOTICE.unpack(notice)
            if kind == FORK and descriptors:
                self._fork(descriptors[0])
            elif kind == KILL and pid in self._children:  # it is ours and not reaped, so the number cannot be another's
                os.kill(pid, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for pid in self._children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _fork(self, descriptor: int) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # a child that ends at once must be known by then
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            self._control.close()
            try:
                serve(socket.socket(fileno=descriptor), self._answer, self._limits)
            finally:
                os._exit(0)
        os.close(descriptor)
        self._children.add(pid)
        self._control.sendall(NOTICE.pack(FORK, pid, 0))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})

    def _reap(self, _number: int, _frame: FrameType | None) -> None:
        with suppress(ChildProcessError, BrokenPipeError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                self._children.discard(pid)
                self._control.sendall(NOTICE.pack(ENDED, pid, status))


def serve(channel: socket.socket, answer: Answer, limits: ProcessLimits) -> None:
    """Answer calls in a child, until the other side closes or a call has left the child in doubt."""
    confine(limits)
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + _GROWTH
    while (frame := received(channel)) is not None:
        signal.setitimer(signal.ITIMER_PROF, limits.cpu)  # its signal ends the process, whatever is running
        try:
            parts = [OK, *answer(unpacked(frame))]
        except MemoryError:
            parts = [MEMORY]
        except RecursionError:
            parts = [DEPTH]
        except Exception as error:  # noqa: BLE001 (a defect is told to who asked, who writes the log)
            parts = [FAULT, type(error).__name__.encode(), str(error)[:500].encode(errors="replace")]
        signal.setitimer(signal.ITIMER_PROF, 0)
        if parts[0] == OK and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > largest:
            parts[0] = LAST
        channel.sendall(packed(parts))
        if parts[0] != OK:
            return


def confine(limits: ProcessLimits) -> None:
    """Give up what answering needs not: memory, files, processes."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    bounds = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, 0)]
    if size := _address_space():
        bounds.append((resource.RLIMIT_AS, size + limits.memory))
    for kind, most in bounds:
        with suppress(OSError, ValueError):  # a system without one of them has the others
            resource.setrlimit(kind, (most, most))


def received(channel: socket.socket) -> bytes | None:
    """The next frame; None where the other side has closed."""
    head = _exactly(channel, LENGTH.size)
    if head is None:
        return None
    (size,) = LENGTH.unpack(head)
    return _exactly(channel, size) if size <= MOST_BYTES else None


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    pieces = bytearray()
    while len(pieces) < size:
        piece = channel.recv(min(size - len(pieces), 1 << 20))
        if not piece:
            return None
        pieces += piece
    return bytes(pieces)


def _address_space() -> int:
    """How much the process has, in bytes; 0 where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    return 0


def main() -> None:
    """Load everything, then serve."""
    where, descriptor, limits = sys.argv[1:]
    module, _, name = where.partition(":")
    program = importlib.import_module(module)
    answer: Answer = getattr(program, name)
    if hasattr(program, "prepare"):
        program.prepare()
    with suppress(OSError):
        os.nice(_NICENESS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")  # where memory runs out, the children go first
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # whoever started it ends it, by closing its side
    Zygote(answer, socket.socket(fileno=int(descriptor)), ProcessLimits.of_text(limits)).run()


if __name__ == "__main__":
    main()
