"""One call of the batched link, as its callee has it: an exchange whose caller is elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, cast

import grpc

from llm_mesh_runtime.access.tokens import HEADER
from llm_mesh_runtime.context import REQUEST_ID, Frame, accepted_request_id
from llm_mesh_runtime.links.local.exchange import CallState, Serving
from llm_mesh_runtime.links.local.server import local_origin
from llm_mesh_runtime.links.mux.flow import Inflow, Outflow
from llm_mesh_runtime.links.mux.wire import Metadata

if TYPE_CHECKING:
    from llm_mesh_runtime.links.local.pipe import Pipe
    from llm_mesh_runtime.pipeline import Wrapped


class Answering(Protocol):
    """The connection that a call came by."""

    peer: str

    def finished(self, call: Served) -> None:
        """The handler is done with the call, or the call with its handler."""

    def headers(self, call: Served, metadata: Metadata) -> None:
        """Send the initial metadata now."""


class Served(CallState):
    """State of one call."""

    __slots__ = ("connection", "inflow", "number", "outflow", "wrapped")

    def __init__(
        self, connection: Answering, number: int, metadata: Metadata, deadline: float | None, service: str, wrapped: Wrapped
    ) -> None:
        believed = dict(metadata)
        believed.pop(HEADER, None)  # the stream has proven once which service calls; a token inside of it proves nothing
        frame = Frame(accepted_request_id(believed.get(REQUEST_ID)), deadline, metadata=believed, calling=service)
        super().__init__(asyncio.get_running_loop(), deadline, frame)
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

    def begin(self, first: bytes | Inflow, server: Serving) -> None:
        """Run the handler."""
        self.start(self.wrapped, first, local_origin, server)

    def finish(self, code: grpc.StatusCode, details: str) -> None:
        """Fix the status, once, and tell the caller."""
        if self.code is not None:
            return
        super().finish(code, details)
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
