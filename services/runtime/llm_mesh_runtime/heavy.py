"""Long computations, in threads of their own: one large and one medium at a time, within a bound of bytes, in turns between tenants.

Python computes with one thread at a time, so more threads would only take more from the event loop. What one tenant sends is worked
off behind what it sent before, and beside what others sent. Small work is done at once, and never comes here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.errors import RuntimeFault
from llm_mesh_runtime.turns import Turns

T = TypeVar("T")
_MEDIUM = 256 * 1024
"""Work up to this size has a lane of its own, so that it does not wait behind the largest."""
_LEAST_RETRY, _MOST_RETRY = 1.0, 30.0
_SMOOTHING = 0.2
_FIRST_GUESS = 20e6
"""Bytes in a second, before anything is measured."""


class HeavyWork:
    """Belongs to one event loop. `most_bytes` may be in work or wait; one tenant may have half of them."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._by_tenant: dict[str, int] = {}
        self._lanes = (_Lane("medium work"), _Lane("large work"))
        self._pace = _FIRST_GUESS

    @property
    def bytes(self) -> int:
        """What is in work or waits."""
        return self._bytes

    async def run(self, tenant: str, size: int, work: Callable[[], T]) -> T:
        """The result of the work, which runs in a thread. OVERLOADED where too much waits already.

        A caller who gives up leaves its place; work that has begun goes on to its end, and counts until then.
        """
        self._admit(tenant, size)
        return await self.follow(tenant, size, work)

    async def follow(self, tenant: str, size: int, work: Callable[[], T]) -> T:
        """The same for what an earlier work has led to, such as an answer that is paid: it waits, and is never refused."""
        self._bytes += size
        self._by_tenant[tenant] = self._by_tenant.get(tenant, 0) + size
        lane = self._lanes[size > _MEDIUM]
        try:
            await lane.turns.take(tenant)
        except BaseException:
            self._leave(tenant, size)
            raise
        loop, began = asyncio.get_running_loop(), time.monotonic()

        def finished() -> None:
            self._measure(size, time.monotonic() - began)
            self._leave(tenant, size)
            lane.turns.give()

        future = lane.submit(work)
        future.add_done_callback(lambda _: None if loop.is_closed() else loop.call_soon_threadsafe(finished))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let the threads end."""
        for lane in self._lanes:
            lane.close()

    def _admit(self, tenant: str, size: int) -> None:
        held = self._by_tenant.get(tenant, 0)
        too_much = (self._bytes and self._bytes + size > self._most) or (held and held + size > self._most // 2)
        if too_much:
            wait = min(_MOST_RETRY, max(_LEAST_RETRY, self._bytes / self._pace))
            message = f"server overloaded: {self._bytes} bytes of large requests are in work; retry after {wait:.0f} s"
            raise RuntimeFault(errors_pb2.ERROR_REASON_OVERLOADED, message, retry_after=wait)

    def _leave(self, tenant: str, size: int) -> None:
        self._bytes -= size
        left = self._by_tenant[tenant] - size
        if left:
            self._by_tenant[tenant] = left
        else:
            del self._by_tenant[tenant]

    def _measure(self, size: int, seconds: float) -> None:
        if seconds > 0:
            self._pace += _SMOOTHING * (size / seconds - self._pace)


class _Lane:
    """One thread, and who waits for it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.turns = Turns()
        self._executor: ThreadPoolExecutor | None = None

    def submit(self, work: Callable[[], T]) -> Future[T]:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, self._name)
        return self._executor.submit(work)

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
