"""How requests are sent: a closed loop (so many in flight) or an open one (at a rate or by a trace, whatever comes back)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time

from bench.load.connection import Connection
from bench.load.figures import Figures
from bench.load.spec import Spec

_TIMEOUT = 60.0
_DRAIN = 10.0
_SEED = 3


class Closed:
    """Each connection sends its next request when the answer to the last is whole."""

    def __init__(self, spec: Spec, requests: list[bytes], figures: Figures) -> None:
        self._spec, self._requests, self._figures = spec, requests, figures
        self._connections: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._next = 0
        self._left = -1
        self._busy = 0
        self._rested = asyncio.Event()

    async def run(self) -> None:
        """Warm up, measure, and close."""
        await asyncio.gather(*(self._opened() for _ in range(self._spec.connections)))
        if self._spec.count:
            await self._counted(self._spec.warm_up_count)
            await held(self._spec)
            self._figures.begin()
            await self._counted(self._spec.count)
            self._figures.end()
        else:
            await self._begun()
            await asyncio.sleep(self._spec.warm_up)
            self._figures.begin()
            await asyncio.sleep(self._spec.seconds)
            self._figures.end()
            self._left = 0
        await asyncio.gather(*self._opening)
        for connection in tuple(self._connections):
            connection.close()

    async def _begun(self) -> None:
        """All connections ask. Answers that take equally long keep them in step, or out of it, for the whole run."""
        if not self._spec.stagger:
            self._go(-1)
            return
        self._left = -1
        begun, connections = time.perf_counter(), tuple(self._connections)
        for moment, connection in zip(moments(len(connections), self._spec.stagger), connections, strict=True):
            await asyncio.sleep(begun + moment - time.perf_counter())
            self._send(connection)

    async def _counted(self, count: int) -> None:
        if count:
            self._rested.clear()
            self._go(count)
            async with asyncio.timeout(_TIMEOUT):
                await self._rested.wait()

    def _go(self, count: int) -> None:
        self._left = count
        for connection in tuple(self._connections):
            self._send(connection)

    def _send(self, connection: Connection) -> None:
        if not self._left:
            self._rest()
            return
        self._left -= 1
        self._busy += 1
        request, self._next = self._requests[self._next % len(self._requests)], self._next + 1
        connection.send(request, self._next, time.perf_counter())

    def _idle(self, connection: Connection) -> None:
        if connection.open and not self._spec.fresh:
            self._busy -= 1
            self._send(connection)
            return
        if connection.open:  # its answer is whole, and it is not used again; `connection_lost` follows
            connection.close()
            return
        if connection in self._connections:
            self._connections.discard(connection)
            self._busy = max(0, self._busy - 1)
            if self._left:
                task = asyncio.get_running_loop().create_task(self._replaced())
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)
            else:
                self._rest()

    def _rest(self) -> None:
        if not self._busy:
            self._rested.set()

    async def _opened(self) -> Connection:
        connection = await connected(self._spec, self._figures, self._idle)
        self._connections.add(connection)
        return connection

    async def _replaced(self) -> None:
        begun = time.perf_counter()
        connection = await self._opened()
        if self._left:
            self._left -= 1
            self._busy += 1
            request, self._next = self._requests[self._next % len(self._requests)], self._next + 1
            connection.send(request, self._next, begun if self._spec.fresh else time.perf_counter())


class Open:
    """Requests come at their time, whether answers do or not; each on an idle connection, or on a new one."""

    def __init__(self, spec: Spec, requests: list[bytes], figures: Figures) -> None:
        self._spec, self._requests, self._figures = spec, requests, figures
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._back = asyncio.Event()

    async def run(self) -> None:
        """Warm up at the same rate, measure, and let what is in flight come back."""
        begun = time.perf_counter()
        if self._spec.arrivals:
            self._figures.begin()
            for when, which in self._spec.arrivals:
                await self._due(begun + when, which)
        else:
            total = int((self._spec.warm_up + self._spec.seconds) * self._spec.rate)
            for number in range(total):
                if not self._figures.measuring and number >= self._spec.warm_up * self._spec.rate:
                    self._figures.begin()
                await self._due(begun + number / self._spec.rate, number)
        if self._spec.arrivals:
            await self._drained()
            self._figures.end()
        else:
            self._figures.end()
            await self._drained()
        for connection in tuple(self._all):
            connection.close()

    async def _due(self, when: float, number: int) -> None:
        early = when - time.perf_counter()
        if early > 0:
            await asyncio.sleep(early)
        elif not number % 64:
            await asyncio.sleep(0)  # late: answers must be read all the same
        request = self._requests[number % len(self._requests)]
        if self._idle:
            self._idle.pop().send(request, number, when)
        elif len(self._all) + len(self._opening) < self._spec.connections:
            task = asyncio.get_running_loop().create_task(self._fresh(request, number, when))
            self._opening.add(task)
            task.add_done_callback(self._opened)
        elif self._figures.measuring:
            self._figures.unsent += 1

    async def _fresh(self, request: bytes, number: int, when: float) -> None:
        try:
            connection = await connected(self._spec, self._figures, self._free)
        except OSError as error:
            self._figures.failures[f"no connection: {error}"] += 1
            return
        self._all.add(connection)
        connection.send(request, number, when)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        self._back.set()

    def _free(self, connection: Connection) -> None:
        if connection.open:
            self._idle.append(connection)
        else:
            self._all.discard(connection)
            if connection in self._idle:
                self._idle.remove(connection)
        self._back.set()

    async def _drained(self) -> None:
        with contextlib.suppress(TimeoutError):  # what never comes back is counted by `unanswered`
            async with asyncio.timeout(_DRAIN):
                while self._opening or len(self._idle) < len(self._all):
                    self._back.clear()
                    await self._back.wait()
        self._figures.unanswered = len(self._all) - len(self._idle)


def moments(count: int, seconds: float) -> list[float]:
    """Random ones, in order; the same in each run, so that all targets have them."""
    dice = random.Random(_SEED)  # noqa: S311 - moments
    return sorted(dice.uniform(0, seconds) for _ in range(count))


async def connected(spec: Spec, figures: Figures, idle: object) -> Connection:
    """A connection to the target."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection(spec, figures, idle), spec.host, spec.port)  # type: ignore[arg-type]
    return connection


async def held(spec: Spec) -> None:
    """Wait for whoever started this, where told to: a profile may begin."""
    if spec.held:
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
