"""Where the library's connections go first: the provider, or the proxy. Each address of the name is checked before any is used."""

from __future__ import annotations

import socket
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.client.dialling import Dialler


class FirstHop(AbstractResolver):
    """Resolves one name, as the kit's own client does: once a minute, or anew after nobody answered."""

    def __init__(self, origin: str, rule: AddressRule) -> None:
        self._dialler = Dialler(origin, rule, None)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of the name. Raises `ForbiddenError` and `UnreachableError`, which the library hands on."""
        del port, family
        return [_result(host, address.family, address.at) for address in await self._dialler.addresses()]

    def forget(self) -> None:
        """Resolve anew before the next connection."""
        self._dialler.forget()

    async def close(self) -> None:
        """Nothing is open."""


def _result(host: str, family: int, at: Any) -> ResolveResult:  # noqa: ANN401 (as sockets have it)
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=at[0], port=at[1], family=family, proto=socket.IPPROTO_TCP, flags=numeric)
