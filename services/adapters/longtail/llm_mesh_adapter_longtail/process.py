"""The process of a library, as the adapter has it: started, asked, watched, and replaced where it dies or hangs.

Nothing that the library does reaches the adapter but the bytes of its answers: a blocked loop, a crash, memory without end and a
call that does not stop end the process, and the calls that it had are broken.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from llm_mesh_adapter_kit.errors import escaped
from llm_mesh_adapter_kit.http import BrokenError, ConnectTimeoutError, UnreachableError
from llm_mesh_adapter_longtail.reply import LibraryReply
from llm_mesh_adapter_longtail.wire import FrameBuffer, FrameError, FrameKind, WireFrame, packed
from llm_mesh_runtime.log import get_logger

_READ: Final = 256 * 1024
_MOST_CALLS: Final = 2_048
_MOST_REFUSALS: Final = 64
_LONGEST_PAUSE: Final = 60.0
_MOST_WORDS: Final = 4 * 1024
"""Bytes of what a process says at its start that are kept: the last ones say why it ended."""
_ENDED: Final = "the library's process ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessBounds:
    """What the process may take and reach."""

    memory: int = 2 * 1024 * 1024 * 1024
    """Bytes that it may hold of its own."""
    files: int = 4_096
    """Files and connections that it may have open."""
    silence: float = 10.0
    """Seconds without a sign of life, after which it is replaced."""
    pause: float = 1.0
    """Seconds between two starts of a process that does not live: at first, and twice as many after each that did not load."""
    start: float = 120.0
    """Seconds until the library is loaded."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """All that the library finds in its environment: nothing of the adapter's own is there."""
    endpoints: Sequence[Mapping[str, Any]] = ()
    """What it may reach: `base_url`, `local` and `allow` of each endpoint."""


