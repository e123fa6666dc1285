"""One process of a worker: a pipe to it that it lives by, and a pipe from it that tells when it serves and when it is gone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import IO

_COMMAND = (sys.executable, "-m", "llm_mesh_cli.up.worker")
_AT_ONCE = 4096


class Ended(Exception):
    """The worker ended before it served; the text is why, as far as it said."""


class Child:
    """Begins at once. Ctrl-C at a terminal is for the main process alone, so the worker is in a process group of its own."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (our own module, by our own interpreter)
            _COMMAND, env=dict(environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0, bufsize=0
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._output = bytearray()
        self._spoken = asyncio.Event()
        self._gone = asyncio.Event()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def attach(self) -> None:
        """Listen to it, on the running loop."""
        handle = _pipe(self._process.stdout).fileno()
        os.set_blocking(handle, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(handle, self._readable, handle)

    async def order(self, line: bytes) -> None:
        """Give it its order, and wait until it serves. Raises `Ended`."""
        try:
            _pipe(self._process.stdin).write(line)
        except BrokenPipeError:
            pass  # it has ended already; what it said before is there all the same
        else:
            await self._spoken.wait()
        if not self._report("serving"):
            code = await self.ended()
            raise Ended(self._report("failed") or f"it ended with {code}")

    async def ended(self) -> int:
        """Wait until it has ended; its exit code, or minus the signal's number."""
        await self._gone.wait()
        return await asyncio.to_thread(self._process.wait)  # its pipe ends a moment before it does

    def send(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it now, if it has not ended."""
        self._process.kill()
        self._process.wait()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(_pipe(self._process.stdout).fileno())
            self._loop = None
            self._gone.set()
        _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()

    def _readable(self, handle: int) -> None:
        piece = os.read(handle, _AT_ONCE)
        self._output += piece
        if not piece:
            asyncio.get_running_loop().remove_reader(handle)
            self._gone.set()
        if not piece or b"\n" in self._output:
            self._spoken.set()

    def _report(self, what: str) -> str:
        """A text that it told; `serving` may be empty, and is then a dash."""
        line, whole, _ = self._output.partition(b"\n")
        line_fields = json.loads(line) if whole else {}
        return (line_fields[what] or "-") if what in line_fields else ""


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    if end is None:
        raise ValueError("the worker was started without pipes")
    return end
