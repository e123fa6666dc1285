"""How the breakers of all processes of a mesh stand: each has its own, and one is asked for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.mesh.v1 import process_pb2
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_runtime.breakers import OtherProcesses

MOST = 1_000
"""Breakers that are told of one endpoint."""

ByEndpoint = Mapping[str, Sequence[adapter_pb2.Breaker]]


class UnclosedBreakers:
    """The breakers that are not closed: this process's own, and those of the others."""

    def __init__(self, adapter: str, process: str, lanes: Lanes, others: OtherProcesses) -> None:
        self._adapter = adapter
        self._process = process
        self._lanes = lanes
        self._others = others

    def own(self) -> Iterator[process_pb2.ProcessBreaker]:
        """Those of this process, as the other processes are told them."""
        for key, state in self._lanes.tripped():
            is_open = state == adapter_pb2.BREAKER_STATE_OPEN
            yield process_pb2.ProcessBreaker(adapter=self._adapter, endpoint=key.endpoint, model=key.model, open=is_open)

    async def of_all(self) -> tuple[ByEndpoint, list[str]]:
        """Those of all processes, by endpoint, and which processes did not answer."""
        by_endpoint: defaultdict[str, list[adapter_pb2.Breaker]] = defaultdict(list)
        silent = []
        for process, breakers in {self._process: list(self.own()), **await self._others.tripped()}.items():
            if breakers is None:
                silent.append(process)
                continue
            for breaker in breakers:
                if breaker.adapter == self._adapter and len(by_endpoint[breaker.endpoint]) < MOST:
                    state = adapter_pb2.BREAKER_STATE_OPEN if breaker.open else adapter_pb2.BREAKER_STATE_HALF_OPEN
                    by_endpoint[breaker.endpoint].append(adapter_pb2.Breaker(process=process, model=breaker.model, state=state))
        return by_endpoint, silent
