"""One call of the batched link, as its callee has it: an exchange whose caller is elsewhere."""

from __future__ import annotations

import asyncio
import contextvars
import time
from typing import TYPE_CHECKING, Any, Protocol, cast

import grpc

from llm_mesh_runtime.access.tokens import HEADER
from llm_mesh_runtime.links.local.exchange import Exchange
from llm_mesh_runtime.links.mux.deadlines import NEAR, Deadlines, Slot
from llm_mesh_runtime.links.mux.flow import Inflow, Outflow
from llm_mesh_runtime.links.mux.wire import Metadata
from llm_mesh_runtime.pipeline.transport import Inbound

if TYPE_CHECKING:
    from llm_mesh_runtime.links.local.pipe import Pipe
    from llm_mesh_runtime.pipeline import Transport, Wrapped


class Answering(Protocol):
    """The connection that a call came by."""

    peer: str

    def finished(self, call: Served) -> None:
        """The handler is done with the call, or the call with its handler."""

    def headers(self, call: Served, metadata: Metadata) -> None:
        """Send the initial metadata now."""


class Served(Exchange):
    """State of one call."""

    __slots__ = ("_slot", "connection", "inflow", "number", "outflow", "wrapped")

    def __init__(
        self, connection: Answering, number: int, metadata: Metadata, deadline: float | None, service: str, wrapped: Wrapped
    ) -> None:
        super().__init__(asyncio.get_running_loop(), metadata, deadline, service)
        self._slot: Slot | None = None
        self.connection = connection
        self.number = number
        self.wrapped = wrapped
        self.inflow: Inflow | None = None
        self.outflow: Outflow | None = None

    def stream_answers(self, outflow: Outflow) -> None:
        """The handler writes its answers here."""
        self.outflow = outflow
        self.responses = cast("Pipe", outflow)

    def stream_requests(self, inflow: Inflow) -> None:
        """The handler reads its requests here."""
        self.inflow = inflow
        self.requests = cast("Pipe", inflow)

    def await_request(self, inflow: Inflow) -> None:
        """The one request comes in pieces; until it is whole, only the deadline runs."""
        self.inflow = inflow

    def arm(self, deadlines: Deadlines) -> bool:
        """Watch the deadline. False where it has passed."""
        deadline = self._deadline
        if deadline is None:
            return True
        remaining = deadline - time.monotonic()
        if remaining > NEAR:
            self._slot = deadlines.watch(self, deadline)
        elif remaining > 0:
            self._timer = self.loop.call_later(remaining, self._expire)
        else:
            self._expire()
            return False
        return True

    def expire(self) -> None:
        """The deadline has passed."""
        self._expire()

    def begin(self, first: bytes | Inflow, running: set[Exchange]) -> None:
        """Run the handler, as the local link does, but for the deadline, which is watched already."""
        self._task = self.loop.create_task(self._run(self.wrapped, first, link_origin), context=contextvars.Context())
        self._running = running
        running.add(self)

    def finish(self, code: grpc.StatusCode, details: str) -> None:
        """Fix the status, once, and tell the caller."""
        if self.code is not None:
            return
        super().finish(code, details)
        if self._slot is not None:
            self._slot.discard(self)
        if self.inflow is not None:
            self.inflow.discard()
        self.connection.finished(self)

    def peer(self) -> str:
        """Who calls, for logs."""
        return self.connection.peer

    async def send_initial_metadata(self, initial_metadata: Any) -> None:  # noqa: ANN401 - grpc's metadata type
        """Send the initial metadata now."""
        await super().send_initial_metadata(initial_metadata)
        self.connection.headers(self, self.initial or ())


def link_origin(transport: Transport) -> Inbound:
    """The stream has proven once which service calls; a token inside of it proves nothing."""
    call = cast("Served", transport)
    metadata = dict(call.metadata)
    metadata.pop(HEADER, None)
    return Inbound(metadata, call.peer_service)
