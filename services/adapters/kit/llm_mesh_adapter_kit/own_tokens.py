"""Requests of dialects that make tokens themselves: what they have to learn first, and how they write and count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_kit.asking import Asking
from llm_mesh_adapter_kit.dialect import Ask, Call, Tokenizing
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.grants import Job
from llm_mesh_adapter_kit.values import LARGE
from llm_mesh_runtime.heavy import HeavyWork

T = TypeVar("T")


class OwnTokens:
    """Writes and counts by a dialect that is `Tokenizing`."""

    def __init__(self, dialect: Tokenizing, asking: Asking, heavy: HeavyWork) -> None:
        self._dialect = dialect
        self._asking = asking
        self._heavy = heavy

    async def prepare(self, endpoint: Endpoint) -> None:
        """The dialect learns what it needs to know of the endpoint."""
        await self._dialect.prepare(endpoint, partial(self._asking.freely, endpoint))

    async def write(self, job: Job, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for a generation."""
        await self.prepare(job.endpoint)
        return await self._dialect.write(ask, request, partial(self._computed, job.domain, job.attempt.max_input_tokens))

    async def count(self, endpoint: Endpoint, model: str, request: generate_pb2.GenerateInput, size: int) -> int:
        """How many tokens a request of so many bytes at most has."""
        await self.prepare(endpoint)
        return await self._dialect.tokens(Ask(endpoint=endpoint, model=model), request, partial(_counted, size))

    async def _computed(self, domain: str, least: int, size: int, work: Callable[[], T]) -> T:
        """In turns between domains, where it is large. A token is a byte at least, so the plan's bound is a size."""
        size = max(least, size)
        return work() if size <= LARGE else await self._heavy.run(domain, size, work)


async def _counted(least: int, size: int, work: Callable[[], T]) -> T:
    return work() if max(least, size) <= LARGE else await asyncio.to_thread(work)
