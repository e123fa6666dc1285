"""Watches every endpoint of the adapter for the router: those of the settings, and those that come and go while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final

import grpc

from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from llm_mesh_adapter_engine.provider.loads import AskEngine, LoadWatch
from llm_mesh_adapter_engine.provider.models import EngineModels
from llm_mesh_adapter_kit.dialect import Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.exchange import Exchange
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_runtime.tasks import TaskSet

OpenCall = Callable[[Endpoint, Call, Limits], Awaitable[Exchange]]
_REPORT_SECONDS: Final = 2.0
_LOOK_AGAIN: Final = 1.0
"""Seconds between two looks at the table of endpoints."""


class RouterReports:
    """The router, as whoever reports sees it."""

    def __init__(self, channel: Any) -> None:  # noqa: ANN401 - what stubs take has no common type
        self._stub = router_pb2_grpc.RouterServiceStub(channel)

    async def put(self, request: router_pb2.ReportLoadsRequest) -> None:
        """Reports. A report that is lost is followed by another."""
        try:
            await self._stub.ReportLoads(request, timeout=_REPORT_SECONDS)
        except grpc.aio.AioRpcError:
            return


class EndpointWatches:
    """The tasks that watch endpoints."""

    def __init__(
        self, table: Iterable[Endpoint], models: EngineModels, ask: AskEngine, open_call: OpenCall, reports: RouterReports, interval: float
    ) -> None:  # fmt: skip
        self._table = table
        self._models = models
        self._ask = ask
        self._open = open_call
        self._reports = reports
        self._interval = interval
        self._watching: dict[str, tuple[Endpoint, list[asyncio.Task[None]]]] = {}
        self._tasks = TaskSet()

    def start(self) -> None:
        """Watch until `close`."""
        self._tasks.spawn(self._keep(), name="engine.watches")

    async def close(self) -> None:
        """Watch no more."""
        await self._tasks.close()

    async def _keep(self) -> None:
        while True:
            present = {endpoint.name: endpoint for endpoint in self._table if endpoint.usable}
            for name, (endpoint, tasks) in list(self._watching.items()):
                if present.get(name) is not endpoint:
                    del self._watching[name]
                    for task in tasks:
                        task.cancel()
            for name, endpoint in present.items():
                if name not in self._watching:
                    self._watching[name] = (endpoint, [self._tasks.spawn(run(), name="engine.watch") for run in self._watches(endpoint)])
            await asyncio.sleep(_LOOK_AGAIN)

    def _watches(self, endpoint: Endpoint) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        runs = [LoadWatch(endpoint, self._models, self._ask, self._reports.put, self._interval).run]
        if self._models.options(endpoint).kv_events:
            from llm_mesh_adapter_engine.provider.caches import CacheWatch  # noqa: PLC0415 - an optional part, which loads for 0.3 s

            runs.append(CacheWatch(endpoint, self._models, self._open, self._reports.put).run)
        return runs
