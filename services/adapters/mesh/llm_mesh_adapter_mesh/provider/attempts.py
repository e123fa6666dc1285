"""One attempt at another mesh, from its grant to its report."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import grpc

from llm_mesh.gateway.v1 import gateway_pb2_grpc
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_kit.answer_bounds import MOST_ANSWER, AnswerBounds
from llm_mesh_adapter_kit.asking import FREE
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, beyond_bounds, timed_out
from llm_mesh_adapter_kit.genai import GenAi
from llm_mesh_adapter_kit.grants import Job
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_adapter_kit.limits import Limits, Timers
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.watching import AttemptWatch, Refusals, log_failure, note
from llm_mesh_adapter_mesh.provider.cleaning import cleaned
from llm_mesh_adapter_mesh.provider.connection import MeshConnections, metadata_of
from llm_mesh_adapter_mesh.provider.failures import failure_of


class MeshCalls(NamedTuple):
    """What attempts at all endpoints share."""

    lanes: Lanes
    genai: GenAi
    connections: MeshConnections
    refusals: Refusals

    async def freely(self, endpoint: Endpoint, rpc: str, question: Any, limits: Limits = FREE) -> Any:  # noqa: ANN401 (messages of the method)
        """The answer to a call that costs nothing: no grant, no bulkhead, no breaker. Whoever asks for a domain has checked it."""
        timers = Timers(limits, wants_first=True)
        try:
            call = await OpenCall.begun(self.connections, endpoint, "", timers)
            answer = await call.whole(rpc, question)
        except AdapterError as error:
            note(self.refusals, endpoint, error)
            log_failure(endpoint, error)
            raise
        self.refusals.pop(endpoint.name, None)
        return answer


class OpenCall:
    """A call to another mesh that is connected."""

    __slots__ = ("_endpoint", "_left", "_metadata", "_most", "_stub", "_timers")

    def __init__(self, endpoint: Endpoint, channel: grpc.aio.Channel, metadata: Any, timers: Timers, most: int) -> None:  # noqa: ANN401 (gRPC's)
        self._endpoint = endpoint
        self._stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        self._metadata = metadata
        self._timers = timers
        self._most = self._left = most

    @classmethod
    async def begun(
        cls, connections: MeshConnections, endpoint: Endpoint, credential: str, timers: Timers, most: int = MOST_ANSWER
    ) -> Self:
        """Connects. Nothing is sent before. `most`: bytes of the whole answer."""
        metadata = metadata_of(endpoint, credential)
        channel = await connections.of(endpoint).ready(timers.limits.connect)
        return cls(endpoint, channel, metadata, timers, most)

    async def whole(self, rpc: str, question: Any) -> Any:  # noqa: ANN401 (messages of the method)
        """The answer to a method with one answer. Whoever is cancelled cancels it there, too."""
        left = self._timers.next(head=True) - time.monotonic()
        with self._failing(head=True):
            answer = await getattr(self._stub, rpc)(question, timeout=max(left, 0.001), metadata=self._metadata)
        self._took(answer)
        return self.cleaned(answer)

    def cleaned(self, message: Any) -> Any:  # noqa: ANN401 (any message)
        """What the other mesh said, without our credentials."""
        return cleaned(message, self._endpoint.redaction)

    async def stream(self, rpc: str, question: Any) -> AsyncGenerator[Any]:  # noqa: ANN401 (messages of the method)
        """The answers, as they come and not cleaned: vectors have no words. Ending the iteration cancels the call there."""
        timers = self._timers
        left = timers.limits.total - timers.elapsed
        call = getattr(self._stub, rpc)(question, timeout=max(left, 0.001), metadata=self._metadata)
        try:
            while True:
                if timers.over:
                    raise timed_out(self._endpoint.name, *timers.phase(head=False))
                with self._failing(head=False):
                    async with asyncio.timeout(max(timers.next(head=False) - time.monotonic(), 0.0)):
                        message = await call.read()
                if message is grpc.aio.EOF:
                    return
                self._took(message)
                yield message
        finally:
            call.cancel()

    def _took(self, message: Any) -> None:  # noqa: ANN401 (any message)
        """One more message of the answer is there."""
        self._left -= message.ByteSize()
        if self._left < 0:
            raise beyond_bounds(self._endpoint.name, "wire", self._most)

    @contextlib.contextmanager
    def _failing(self, *, head: bool) -> Iterator[None]:
        """Failures of the call as those of adapters."""
        try:
            yield
        except grpc.aio.AioRpcError as error:
            raise failure_of(self._endpoint, error, *self._timers.phase(head=head)) from None
        except TimeoutError:
            raise timed_out(self._endpoint.name, *self._timers.phase(head=head)) from None


class MeshAttempt(AttemptWatch):
    """An attempt, for the length of a block."""

    __slots__ = ("_calls", "call")

    call: OpenCall

    def __init__(self, calls: MeshCalls, job: Job, operation: str, timers: Timers, bounds: AnswerBounds) -> None:
        super().__init__(calls.lanes, calls.genai, calls.refusals, job, operation, timers, bounds)
        self._calls = calls

    @property
    def timers(self) -> Timers:
        """The deadlines of its phases."""
        return self._timers

    def saw(self, events: Sequence[generate_pb2.StreamEvent], meter: AttemptMeter) -> None:
        """Notes the events of one message."""
        before = meter.content
        meter.saw(events)
        self._bounds.check(self._job, meter.size)
        if self._timers.event(content=meter.content > before) and (seconds := self._timers.first_content) is not None:
            self.first_content(seconds)

    async def __aenter__(self) -> Self:
        job = self._job
        job.endpoint.check_domain(job.domain)
        self.begin()
        try:
            self.call = await OpenCall.begun(self._calls.connections, job.endpoint, job.credential, self._timers, self._bounds.wire)
        except BaseException as error:
            self.ended(error)
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.ended(error)
