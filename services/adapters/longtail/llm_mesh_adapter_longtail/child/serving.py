"""Serves the calls that the adapter sends: each in a task of its own, its answer in pieces that wait until they are read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import orjson

from llm_mesh_adapter_longtail.child.failing import failure
from llm_mesh_adapter_longtail.child.port import Library, LibraryTarget
from llm_mesh_adapter_longtail.wire import PIECE, WINDOW, FrameBuffer, FrameKind, WireFrame, packed

_READ: Final = 256 * 1024
_GRACE: Final = 5.0
"""Seconds until a call that was cancelled has ended. The library that goes on all the same takes its process with it."""
_STUCK: Final = 3
"""The exit code of a process whose library does not end its calls."""
_STREAMS: Final = {"status": 200, "stream": True}


class CallServer:
    """The calls of one process."""

    def __init__(self, library: Library, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._library = library
        self._reader = reader
        self._writer = writer
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._windows: dict[int, asyncio.Semaphore] = {}

    async def run(self) -> None:
        """Until the adapter closes."""
        self.send(FrameKind.READY, 0, self._library.version.encode())
        frames = FrameBuffer()
        while data := await self._reader.read(_READ):
            for frame in frames.feed(data):
                self._take(frame)
        os._exit(0)  # the library may have threads that never end

    def send(self, kind: FrameKind, call: int = 0, data: bytes = b"") -> None:
        """Send a frame. How many there are is bounded by the windows of the calls."""
        self._writer.write(packed(kind, call, data))

    def _take(self, frame: WireFrame) -> None:
        if frame.kind is FrameKind.PING:
            self.send(FrameKind.PONG)
        elif frame.kind is FrameKind.READ:
            if (window := self._windows.get(frame.call)) is not None:
                window.release()
        elif frame.kind is FrameKind.CANCEL:
            self._cancel(frame.call)
        elif frame.kind is FrameKind.CALL:
            self._windows[frame.call] = asyncio.Semaphore(WINDOW)
            task = self._tasks[frame.call] = asyncio.create_task(self._answer(frame.call, frame.data))
            task.add_done_callback(lambda _: self._done(frame.call))

    def _done(self, call: int) -> None:
        self._tasks.pop(call, None)
        self._windows.pop(call, None)

    def _cancel(self, call: int) -> None:
        task = self._tasks.get(call)
        if task is not None:
            task.cancel()
            asyncio.get_running_loop().call_later(_GRACE, lambda: None if task.done() else os._exit(_STUCK))

    async def _answer(self, call: int, data: bytes) -> None:
        answer = _Answer(self, call, self._windows[call])
        try:
            line, _, arguments = data.partition(b"\n")
            head = orjson.loads(line)
            target, values = LibraryTarget(**head["target"]), orjson.loads(arguments)
            if head["operation"] == "chat" and values.get("stream"):
                await self._stream(answer, target, values)
            else:
                body = dumped(await self._whole(head["operation"], target, values))
                await answer.put({"status": 200}, body)
        except Exception as error:  # noqa: BLE001 (whatever a library raises is the answer to its call, and never the end of the others)
            refusal, body = failure(error)
            await answer.put(refusal, body + b"\n")
        self.send(FrameKind.END, call)

    async def _whole(self, operation: str, target: LibraryTarget, values: Mapping[str, Any]) -> object:
        library = self._library
        if operation == "models":
            return {"data": [{"id": name} for name in await library.models(target)]}
        operations = {"chat": library.chat, "embed": library.embed, "rerank": library.rerank}
        return await operations[operation](target, values)

    async def _stream(self, answer: _Answer, target: LibraryTarget, values: Mapping[str, Any]) -> None:
        """Lines of JSON; the head goes with the first one, so that a refusal has its status."""
        chunks = self._library.stream(target, values)
        try:
            async for chunk in chunks:
                await answer.put(_STREAMS, dumped(chunk) + b"\n")
        finally:
            close = getattr(chunks, "aclose", None)
            if callable(close):
                await close()
        await answer.put(_STREAMS, b"[DONE]\n")

    async def drain(self) -> None:
        """Wait until the adapter has taken what was sent."""
        with suppress(ConnectionError):
            await self._writer.drain()


class _Answer:
    """One answer on its way."""

    def __init__(self, serving: CallServer, call: int, window: asyncio.Semaphore) -> None:
        self._serving = serving
        self._call = call
        self._window = window
        self._begun = False

    async def put(self, head: Mapping[str, Any], data: bytes) -> None:
        """The head, where it has not gone yet, and data in pieces."""
        if not self._begun:
            self._begun = True
            self._serving.send(FrameKind.HEAD, self._call, orjson.dumps(head))
        for begin in range(0, len(data), PIECE):
            await self._window.acquire()
            self._serving.send(FrameKind.PIECE, self._call, data[begin : begin + PIECE])
        await self._serving.drain()


def dumped(value: object) -> bytes:
    """JSON of what a library returned: a dictionary, or one of its own objects. What JSON has no form for is written as text."""
    dump = getattr(value, "model_dump", None)
    return orjson.dumps(dump(exclude_none=True) if callable(dump) else value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    return dump(exclude_none=True) if callable(dump) else str(value)
