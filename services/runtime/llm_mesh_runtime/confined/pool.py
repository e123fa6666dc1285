"""Calls to child processes, shared fairly among those who make them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.confined.children import ForkedChild, ZygoteProcess
from llm_mesh_runtime.confined.limits import LimitReachedError, ProcessLimits
from llm_mesh_runtime.errors import RuntimeFault

_RETRY_AFTER: Final = 1.0
_HALF_LIFE: Final = 5.0
_FORGOTTEN: Final = 0.001


class Confined:
    """Runs a program's calls in child processes. Children are started when they are needed, and serve again.

    An owner, such as a domain, has at most all children but one at once, so that one is always free for others, and at most `waiting` calls
    that wait. Among those who wait, the owner goes first whose calls have taken the least time of late.
    """

    def __init__(self, program: str, limits: ProcessLimits, *, processes: int, waiting: int) -> None:
        self._limits = limits
        self._zygote = ZygoteProcess(program, limits)
        self._processes = processes
        self._share = max(1, processes - 1)
        self._most_waiting = waiting
        self._idle: list[ForkedChild] = []
        self._running: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._spent = _Spent()
        self._calls: set[asyncio.Task[list[bytes]]] = set()

    async def run(self, owner: str, parts: Sequence[bytes]) -> list[bytes]:
        """The program's answer. Raises `LimitReachedError`, OVERLOADED where too much waits, and `ChildFaultError` for a defect."""
        await self._enter(owner)
        call = asyncio.create_task(self._call(owner, parts))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return await asyncio.shield(call)  # whoever gives up does not leave a child in the middle of a call

    async def close(self) -> None:
        """End all children."""
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        for child in self._idle:
            child.close()
        self._idle.clear()
        await self._zygote.close()

    async def _call(self, owner: str, parts: Sequence[bytes]) -> list[bytes]:
        began = time.monotonic()
        child: ForkedChild | None = None
        try:
            child = self._idle.pop() if self._idle else await self._zygote.child()
            return await child.call(parts)
        except LimitReachedError:
            self._spent.add(owner, self._limits.cpu)  # it may have been quick to use up its memory
            raise
        finally:
            self._spent.add(owner, time.monotonic() - began)
            if child is not None and child.usable:
                self._idle.append(child)
            elif child is not None:
                child.close()
            self._leave(owner)

    async def _enter(self, owner: str) -> None:
        if self._free(owner) and owner not in self._waiting:
            self._running[owner] = self._running.get(owner, 0) + 1
            return
        queue = self._waiting.setdefault(owner, deque())
        if len(queue) >= self._most_waiting:
            raise RuntimeFault(errors_pb2.ERROR_REASON_OVERLOADED, f"{len(queue)} calls of {owner} wait already", retry_after=_RETRY_AFTER)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(owner)
            else:
                self._forget(owner, turn)
            raise

    def _free(self, owner: str) -> bool:
        return sum(self._running.values()) < self._processes and self._running.get(owner, 0) < self._share

    def _leave(self, owner: str) -> None:
        left = self._running[owner] - 1
        if left:
            self._running[owner] = left
        else:
            del self._running[owner]
        while ready := [each for each in self._waiting if self._free(each)]:
            following = min(ready, key=self._spent.of)
            turn = self._waiting[following][0]
            self._forget(following, turn)
            self._running[following] = self._running.get(following, 0) + 1
            turn.set_result(None)

    def _forget(self, owner: str, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(owner)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[owner]


class _Spent:
    """How much time each owner's calls have taken of late, in seconds; what is long past counts less."""

    def __init__(self) -> None:
        self._amounts: dict[str, float] = {}
        self._at = time.monotonic()

    def add(self, owner: str, seconds: float) -> None:
        """Add seconds of work to what an owner has used."""
        self._age()
        self._amounts[owner] = self._amounts.get(owner, 0.0) + seconds

    def of(self, owner: str) -> float:
        """Seconds of work that an owner has used lately."""
        return self._amounts.get(owner, 0.0)

    def _age(self) -> None:
        now = time.monotonic()
        if now - self._at > _HALF_LIFE:
            factor = 0.5 ** ((now - self._at) / _HALF_LIFE)
            self._at = now
            self._amounts = {owner: amount * factor for owner, amount in self._amounts.items() if amount * factor > _FORGOTTEN}
