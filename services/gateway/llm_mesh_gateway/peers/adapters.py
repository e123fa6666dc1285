"""Adapters as the domain wants them: each attempt is a call that is read piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.adapter.v1.adapter_pb2_grpc import AdapterServiceStub
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_gateway.domain.ports import AttemptCall, Piece
from llm_mesh_gateway.peers.calls import ADAPTERS, QUICK, answered, unavailable
from llm_mesh_runtime.links import LinkError
from llm_mesh_runtime.peer_errors import from_rpc_error

_NO_SUCH_METHOD = "NOT_IMPLEMENTED"


class AdapterPeers:
    """`Adapters`: plans name them, and only operator settings map those names to addresses."""

    def __init__(self, channel: Callable[[str], Any]) -> None:
        self._channel = channel
        self._stubs: dict[str, Any] = {}

    def generate(self, adapter: str, request: adapter_pb2.GenerateRequest) -> AttemptCall:
        """Ask for a whole answer."""
        return _WholeCall(self._stub(adapter).Generate(request), adapter)

    def stream(self, adapter: str, request: adapter_pb2.GenerateStreamRequest) -> AttemptCall:
        """Ask for a stream."""
        return _StreamedCall(self._stub(adapter).GenerateStream(request), adapter)

    def embed(self, adapter: str, request: adapter_pb2.EmbedStreamRequest) -> AttemptCall:
        """Ask for vectors."""
        return _VectorsCall(self._stub(adapter), request, adapter)

    def call(self, adapter: str, rpc: str, request: Message) -> AttemptCall:
        """Ask for the answer to a method with one input and one output."""
        return _WholeCall(getattr(self._stub(adapter), rpc)(request), adapter)

    async def count(self, request: adapter_pb2.CountTokensRequest) -> embed_pb2.TokenCount:
        """Ask for a count."""
        name = request.attempt.adapter
        answer: adapter_pb2.CountTokensResponse = await answered(self._stub(name).CountTokens(request, timeout=QUICK), _peer(name))
        return answer.count

    def _stub(self, name: str) -> Any:  # noqa: ANN401 - a stub, or what stands for one
        stub = self._stubs.get(name)
        if stub is None:
            try:
                stub = AdapterServiceStub(self._channel(_peer(name)))
            except LinkError:
                return _Absent(name)
            self._stubs[name] = stub
        return stub


class _Absent:
    """An adapter that no link leads to: its attempts fail like those of one that is down."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, _method: str) -> Any:  # noqa: ANN401 - stands for any method of a stub
        def call(_request: object, **_: object) -> _AbsentCall:
            return _AbsentCall(self._name)

        return call


class _AbsentCall:
    def __init__(self, name: str) -> None:
        self._name = name

    def __await__(self) -> Any:  # noqa: ANN401 - never answers
        raise unavailable(_peer(self._name))

    async def read(self) -> None:
        raise unavailable(_peer(self._name))

    def cancel(self) -> None:
        return


class _WholeCall:
    """`AttemptCall` of a method with one answer."""

    __slots__ = ("_call", "_name", "_over")

    def __init__(self, call: Any, name: str) -> None:  # noqa: ANN401 - a call of either link
        self._call = call
        self._name = name
        self._over = False

    async def next(self) -> Piece | None:
        if self._over:
            return None
        try:
            answer = await self._call
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=_peer(self._name)) from error
        self._over = True
        return Piece(answer=answer.output, report=answer.report)

    def cancel(self) -> None:
        if not self._over:
            self._call.cancel()


class _StreamedCall:
    """`AttemptCall` of a method that streams."""

    __slots__ = ("_call", "_name")

    def __init__(self, call: Any, name: str) -> None:  # noqa: ANN401 - a call of either link
        self._call = call
        self._name = name

    async def next(self) -> Piece | None:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=_peer(self._name)) from error
        if message is grpc.aio.EOF:
            return None
        if message.HasField("final"):
            return Piece(message.events, None, message.final)
        # What an adapter of a later contract says beside the events is not the gateway's to tell.
        return Piece(message.events, None, None, None if len(UnknownFieldSet(message)) else message)

    def cancel(self) -> None:
        self._call.cancel()


class _VectorsCall:
    """`AttemptCall` of a method that answers vectors in pieces. They become one piece here: a caller pays only for what is whole."""

    __slots__ = ("_call", "_name", "_over", "_request", "_stub")

    def __init__(self, stub: Any, request: adapter_pb2.EmbedStreamRequest, name: str) -> None:  # noqa: ANN401 - a stub over either link
        self._stub = stub
        self._request = request
        self._name = name
        self._call = stub.EmbedStream(request)
        self._over = False

    async def next(self) -> Piece | None:
        if self._over:
            return None
        try:
            return await self._read()
        except grpc.aio.AioRpcError as error:
            failure = from_rpc_error(error, peer=_peer(self._name))
            if failure.reason_name != _NO_SUCH_METHOD:
                raise failure from error
        return await self._whole()

    async def _read(self) -> Piece | None:
        output, report, vectors = embed_pb2.EmbedOutput(), adapter_pb2.AttemptReport(), []
        while (message := await self._call.read()) is not grpc.aio.EOF:
            if message.HasField("output"):
                output.CopyFrom(message.output)
            if message.HasField("report"):
                self._over = True
                report.CopyFrom(message.report)
            if message.embeddings:
                vectors.append(_vectors_alone(message))
            if self._over:
                return Piece(answer=output, report=report, vectors=vectors)
        return None

    async def _whole(self) -> Piece:
        """Of an adapter whose contract is one version behind."""
        question = self._request
        context = question.context if question.HasField("context") else None
        request = adapter_pb2.EmbedRequest(grant=question.grant, attempt=question.attempt, input=question.input, context=context)
        try:
            answer = await self._stub.Embed(request)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=_peer(self._name)) from error
        self._over = True
        vectors = [embed_pb2.EmbedOutput(embeddings=answer.output.embeddings).SerializeToString()]
        answer.output.ClearField("embeddings")
        return Piece(answer=answer.output, report=answer.report, vectors=vectors)

    def cancel(self) -> None:
        if not self._over:
            self._call.cancel()


def _vectors_alone(message: adapter_pb2.EmbedStreamResponse) -> bytes:
    """The message with nothing but its vectors. What an adapter of a later contract says beside is not the gateway's to tell."""
    message.ClearField("output")
    message.ClearField("report")
    message.DiscardUnknownFields()
    return message.SerializeToString()


def _peer(adapter: str) -> str:
    return f"{ADAPTERS}{adapter}"
