"""Breaks the silence of a stream now and then, so that nobody on the way takes the connection for dead.

One timer per stream, which costs the stream itself nothing: it looks when it last heard something, and sets itself anew. It only
speaks while the stream waits for its source; one whose client is slow is not silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Protocol, Self


class Speak(Protocol):
    """Says something that every reader skips."""

    def __call__(self) -> Coroutine[object, object, None]:
        """Write one keep-alive."""


class KeepAlive:
    """Speaks after each `silence` in seconds. Whoever writes waits for `speaking` first, where it is set."""

    __slots__ = ("_last_message", "_loop", "_silence", "_speak", "_timer", "speaking", "waiting")

    def __init__(self, silence: float, speak: Speak) -> None:
        self._loop = asyncio.get_running_loop()
        self._silence = silence
        self._speak = speak
        self._last_message = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self.speaking: asyncio.Task[None] | None = None
        self.waiting = False

    def __enter__(self) -> Self:
        self._timer = self._loop.call_later(self._silence, self._look)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.waiting = False
        if self._timer is not None:
            self._timer.cancel()
        if self.speaking is not None:
            self.speaking.cancel()

    def message_came(self) -> None:
        """Something went to the client just now."""
        self._last_message = self._loop.time()

    async def stop(self) -> None:
        """Say nothing more; what is being said is said to its end."""
        self.waiting = False
        if self.speaking is not None:
            await self.speaking

    def _look(self) -> None:
        left = self._last_message + self._silence - self._loop.time()
        if left <= 0:
            left = self._silence
            if self.waiting and self.speaking is None:
                self.speaking = self._loop.create_task(self._say(), name="keep alive")
        self._timer = self._loop.call_later(left, self._look)

    async def _say(self) -> None:
        try:
            await self._speak()
        finally:
            self.message_came()
            self.speaking = None