class LibraryProcess:
    """One process with one library, which is started again where it ended."""

    def __init__(self, module: str, bounds: ProcessBounds, *, python: str = sys.executable) -> None:
        self._command = (python, "-s", "-P", "-m", "llm_mesh_adapter_longtail.child")
        self._module = module
        self._bounds = bounds
        self._calls: dict[int, LibraryReply] = {}
        self._last = 0
        self._writer: asyncio.StreamWriter | None = None
        self._ready = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._last_sign = 0.0
        self.version = ""
        self.starts = 0
        """How many processes there have been."""
        self.refusals: list[str] = []
        """What the library was about to reach and may not, the first few."""
        self.why = ""
        """Why the last process ended."""
        self.pause = bounds.pause
        """Seconds until the next start, where a process ends at once."""
        self.last_words = ""
        """What the last process said, where it never had its library loaded. Later words may be of calls, and are not kept."""
        self._loaded_once = False
        """Whether the present process has had its library loaded."""
        self._words = b""
        """What the present process has said before its library was loaded."""

    def start(self) -> None:
        """Have a process from now on."""
        if self._life is None:
            self._life = asyncio.get_running_loop().create_task(self._live(), name=f"library {self._module}")

    @property
    def loaded(self) -> bool:
        """Whether the library can be called."""
        return self._ready.is_set()

    async def close(self) -> None:
        """End the process."""
        if self._life is not None:
            self._life.cancel()
            with suppress(asyncio.CancelledError):
                await self._life

    async def call(self, head: Mapping[str, Any], arguments: bytes, deadline: float, loading: float) -> LibraryReply:
        """Send a call, and wait for the head of its answer.

        Raises `ConnectTimeoutError` where no library is loaded in time, `UnreachableError` where there are too many calls, `BrokenError`
        where the process ends, and `TimeoutError` at the deadline.
        """
        self.start()
        try:
            async with asyncio.timeout(min(loading, max(deadline - time.monotonic(), 0))):
                await self._ready.wait()
        except TimeoutError:
            raise ConnectTimeoutError(self.why or "the library is not loaded") from None
        if len(self._calls) >= _MOST_CALLS:
            raise UnreachableError("the library has too many calls")
        self._last = self._last % 0xFFFFFFFE + 1
        reply = self._calls[self._last] = LibraryReply(self._last, self.send)
        self.send(FrameKind.CALL, reply.call, orjson.dumps(head) + b"\n" + arguments)
        try:
            while reply.head is None and not reply.failed:
                await reply.wait(deadline)
        except BaseException:
            self.leave(reply)
            raise
        if reply.failed:
            raise BrokenError(reply.failed)
        return reply

    def leave(self, reply: LibraryReply) -> None:
        """Nobody waits for the rest."""
        if self._calls.pop(reply.call, None) is not None and not reply.ended:
            self.send(FrameKind.CANCEL, reply.call)

    def send(self, kind: FrameKind, call: int = 0, data: bytes = b"") -> None:
        """Send a frame, where there is a process."""
        if self._writer is not None:
            self._writer.write(packed(kind, call, data))

    async def _live(self) -> None:
        while True:
            begun = time.monotonic()
            try:
                await self._one_life()
            except (OSError, FrameError, TimeoutError, subprocess.SubprocessError) as error:
                self.why = f"{_ENDED}: {error}" if str(error) else _ENDED
            self._end_calls()
            self.last_words = "" if self._loaded_once else escaped(self._words.decode("utf-8", "replace"), _MOST_WORDS)
            get_logger().warning("the library's process ended", library=self._module, why=self.why, said=self.last_words)
            self.pause = self._bounds.pause if self._loaded_once else min(2 * self.pause, _LONGEST_PAUSE)
            await asyncio.sleep(max(self.pause - (time.monotonic() - begun), 0.05))

    async def _one_life(self) -> None:
        self._loaded_once, self._words = False, b""
        ours, theirs = socket.socketpair()
        bounds = self._bounds
        limits = orjson.dumps({"memory": bounds.memory, "files": bounds.files, "endpoints": list(bounds.endpoints)}).decode()
        command = (*self._command, str(theirs.fileno()), self._module, limits)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env=_environment(bounds.environment), cwd="/", pass_fds=(theirs.fileno(),), start_new_session=True,
            )  # fmt: skip
        self.starts += 1
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        watch, listen = asyncio.create_task(self._watch(process, writer)), asyncio.create_task(self._listen(process))
        try:
            await self._follow(reader, writer)
            code = await asyncio.wait_for(process.wait(), bounds.silence)
            await asyncio.wait([listen], timeout=bounds.silence)
            self.why = f"{_ENDED} with {code}"
        finally:
            self._ready.clear()
            self._writer = None
            watch.cancel()
            listen.cancel()
            writer.close()
            with suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameBuffer()
        self._last_sign = time.monotonic()
        while data := await reader.read(_READ):
            self._last_sign = time.monotonic()
            for frame in frames.feed(data):
                self._take(frame, writer)

    def _take(self, frame: WireFrame, writer: asyncio.StreamWriter) -> None:
        if frame.kind is FrameKind.READY:
            self.version = frame.data.decode("utf-8", "replace")[:64]
            self._writer = writer
            self._loaded_once = True
            self._ready.set()
        elif frame.kind is FrameKind.REFUSED:
            self._refused(frame.data.decode("utf-8", "replace"))
        elif (reply := self._calls.get(frame.call)) is not None:
            reply.take(frame)
            if reply.ended:
                del self._calls[frame.call]

    def _refused(self, what: str) -> None:
        if what not in self.refusals and len(self.refusals) < _MOST_REFUSALS:
            self.refusals.append(what)
            get_logger().warning("the library may not reach what no setting names", library=self._module, refused=what)

    async def _watch(self, process: asyncio.subprocess.Process, writer: asyncio.StreamWriter) -> None:
        """Kill a process that does not load, or gives no sign of life: its loop is blocked."""
        bounds = self._bounds
        try:
            async with asyncio.timeout(bounds.start):
                await self._ready.wait()
        except TimeoutError:
            self._kill(process)
            return
        while True:
            pinged = time.monotonic()
            writer.write(packed(FrameKind.PING))
            await asyncio.sleep(bounds.silence)
            if self._last_sign < pinged:
                self._kill(process)
                return

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Read what the process says, so that it never waits for that, and keep the last of it until its library is loaded."""
        assert process.stderr is not None  # noqa: S101 (told to the type checker: it is a pipe)
        while data := await process.stderr.read(_MOST_WORDS):
            if not self._loaded_once:
                self._words = (self._words + data)[-_MOST_WORDS:]

    def _kill(self, process: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            process.kill()

    def _end_calls(self) -> None:
        calls, self._calls = self._calls, {}
        for reply in calls.values():
            reply.fail(self.why)


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """Nothing of ours: neither credentials nor proxies, and no home with files of providers."""
    return {**own, "PATH": os.defpath, "LANG": "C.UTF-8", "HOME": "/nonexistent"}
