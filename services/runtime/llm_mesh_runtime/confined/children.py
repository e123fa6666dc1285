"""Child processes as their parent has them: a zygote that forks them, and one call at a time to each."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from llm_mesh_runtime.confined.limits import LimitReachedError, ProcessLimits
from llm_mesh_runtime.confined.wire import (
    DEPTH,
    ENDED,
    FAULT,
    FORK,
    KILL,
    LAST,
    LENGTH,
    MEMORY,
    MOST_BYTES,
    NOTICE,
    OK,
    packed,
    unpacked,
)

_TIMEOUT: Final = 10.0
_NAMES: Final = {MEMORY: "memory", DEPTH: "depth"}
_SIGNALS: Final = {
    signal.SIGPROF: "cpu",
    signal.SIGXCPU: "cpu",
    signal.SIGSEGV: "depth",
    signal.SIGBUS: "depth",
    signal.SIGABRT: "memory",
    signal.SIGKILL: "memory",
}


class ChildFaultError(Exception):
    """A child has failed by a defect of what it runs, or cannot be started."""


class ForkedChild:
    """One child. Answers one call at a time."""

    def __init__(self, zygote: ZygoteProcess, channel: socket.socket, pid: int, ended: asyncio.Future[int]) -> None:
        self._zygote = zygote
        self._channel = channel
        self._pid = pid
        self._ended = ended
        self.usable = True

    async def call(self, parts: Sequence[bytes]) -> list[bytes]:
        """The answer. Raises `LimitReachedError`, and `ChildFaultError` for a defect; the child is of no more use then."""
        self.usable = False  # until the answer is whole
        try:
            async with asyncio.timeout(self._zygote.limits.wall):
                answer = await self._exchange(packed(parts))
        except TimeoutError:
            self._zygote.kill(self._pid)
            raise LimitReachedError("time") from None
        except OSError:
            answer = None
        if answer is None:
            raise LimitReachedError(await self._why())
        return self._read(answer)

    def close(self) -> None:
        """No more calls: it ends by itself."""
        self.usable = False
        self._channel.close()

    def _read(self, answer: list[bytes]) -> list[bytes]:
        how, *parts = answer
        if how in _NAMES:
            raise LimitReachedError(_NAMES[how])
        if how == FAULT:
            raise ChildFaultError(": ".join(part.decode(errors="replace") for part in parts))
        self.usable = how == OK
        if how not in {OK, LAST}:
            raise ChildFaultError("a child answered what is no answer")
        return parts

    async def _exchange(self, frame: bytes) -> list[bytes] | None:
        """None where the child ended before it had answered."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._channel, frame)
        head = await self._exactly(LENGTH.size)
        if head is None:
            return None
        (size,) = LENGTH.unpack(head)
        if size > MOST_BYTES:
            raise ChildFaultError("a child answered too much")
        body = await self._exactly(size)
        try:
            return None if body is None else unpacked(body)
        except ValueError as error:
            raise ChildFaultError(str(error)) from error

    async def _exactly(self, size: int) -> bytes | None:
        loop = asyncio.get_running_loop()
        pieces = bytearray()
        while len(pieces) < size:
            piece = await loop.sock_recv(self._channel, min(size - len(pieces), 1 << 18))
            if not piece:
                return None
            pieces += piece
        return bytes(pieces)

    async def _why(self) -> str:
        """Which limit ended the child."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                status = await asyncio.shield(self._ended)
        except TimeoutError:
            return "time"
        return _SIGNALS.get(signal.Signals(os.WTERMSIG(status)), "memory") if os.WIFSIGNALED(status) else "memory"


class ZygoteProcess:
    """The process that children are forked from. Started when the first is wanted, and again where it has ended."""

    def __init__(self, program: str, limits: ProcessLimits) -> None:
        self.limits = limits
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._forked: asyncio.Future[int] | None = None
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._turn = asyncio.Lock()

    async def child(self) -> ForkedChild:
        """A new child. Raises `ChildFaultError` where there can be none."""
        async with self._turn:
            try:
                if self._control is None:
                    await self._start()
                own, other = socket.socketpair()
                own.setblocking(False)
                with other:
                    pid = await self._fork(other)
            except (OSError, TimeoutError) as error:
                self._lost()
                raise ChildFaultError(f"no child process can be started: {error}") from error
            return ForkedChild(self, own, pid, self._ends[pid])

    def kill(self, pid: int) -> None:
        """End a child, whatever it does."""
        if self._control is not None:
            with suppress(OSError):
                self._control.send(NOTICE.pack(KILL, pid, 0))

    async def close(self) -> None:
        """End it and all children."""
        process = self._process
        self._lost()
        if process is not None:
            await asyncio.to_thread(_reaped, process)

    async def _start(self) -> None:
        own, other = socket.socketpair()
        with other:
            process = self._process
            if process is not None:
                await asyncio.to_thread(_reaped, process)
            self._process = await asyncio.to_thread(_started, self._program, other, self.limits)
        own.setblocking(False)
        self._control = own
        asyncio.get_running_loop().add_reader(own, self._on_control, own)

    async def _fork(self, other: socket.socket) -> int:
        if self._control is None:
            raise OSError("it has ended")
        self._forked = asyncio.get_running_loop().create_future()
        socket.send_fds(self._control, [NOTICE.pack(FORK, 0, 0)], [other.fileno()])
        async with asyncio.timeout(_TIMEOUT):
            return await self._forked

    def _on_control(self, control: socket.socket) -> None:
        try:
            notices = control.recv(NOTICE.size * 64)
        except BlockingIOError:
            return
        except OSError:
            notices = b""
        if not notices or len(notices) % NOTICE.size:
            self._lost()
            return
        for kind, pid, status in NOTICE.iter_unpack(notices):
            if kind == FORK and self._forked is not None and not self._forked.done():
                self._ends[pid] = asyncio.get_running_loop().create_future()
                self._forked.set_result(pid)
            elif kind == ENDED and (ended := self._ends.pop(pid, None)) is not None:
                ended.set_result(status)

    def _lost(self) -> None:
        """It has ended, or shall: its children end with it."""
        control, self._control = self._control, None
        if control is not None:
            asyncio.get_running_loop().remove_reader(control)
            control.close()
        if self._forked is not None and not self._forked.done():
            self._forked.set_exception(OSError("it has ended"))
        self._forked = None
        ends, self._ends = self._ends, {}
        for ended in ends.values():
            ended.set_result(signal.SIGKILL)


def _started(program: str, control: socket.socket, limits: ProcessLimits) -> subprocess.Popen[bytes]:
    """The process, with nothing of this one's environment, files and folder."""
    paths = [str(Path(path).resolve()) for path in sys.path if path]
    command = [sys.executable, "-P", "-s", "-m", "llm_mesh_runtime.confined.zygote", program, str(control.fileno()), limits.text()]
    return subprocess.Popen(  # noqa: S603 (our own program)
        command,
        env={"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(control.fileno(),),
    )


def _reaped(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
