"""One answer, as its bytes come in. It outlives its connection: what has arrived whole can still be read."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from typing import Protocol

from llm_mesh_adapter_kit.client.inflating import Inflation, inflation
from llm_mesh_adapter_kit.http import BrokenError

_NOTHING = b""


class Line(Protocol):
    """What an answer needs of the connection that it comes over."""

    def watch(self, deadline: float) -> None:
        """Fail the answer with `TimeoutError` if it still waits at the deadline."""

    def resume(self) -> None:
        """Read on, if reading was stopped because nobody took what came."""

    def drop(self) -> None:
        """Close at once."""


class Answer:
    """`HttpAnswer`."""

    __slots__ = ("_inflation", "_line", "_waiter", "begun", "error", "fields", "held", "pieces", "status", "stopped", "whole")

    def __init__(self, line: Line) -> None:
        self._line: Line | None = line
        self.pieces: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._inflation: Inflation | None = None
        self.fields: dict[bytes, bytes] = {}
        self.status = 0
        self.held = 0
        self.begun = False
        self.whole = False
        self.stopped = False
        """Whether its line reads no more until some of it is taken."""
        self.error: Exception | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers, by lower-case name."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.fields.items()}

    def header(self, name: str) -> str:
        """A header's value by its lower-case name; empty where the provider did not send it."""
        value = self.fields.get(name.encode())
        return "" if value is None else value.decode("latin-1")

    @property
    def over(self) -> bool:
        """See `HttpAnswer`."""
        return self.whole and not self.pieces and self._inflation is None

    @property
    def framed(self) -> bool:
        """Whether the answer says where it ends. Otherwise the end of the connection is its end."""
        if b"transfer-encoding" in self.fields:
            return self.fields[b"transfer-encoding"].lower().endswith(b"chunked")
        return b"content-length" in self.fields

    async def head(self, deadline: float) -> None:
        """Wait for the head."""
        while not self.begun:
            if self.error is not None:
                raise self.error
            await self._arrival(deadline)
        if b"content-encoding" in self.fields:
            self._inflation = inflation(self.fields[b"content-encoding"])

    async def read(self, deadline: float = math.inf) -> bytes:
        """See `HttpAnswer`."""
        while True:
            while not self.pieces:
                if self.error is not None:
                    raise self.error
                if self.whole:
                    return self._ended()
                await self._arrival(deadline)
            pieces = self.pieces
            data = pieces[0] if len(pieces) == 1 else _NOTHING.join(pieces)
            if self._inflation is None:
                self.pieces = []
                self.held = 0
                if self.stopped and self._line is not None:
                    self.stopped = False
                    self._line.resume()
                return data
            data, rest = self._inflation.feed(data)
            self._keep(rest)
            if rest:  # nothing is waited for, and few bytes can hold many: others have their turn between two pieces
                await asyncio.sleep(0)
            if data:  # what is packed may need more than has come
                return data

    def at_once(self) -> bytes | None:
        """See `HttpAnswer`."""
        if not self.whole or self._inflation is not None:
            return None
        data = _NOTHING.join(self.pieces)
        self._keep(_NOTHING)
        return data

    def close(self) -> None:
        """See `HttpAnswer`."""
        line, self._line = self._line, None
        if line is not None and not self.whole:
            line.drop()

    def end(self) -> None:
        """All of it has come: its connection is free."""
        self.whole = True
        self._line = None

    def fail(self, error: Exception) -> None:
        """It will not become whole. What came before is still read."""
        if not self.whole and self.error is None:
            self.error = error
            self._line = None
            self.wake()

    def wake(self) -> None:
        """Let the reader look."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    @property
    def waits(self) -> bool:
        """Whether somebody waits for more."""
        return self._waiter is not None and not self._waiter.done()

    def _arrival(self, deadline: float) -> asyncio.Future[None]:
        """Comes with whatever arrives next."""
        line = self._line
        if line is None:
            raise BrokenError("the answer was closed")
        if time.monotonic() > deadline:
            raise TimeoutError  # the line's timer looks who waits: of an answer that comes without a pause nobody does
        line.watch(deadline)
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        return waiter

    def _keep(self, rest: bytes) -> None:
        """What was read is taken; while a rest waits for its turn, nothing more is read from the connection."""
        self.pieces = [rest] if rest else []
        self.held = len(rest)
        if self.stopped and self._line is not None and not rest:
            self.stopped = False
            self._line.resume()

    def _ended(self) -> bytes:
        if self._inflation is not None and not self._inflation.whole:
            raise BrokenError("the packed body ended before its end")
        return _NOTHING
