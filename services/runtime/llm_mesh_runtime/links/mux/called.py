"""One call of the batched link, as its caller has it: an exchange whose handler runs elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, cast

import grpc

from llm_mesh_runtime.links.local.exchange import CallState
from llm_mesh_runtime.links.mux.flow import Inflow, Requests

if TYPE_CHECKING:
    from llm_mesh_runtime.links.local.pipe import Pipe
    from llm_mesh_runtime.links.mux.wire import Metadata


class Carrier(Protocol):
    """What has the call at present: a connection, plain gRPC, or those who wait for one."""

    def give_up(self, call: ClientCall) -> None:
        """The caller has ended the call."""


class ClientCall(CallState):
    """State of one call. What it sends and receives can be queued before there is a connection for it."""

    __slots__ = ("_repeated", "carrier", "first", "inflow", "metadata", "method", "number", "outflow", "patient")

    def __init__(
        self,
        method: str,
        metadata: Metadata,
        deadline: float | None,
        *,
        first: bytes | None,
        streams: bool,
        patient: bool,
    ) -> None:
        super().__init__(asyncio.get_running_loop(), deadline, None)
        self.metadata = metadata
        self._repeated = False
        self.method = method
        self.first = first
        """The whole request; None where requests are a stream."""
        self.patient = patient
        """Whether it waits while no peer can be reached."""
        self.number = 0
        self.carrier: Carrier | None = None
        self.outflow: Requests | None = None
        self.inflow: Inflow | None = None
        if first is None:
            self.outflow = Requests()
            self.requests = cast("Pipe", self.outflow)
        if streams:
            self.inflow = Inflow()
            self.responses = cast("Pipe", self.inflow)

    def finish(self, code: grpc.StatusCode, details: str) -> None:
        """Fix the status, once; where this side does so first, the carrier is told."""
        if self.code is not None:
            return
        super().finish(code, details)
        if self.inflow is not None:
            self.inflow.close()
        if self.carrier is not None:
            carrier, self.carrier = self.carrier, None
            carrier.give_up(self)

    def begin_anew(self) -> bool:
        """Forget the first attempt. False where there is no second one: the request is not at hand as a whole, or this was it."""
        if self.first is None or self.initial is not None or self._repeated:
            return False
        self._repeated = True
        self.trailing = ()
        if self.outflow is not None:
            self.outflow.discard()
            self.outflow = None
        return True

    def begun(self, initial: Metadata) -> None:
        """The answer begins."""
        self.initial = initial
        self._wake()

    @property
    def streams(self) -> bool:
        """Whether its answer is a stream."""
        return self.responses is not None
