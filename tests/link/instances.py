"""Instances of a peer on addresses of their own, each with a listener that speaks the batched link, or does not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from llm_mesh_runtime.access import AccessStage, CallTable, MeshOrigin, ServiceTokens
from llm_mesh_runtime.access.credentials import Credentials
from llm_mesh_runtime.access.revision import Revisions
from llm_mesh_runtime.access.tokens import HEADER
from llm_mesh_runtime.host.listeners import Listener
from llm_mesh_runtime.links.mux import MuxChannel, Name
from llm_mesh_runtime.links.mux.server import LinkServer
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.telemetry.metrics import Metrics
from tests.link.peers import Handlers

TOKENS = ServiceTokens(b"a secret of tests, at least 32 bytes")


class Instance:
    """One process of the peer, but for the process."""

    def __init__(
        self, address: str = "127.0.0.1:0", *, speaks: bool = True, max_age: float = 270.0, tokens: ServiceTokens = TOKENS
    ) -> None:
        self.handlers = Handlers()
        local = self.handlers.server()
        self._listener = Listener(address, MeshOrigin("echo", TOKENS, mutual_tls=False))
        access = AccessStage("echo", CallTable(), cast("Any", None), Credentials(Revisions()))
        self.link = LinkServer(local, access, TOKENS, max_age=max_age) if speaks else None
        self._listener.serve(local.handlers.values(), self.link)
        self.port = self._listener.port

    @property
    def target(self) -> str:
        """Its address, as gRPC has it."""
        return f"ipv4:127.0.0.1:{self.port}"

    async def start(self) -> Instance:
        """Listen."""
        await self._listener.start()
        return self

    async def stop(self, grace: float = 0) -> None:
        """Drain, for as long as the grace."""
        await self._listener.stop(grace)


@contextlib.asynccontextmanager
async def instances(*each: Instance) -> AsyncIterator[None]:
    """All of them, while the test runs."""
    for instance in each:
        await instance.start()
    try:
        yield
    finally:
        await asyncio.gather(*(instance.stop() for instance in each))


class ChangingName:
    """A name whose addresses a test changes; without any it cannot be resolved."""

    fixed = ()

    def __init__(self) -> None:
        self.current: list[str] = []

    async def addresses(self) -> tuple[str, ...]:
        """The present ones."""
        if not self.current:
            raise OSError
        return tuple(self.current)


@contextlib.asynccontextmanager
async def channel_to(
    *targets: str,
    name: ChangingName | None = None,
    metrics: Metrics | None = None,
    tokens: ServiceTokens | None = TOKENS,
    caller: str = "console",
) -> AsyncIterator[MuxChannel]:
    """A channel as a service of the mesh has it."""
    identity = None if tokens is None else (lambda: ((HEADER, tokens.token(caller, "echo")),))
    chosen = Name(fixed=targets) if name is None else cast("Name", name)
    made = MuxChannel("echo", chosen, Outbound(caller), identity=identity, metrics=metrics)
    try:
        yield made
    finally:
        await made.close()


async def until(true: Callable[[], object]) -> None:
    """Wait until something is so; nothing says when, but it must come."""
    async with asyncio.timeout(10):
        while True:
            if true():
                return
            await asyncio.sleep(0.005)
