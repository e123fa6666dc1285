"""The breakers of adapters: those of this process, and those of the other processes of a mesh, each of which has its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import grpc

from llm_mesh.mesh.v1 import process_pb2
from llm_mesh.mesh.v1.process_pb2_grpc import ProcessServiceStub

if TYPE_CHECKING:
    Source = Callable[[], Iterable[process_pb2.ProcessBreaker]]

MOST = 1_000
_TIMEOUT = 1.0
_PROCESS = "process/"


class Breakers:
    """All breakers of a process that are not closed."""

    def __init__(self) -> None:
        self._sources: list[Source] = []

    def add(self, source: Source) -> None:
        """One more adapter, which says on request which of its breakers are not closed."""
        self._sources.append(source)

    def tripped(self) -> list[process_pb2.ProcessBreaker]:
        """Those that are not closed now."""
        return list(islice(chain.from_iterable(source() for source in self._sources), MOST))


class OtherProcesses:
    """The other processes of a mesh, by the channels to them: `process/worker-1` and so on."""

    def __init__(self, channels: Mapping[str, Any]) -> None:
        self._stubs = {name.removeprefix(_PROCESS): ProcessServiceStub(channel) for name, channel in channels.items()}

    async def tripped(self) -> dict[str, Sequence[process_pb2.ProcessBreaker] | None]:
        """The breakers of each that are not closed; None where a process does not say so in time."""
        answers = await asyncio.gather(*map(self._ask, self._stubs.values()))
        return dict(zip(self._stubs, answers, strict=True))

    @staticmethod
    async def _ask(stub: Any) -> Sequence[process_pb2.ProcessBreaker] | None:  # noqa: ANN401 (a stub over either link)
        try:
            answer = await stub.Report(process_pb2.ReportRequest(breakers=True), timeout=_TIMEOUT)
        except grpc.aio.AioRpcError:
            return None
        return list(answer.breakers)
