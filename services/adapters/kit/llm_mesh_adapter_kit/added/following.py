"""Keeps the endpoints that were added as the registry has them. While it is away the last known ones serve."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_adapter_kit.added.bounds import AddedEndpointBounds, EndpointSetting, OutOfBoundsError
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.refresh import WatchStream, follow
from llm_mesh_runtime.tasks import TaskSet

MakeEndpoint = Callable[[EndpointSetting], Endpoint]
"""An adapter's own reading of a setting. Raises `ValueError`, which names the key."""
_FILES_READ_AGAIN = 10.0


class AddedEndpoints:
    """Follows the registry, and puts what may be used into the table."""

    def __init__(self, adapter: str, table: EndpointTable, bounds: AddedEndpointBounds, make: MakeEndpoint, channel: Any) -> None:  # noqa: ANN401 - what stubs take has no common type
        self._adapter = adapter
        self._table = table
        self._bounds = bounds
        self._make = make
        self._stub = registry_pb2_grpc.RegistryServiceStub(channel)
        self._latest: tuple[registry_pb2.Endpoint, ...] = ()
        self._news = asyncio.Event()
        self._tasks = TaskSet()

    def start(self) -> None:
        """Follow until `close`."""
        self._tasks.spawn(follow(self._open, self._take, name="registry.WatchEndpoints"), name="adapter.endpoints")
        self._tasks.spawn(self._keep(), name="adapter.endpoints.table")

    async def close(self) -> None:
        """Follow no more."""
        await self._tasks.close()

    def _open(self) -> WatchStream[registry_pb2.WatchEndpointsResponse]:
        stream: WatchStream[registry_pb2.WatchEndpointsResponse] = self._stub.WatchEndpoints(
            registry_pb2.WatchEndpointsRequest(adapter=self._adapter)
        )
        return stream

    def _take(self, message: registry_pb2.WatchEndpointsResponse) -> None:
        self._latest = tuple(message.endpoints)
        self._news.set()

    async def _keep(self) -> None:
        """After each change, and now and then: files of credentials are replaced without a word."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FILES_READ_AGAIN if self._latest else None):
                    await self._news.wait()
            self._news.clear()
            usable, faults = await asyncio.to_thread(self._made, self._latest)
            for name in faults.keys() - self._table.faults.keys():
                get_logger().warning("an endpoint that was added is not used", endpoint=name, why=faults[name])
            self._table.replace_added(usable, faults)

    def _made(self, endpoints: Iterable[registry_pb2.Endpoint]) -> tuple[list[Endpoint], dict[str, str]]:
        usable: list[Endpoint] = []
        faults: dict[str, str] = {}
        for endpoint in endpoints:
            name = endpoint.name.rpartition("/")[2]
            try:
                if self._table.is_configured(name):
                    raise OutOfBoundsError("the settings of the adapter's operator have an endpoint of this name")
                usable.append(self._make(self._bounds.setting(endpoint)))
            except ValueError as error:
                faults[name] = str(error)
        return usable, faults
