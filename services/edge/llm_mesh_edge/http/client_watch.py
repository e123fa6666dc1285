"""Notices that a client has left, and ends the work for it at once.

Our own listener calls back. Other servers tell it only to whoever waits for it: quick answers are spared the extra task then, since
waiting begins after a moment, and a client that has left before is noticed then.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from llm_mesh_edge.http.exchange import HttpExchange

_MOMENT = 0.03


class ClientWatch:
    """Cancels the work inside once the client is gone, and swallows that cancellation: nobody is there to be answered."""

    __slots__ = ("_exchange", "_gone", "_task", "_timer", "_watching")

    def __init__(self, exchange: HttpExchange) -> None:
        self._exchange = exchange
        self._gone = False
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        if not self._exchange.on_gone(self._leave):
            self._timer = asyncio.get_running_loop().call_later(_MOMENT, self._begin)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        task, self._task = self._task, None
        if self._timer is not None:
            self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
        if self._gone and task is not None:
            task.uncancel()
            return kind is asyncio.CancelledError
        return False

    def _begin(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._watch(), name="client presence")

    async def _watch(self) -> None:
        await self._exchange.gone()
        self._leave()

    def _leave(self) -> None:
        if self._task is not None and not self._exchange.ended:
            self._gone = True
            self._task.cancel()
