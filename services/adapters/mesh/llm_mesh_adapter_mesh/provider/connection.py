"""The gRPC connection to one other mesh, to allowed addresses only.

The kit resolves the name and checks each address, gRPC connects to these and looks for the host's name in the certificate. Where a
connection breaks, name and files are read anew, so that both may change.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import grpc

from llm_mesh_adapter_kit.client.dialling import PORTS, Dialler
from llm_mesh_adapter_kit.client.pool import tls_context
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import address_not_allowed, timed_out, unreachable
from llm_mesh_adapter_kit.http import ForbiddenError, UnreachableError
from llm_mesh_adapter_kit.rpc.dialling import target_of
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.remote import RemoteChannel
from llm_mesh_runtime.links.tls import Tls
from llm_mesh_runtime.tasks import TaskSet
from llm_mesh_runtime.telemetry import outbound

if TYPE_CHECKING:
    from llm_mesh_runtime.links.remote import Metadata

_GRACE = 600.0
_READ_AGAIN = 1.0


class MeshConnection:
    """One endpoint's. Made without connecting."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._dialler = Dialler(endpoint.origin, endpoint.rule, tls_context)
        parts = urlsplit(endpoint.origin)
        self._authority = f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}"
        self._channel: RemoteChannel | None = None
        self._made_of: tuple[str, Tls | None] | None = None
        self._read_at = -math.inf
        self._making = asyncio.Lock()
        self._ending = TaskSet()

    async def ready(self, seconds: float) -> grpc.aio.Channel:
        """The channel once it is connected. PROVIDER_UNREACHABLE, PROVIDER_TIMEOUT (connect) or ADDRESS_NOT_ALLOWED: nothing was sent."""
        name = self._endpoint.name
        try:
            async with asyncio.timeout(seconds):
                channel = self._channel
                if channel is None or channel.state(connect=True) is not grpc.ChannelConnectivity.READY:
                    channel = await self._connected()
        except TimeoutError:
            raise timed_out(name, "connect", seconds) from None
        except ForbiddenError as error:
            raise address_not_allowed(name, str(error)) from None
        except UnreachableError as error:
            raise unreachable(name, str(error)) from None
        return cast("grpc.aio.Channel", channel)  # generated stubs want no more than its four methods

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it is left."""
        return self._channel is None and not len(self._ending)

    def retire(self) -> None:
        """Nothing new goes here: calls under way end, and then the connection closes."""
        if self._channel is not None:
            self._ending.spawn(self._channel.close(_GRACE), name="adapter.mesh.retired")
            self._channel = None

    async def close(self) -> None:
        """Close at once."""
        await self._ending.close()
        if self._channel is not None:
            await self._channel.close()

    async def _connected(self) -> RemoteChannel:
        channel = await self._current()
        while (state := channel.state(connect=True)) is not grpc.ChannelConnectivity.READY:
            if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                self._dialler.forget()
                raise UnreachableError("no connection, or its certificate is not the expected one")
            await channel.changed(state)
        return channel

    async def _current(self) -> RemoteChannel:
        """The channel to where the name leads now, by the files as they are. Both are looked at once a second at most."""
        async with self._making:
            channel = self._channel
            if channel is not None and time.monotonic() < self._read_at + _READ_AGAIN:
                return channel
            made_of = target_of(await self._dialler.addresses()), await self._tls()
            self._read_at = time.monotonic()
            if channel is None or made_of != self._made_of:
                self.retire()
                channel, self._made_of = self._dialled(*made_of), made_of
                self._channel = channel
            return channel

    def _dialled(self, target: str, tls: Tls | None) -> RemoteChannel:
        """What gRPC is given are addresses, so it is told the name: for the certificate, or else for the head of each call."""
        name = self._endpoint.transport.server_name or self._endpoint.host
        options = [("grpc.default_authority", self._authority)] if tls is None else []
        return RemoteChannel(self._endpoint.name, target, Outbound("", trace=outbound), tls, options=options, server_name=name)

    async def _tls(self) -> Tls | None:
        if not self._endpoint.origin.startswith("https:"):
            return None
        files = self._endpoint.transport
        try:
            return await asyncio.to_thread(partial(_read, files.client_certificate, files.client_key, files.authorities))
        except OSError as error:
            raise UnreachableError(f"its certificates cannot be read: {error.strerror or error}") from None


class MeshConnections:
    """Those of all endpoints of the adapter."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Endpoint, MeshConnection]] = {}
        self._retired: list[MeshConnection] = []

    def of(self, endpoint: Endpoint) -> MeshConnection:
        """The endpoint's connection; another one where the endpoint is another one by now."""
        known = self._known.get(endpoint.name)
        if known is None or known[0] is not endpoint:
            if known is not None:
                self._retire(known[1])
            known = self._known[endpoint.name] = (endpoint, MeshConnection(endpoint))
        return known[1]

    def sweep(self, table: Sequence[Endpoint]) -> None:
        """Retire the connections of endpoints that are gone or changed."""
        current = {id(endpoint) for endpoint in table}
        for name, (endpoint, connection) in list(self._known.items()):
            if id(endpoint) not in current:
                del self._known[name]
                self._retire(connection)

    async def close(self) -> None:
        """Close those of all endpoints, calls under way included."""
        for connection in (*self._retired, *(connection for _, connection in self._known.values())):
            await connection.close()

    def _retire(self, connection: MeshConnection) -> None:
        connection.retire()
        self._retired = [each for each in (*self._retired, connection) if not each.at_rest]


def metadata_of(endpoint: Endpoint, credential: str) -> Metadata:
    """What authenticates a call."""
    return tuple({**endpoint.headers, **(endpoint.signer.fixed(credential) or {})}.items())


def _read(certificate: str, key: str, authorities: str) -> Tls:
    texts = [Path(path).read_bytes() if path else b"" for path in (certificate, key or certificate, authorities)]
    return Tls(*texts)
