"""From an endpoint's origin to a channel of gRPC that leads to nothing but checked addresses."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any, NoReturn
from urllib.parse import urlsplit

import grpc

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.client.dialling import PORTS, Address, Dialler
from llm_mesh_adapter_kit.http import ConnectTimeoutError, UnreachableError
from llm_mesh_adapter_kit.rpc.framing import MOST_BYTES
from llm_mesh_adapter_kit.rpc.settings import RpcTransportSettings

_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),  # a new channel must not inherit how long the former one waits
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.max_send_message_length", MOST_BYTES),
    ("grpc.max_receive_message_length", MOST_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.primary_user_agent", "llm-mesh"),
)
_FAILED = (grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN)


class RpcDialler:
    """Makes channels to one origin. Its addresses are resolved and checked as for HTTP."""

    def __init__(self, origin: str, rule: AddressRule, transport: RpcTransportSettings) -> None:
        parts = urlsplit(origin)
        self._host = parts.hostname or ""
        self._authority = f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}"
        self._addresses = Dialler(origin, rule, _unused)
        self._transport = transport
        self._credentials: grpc.ChannelCredentials | None = None
        self._secure = parts.scheme == "https"

    async def dial(self, *, connect_timeout: float, deadline: float) -> grpc.aio.Channel:
        """A channel that stands. Raises `UnreachableError`, `ForbiddenError`, `ConnectTimeoutError`, `TimeoutError` at the deadline."""
        left = deadline - time.monotonic()
        channel: grpc.aio.Channel | None = None
        try:
            async with asyncio.timeout(min(connect_timeout, max(left, 0.0))):
                channel = await self._made()
                await _standing(channel)
        except BaseException as error:
            if channel is not None:
                await channel.close()
            if isinstance(error, TimeoutError) and connect_timeout < left:
                raise ConnectTimeoutError from None
            raise
        return channel

    async def _made(self) -> grpc.aio.Channel:
        target = target_of(await self._addresses.addresses())
        options = [*_OPTIONS, ("grpc.default_authority", self._authority)]
        if not self._secure:
            return grpc.aio.insecure_channel(target, options=options)  # noqa: TID251 - to a provider, not to a service of the mesh
        if self._credentials is None:
            try:
                self._credentials = await asyncio.to_thread(self._transport.credentials)
            except OSError as error:
                raise UnreachableError(f"a file of its certificates cannot be read: {error.strerror}") from None
        options.append(("grpc.ssl_target_name_override", self._host))
        return grpc.aio.secure_channel(target, self._credentials, options=options)  # noqa: TID251 - likewise


async def _standing(channel: grpc.aio.Channel) -> None:
    state = channel.get_state(try_to_connect=True)
    while state is not grpc.ChannelConnectivity.READY:
        if state in _FAILED:
            raise UnreachableError("no connection")
        await channel.wait_for_state_change(state)
        state = channel.get_state(try_to_connect=True)


def target_of(addresses: Sequence[Address]) -> str:
    """Checked addresses as gRPC takes them, so that it resolves nothing by itself: those of one family, that of the first."""
    family = addresses[0].family
    same = [address.at for address in addresses if address.family == family]
    if family == socket.AF_INET6:
        return "ipv6:" + ",".join(f"[{at[0]}]:{at[1]}" for at in same)
    return "ipv4:" + ",".join(f"{at[0]}:{at[1]}" for at in same)


def _unused() -> NoReturn:
    raise ssl.SSLError("gRPC has a TLS of its own")
