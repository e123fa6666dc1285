"""`LinkService` of a mesh listener: who may connect, how old a connection gets, and how all of them end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from llm_mesh.link.v1.link_pb2_grpc import LinkServiceServicer, add_LinkServiceServicer_to_server
from llm_mesh_runtime.access.tokens import HEADER
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.links.mux.service import Incoming, ServedCalls
from llm_mesh_runtime.links.mux.wire import draining
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.pipeline import Wrapped, methods_of

if TYPE_CHECKING:
    from llm_mesh_runtime.access import ServiceTokens
    from llm_mesh_runtime.links.local import LocalServer
    from llm_mesh_runtime.pipeline import Method, Origin, Transport
    from llm_mesh_runtime.pipeline.bodies import ServiceGuard

MAX_AGE = 270.0
"""Seconds for which a connection takes calls: gRPC ends the one underneath at five minutes and the longest call."""
OVERLAP = 30.0
"""Seconds before that at which the caller is asked to connect anew."""


class LinkServer:
    """Serves the batched link for one hosted service, to the handlers that its local link has."""

    def __init__(self, local: LocalServer, access: ServiceGuard, tokens: ServiceTokens | None, *, max_age: float = MAX_AGE) -> None:
        self._local = local
        self._access = access
        self._tokens = tokens
        self._max_age = max_age
        self._connections: set[Incoming] = set()
        self._work = ServedCalls()
        self._away = False

    def handlers(self) -> tuple[Wrapped, ...]:
        """What a listener serves."""
        methods = methods_of([(add_LinkServiceServicer_to_server, LinkServiceServicer())])
        return tuple(Wrapped(method, self._serving(method)) for method in methods)

    def go_away(self) -> None:
        """Take no new connections and calls; those that run may finish."""
        self._away = True
        for connection in tuple(self._connections):
            connection.go_away(0)

    def _serving(self, method: Method) -> Any:  # noqa: ANN401 - a Handler
        async def connect(requests: AsyncIterator[bytes], transport: Transport, origin: Origin) -> None:
            try:
                await self._connect(method, requests, transport, origin)
            except MeshError as fault:
                from llm_mesh_runtime.status import trailers  # noqa: PLC0415 - google.rpc is only loaded once something fails

                get_logger().warning("a connection of the batched link was refused", peer=transport.peer(), reason=str(fault))
                await transport.abort(fault.code, fault.message, trailers(fault))

        return connect

    async def _connect(self, method: Method, requests: AsyncIterator[bytes], transport: Transport, origin: Origin) -> None:
        frame = origin(transport)
        self._access.of(method).head(frame)
        if self._away:
            raise draining(self._local.name)
        connection = Incoming(self._local.name, frame.calling, transport.peer(), self._local.handlers, self._work)
        self._connections.add(connection)
        timers = self._ageing(connection, self._age(transport))
        try:
            await connection.run(requests, transport.write)
        finally:
            self._connections.discard(connection)
            for timer in timers:
                timer.cancel()

    def _age(self, transport: Transport) -> float:
        """How long this connection takes calls: no longer than its caller's token proves who it is."""
        if self._tokens is None:
            return self._max_age
        token = dict(transport.invocation_metadata() or ()).get(HEADER, "")
        expiry = self._tokens.expiry_of(token) if isinstance(token, str) else 0
        return min(self._max_age, max(0.0, expiry - time.time()))

    def _ageing(self, connection: Incoming, age: float) -> tuple[asyncio.TimerHandle, ...]:
        loop = asyncio.get_running_loop()
        overlap = min(OVERLAP, age / 2)
        return (
            loop.call_later(age - overlap, connection.go_away, overlap),
            loop.call_later(age, connection.go_away, 0.0),
        )
