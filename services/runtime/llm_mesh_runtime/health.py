"""`grpc.health.v1`, told truly: a name serves while its own store answers and the process is not draining.

Names are full service names, `adapter/<name>`, and "" for all of them. A peer that is down never makes a name NOT_SERVING.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_mesh_runtime.errors import not_found
from llm_mesh_runtime.refresh import repeat

TIME = "llm-mesh-time"
"""Trailing metadata of `List`: the process's clock, in seconds since 1970-01-01 UTC, by which skewed clocks are found."""

_INTERVAL = 1.0
_TIMEOUT = 2.0
_SERVING: int = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: int = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN: int = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

Ready = Callable[[], Awaitable[None]]


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # grpcio-health-checking has no types
    """The states of the hosted services, polled from their stores."""

    def __init__(self, *, interval: float = _INTERVAL, seconds: float = _TIMEOUT) -> None:
        self._interval = interval
        self._timeout = seconds
        self._names: dict[str, list[str]] = {}
        self._states: dict[str, bool] = {}
        self._companions: dict[str, bool] = {}
        self._conditions: dict[str, bool] = {}
        self._draining = False
        self._changed = asyncio.Event()

    def add(self, service: str, names: Iterable[str]) -> None:
        """A hosted service and the names that it answers to. It does not serve before its first good poll."""
        self._names[service] = list(names)
        self._states[service] = False

    def serving(self, service: str = "") -> bool:
        """Whether the hosted service, or all of them, can take work."""
        if self._draining:
            return False
        return self._states.get(service, False) if service else bool(self._states) and all(self._states.values())

    async def poll(self, service: str, ready: Ready) -> bool:
        """Ask the store once."""
        try:
            async with asyncio.timeout(self._timeout):
                await ready()
        except Exception:  # noqa: BLE001 - whatever is wrong with the store, the service cannot take work
            state = False
        else:
            state = True
        if self._states[service] != state:
            self._states[service] = state
            self._notify()
        return state

    async def follow(self, service: str, ready: Ready) -> None:
        """Ask the store for ever."""
        await repeat(lambda: self.poll(service, ready), self._interval)

    async def all_serving(self) -> None:
        """Wait until all hosted services serve."""
        while not self.serving():
            await self._changed.wait()

    def tell(self, companion: str, *, serving: bool) -> None:
        """How another process of this mesh is. It is listed, and never makes this one NOT_SERVING."""
        self._companions[companion] = serving
        self._notify()

    def drain(self) -> None:
        """NOT_SERVING from now on: the process takes no new work."""
        self._draining = True
        self._notify()

    def expect(self, condition: str) -> None:
        """Have `/readyz` wait for something besides services that newcomers need, such as `setup/models`."""
        self._conditions.setdefault(condition, False)

    def fulfil(self, condition: str) -> None:
        """It is there. It stays fulfilled: what an operator takes away later takes no process out of service."""
        self._conditions[condition] = True

    def readiness(self) -> dict[str, bool]:
        """The states of services, and the conditions: all of them together are what `/readyz` tells."""
        return self.states() | {condition: met and not self._draining for condition, met in self._conditions.items()}

    def states(self) -> dict[str, bool]:
        """Each hosted service and whether it serves."""
        return {service: state and not self._draining for service, state in self._states.items()}

    async def Check(self, request: Any, context: object) -> Any:  # noqa: ANN401 (untyped messages)
        """The state of a name now."""
        del context
        status = self._status(request.service)
        if status == _UNKNOWN:
            raise not_found(request.service)
        return health_pb2.HealthCheckResponse(status=status)

    async def List(self, request: Any, context: Any) -> Any:  # noqa: ANN401 (untyped messages)
        """The states of all names."""
        del request
        context.set_trailing_metadata(((TIME, f"{time.time():.3f}"),))
        names = ["", *(name for names in self._names.values() for name in names), *self._companions]
        return health_pb2.HealthListResponse(statuses={name: health_pb2.HealthCheckResponse(status=self._status(name)) for name in names})

    async def Watch(self, request: Any, context: object) -> AsyncIterator[Any]:  # noqa: ANN401 (untyped messages)
        """The state of a name, and each change of it. Ends when the process drains."""
        del context
        last: int | None = None
        while True:
            changed = self._changed
            status = self._status(request.service)
            if status != last:
                last = status
                yield health_pb2.HealthCheckResponse(status=status)
            if self._draining:
                return
            await changed.wait()

    def _status(self, name: str) -> int:
        if not name:
            return _SERVING if self.serving() else _NOT_SERVING
        if name in self._companions:
            return _SERVING if self._companions[name] else _NOT_SERVING
        for service, names in self._names.items():
            if name in names:
                return _SERVING if self.serving(service) else _NOT_SERVING
        return _UNKNOWN

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
