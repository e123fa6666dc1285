"""The workers of `up`, as the main process has them: started with it, started again when they end, and never outliving it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from llm_mesh_cli.up.child import Child, Ended
from llm_mesh_cli.up.order import Order, worker_name
from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.host import StartError
from llm_mesh_runtime.host.sockets import PROCESS
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.tasks import TaskSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_mesh_runtime.host import Host
    from llm_mesh_runtime.telemetry.metrics import Counter, Metrics

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_PROVEN = 30.0
"""Seconds after which a worker that served is as good as new: the next pause is the first one again."""
_AFTER_GRACE = 15.0
"""What a worker may take beyond the grace, to bring its settlements to policy."""


def declare(metrics: Metrics, serving: Callable[[], float]) -> Counter:
    """What is measured of workers; answers with the counter of their restarts."""
    metrics.watch("llm_mesh.workers.serving", "Workers that accept HTTP now.", serving)
    return metrics.counter("llm_mesh.workers.restarts", "Workers that ended by themselves and were started again.", ("worker",))


class Workers:
    """All workers of a mesh. `http` is where they accept."""

    def __init__(self, count: int, http: str, environ: Mapping[str, str]) -> None:
        self.http = http
        self.count = count
        self._environ = environ
        self._children = {number: Child(environ) for number in range(1, count + 1)}
        self._tasks = TaskSet()
        self._first: dict[int, asyncio.Future[None]] = {}
        self._up: set[int] = set()
        self._restarts: Counter
        self._grace = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for child in self._children.values():
            child.kill()

    def begin(self, host: Host) -> None:
        """The main process serves: give the orders."""
        mesh, metrics = host.mesh, host.links("up").metrics
        self._grace = mesh.grace.total_seconds()
        self._restarts = declare(metrics, lambda: len(self._up))
        names = tuple(hosted.service.name for hosted in host.hosted if hosted.handlers and not hosted.service.name.startswith(PROCESS))
        order = Order(0, self.count, self.http, str(mesh.data_dir.absolute()), mesh.sockets, names)
        for number, child in self._children.items():
            child.attach()
            host.health.tell(PROCESS + worker_name(number), serving=False)
            self._restarts.labels(worker_name(number))
            self._first[number] = asyncio.get_running_loop().create_future()
            self._tasks.spawn(self._tend(host, replace(order, number=number)), name=worker_name(number))

    async def serving(self) -> None:
        """Wait until all have served. Raises `StartError` with the reason of one that cannot."""
        await asyncio.gather(*self._first.values())

    async def stop(self) -> None:
        """Let them drain, and end those that do not in time."""
        await self._tasks.close()  # nobody is started again
        for child in self._children.values():
            child.send(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace + _AFTER_GRACE):
                await asyncio.gather(*(child.ended() for child in self._children.values()))
        for child in self._children.values():
            child.kill()

    async def _tend(self, host: Host, order: Order) -> None:
        """One worker: whenever it ends, another one takes its place."""
        name, number, backoff = order.process, order.number, Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            fate = await self._served(host, order)
            if not self._first[number].done():
                return self._fail(number, fate)
            get_logger().error("a worker has ended and is started again", worker=name, why=fate)
            if loop.time() - began >= _PROVEN:
                backoff.reset()
            self._children[number].kill()  # it has ended; what is left is to close its pipes
            await backoff.wait()
            self._restarts.labels(name).inc()
            self._children[number] = Child(self._environ)
            self._children[number].attach()

    async def _served(self, host: Host, order: Order) -> str:
        """The life of one process; why it ended."""
        child = self._children[order.number]
        try:
            await child.order(order.line())
        except Ended as ended:
            return str(ended)
        self._up.add(order.number)
        host.health.tell(PROCESS + order.process, serving=True)
        if not self._first[order.number].done():
            self._first[order.number].set_result(None)
        code = await child.ended()
        self._up.discard(order.number)
        host.health.tell(PROCESS + order.process, serving=False)
        return f"it ended with {code}"

    def _fail(self, number: int, fate: str) -> None:
        """The first start of a worker has failed, so `up` does."""
        first = self._first[number]
        first.set_exception(StartError(f"{worker_name(number)} cannot start: {fate}"))
        first.exception()  # whether or not somebody still waits for it
