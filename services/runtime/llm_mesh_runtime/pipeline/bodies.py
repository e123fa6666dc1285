"""The innermost stage, one form per kind of call: parse, decide about access, handle, serialise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from google.protobuf.message import DecodeError

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.context import Caller, Frame
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from llm_mesh_runtime.pipeline.methods import Method
from llm_mesh_runtime.pipeline.transport import HandlerContext, Inbound, Transport

Body = Callable[[Any, Transport, Inbound, Frame], Awaitable[Any]]
_Admitted = Callable[[AsyncIterator[bytes], Inbound, Frame], Awaitable[AsyncIterator[Any]]]
_Answering = Callable[[Any, Transport, Inbound, Any], Awaitable[None]]


class Access(Protocol):
    """The stage that decides whether a call is served."""

    def known(self, method: Method, inbound: Inbound, request: Any) -> Caller | None:  # noqa: ANN401 (any message)
        """The caller where that is decided without asking anybody. Raises for callers that are refused at once."""

    async def ask(self, method: Method, inbound: Inbound, request: Any) -> Caller:  # noqa: ANN401 (any message)
        """The caller as policy knows it. Raises for callers that policy refuses."""


class Codec:
    """Bytes to messages and back, with the size limit and a typed error for bytes that are no message."""

    __slots__ = ("_method", "_parse", "_serialise", "most")

    def __init__(self, method: Method, max_message: int) -> None:
        self._method = method
        self.most = max_message
        self._parse = method.parse
        self._serialise = method.serialise

    def parse(self, raw: bytes) -> Any:  # noqa: ANN401 (any message)
        """The request that the bytes are."""
        if len(raw) > self.most:
            raise self.too_large("request")
        try:
            return self._parse(raw)
        except DecodeError:
            reason = errors_pb2.ERROR_REASON_MALFORMED_MESSAGE
            raise RuntimeFault(reason, f"the bytes are not a request of {self._method.path}") from None

    def serialise(self, message: Any) -> bytes:  # noqa: ANN401 (any message)
        """The bytes of an answer."""
        raw = self._serialise(message)
        if len(raw) > self.most:
            raise self.too_large("answer")
        return raw

    async def parsed(self, raws: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        """The requests of a stream.

        gRPC ends the stream of a caller that went away like that of one that has said everything, and cancels the
        handler, as a rule in the same moment: one turn of the loop then lets the cancellation come first. It promises
        no order, so a contract must not take the end alone for the caller's word that all was said.
        """
        async for raw in raws:
            yield self.parse(raw)
        await asyncio.sleep(0)

    def too_large(self, what: str) -> MeshError:
        """What is raised for a message that is."""
        reason = errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE
        return RuntimeFault(reason, f"the {what} is larger than {self.most} bytes", limit_bytes=str(self.most))


def body_of(method: Method, access: Access, codec: Codec) -> Body:
    """The body for the method's kind of call, awaited for the answer's message; where answers are written, it gives none."""
    if method.request_streaming:
        return (_stream_stream if method.response_streaming else _stream_unary)(method, access, codec)
    return (_unary_stream if method.response_streaming else _unary_unary)(method, access, codec)


def _unary_unary(method: Method, access: Access, codec: Codec) -> Body:
    behaviour, known, parse = method.behaviour, access.known, codec.parse

    def body(raw: bytes, transport: Transport, inbound: Inbound, frame: Frame) -> Awaitable[Any]:
        request = parse(raw)
        context = HandlerContext(transport, inbound, codec, None)
        caller = known(method, inbound, request)
        if caller is None:
            return asked(request, context, inbound, frame)
        frame.caller = caller
        answer: Awaitable[Any] = behaviour(request, context)
        return answer  # the handler itself: a coroutine around it would cost each of its waits

    async def asked(request: Any, context: HandlerContext, inbound: Inbound, frame: Frame) -> Any:  # noqa: ANN401 (any message)
        frame.caller = await access.ask(method, inbound, request)
        return await behaviour(request, context)

    return body


def _unary_stream(method: Method, access: Access, codec: Codec) -> Body:
    answer = _answering(method, codec)

    def body(raw: bytes, transport: Transport, inbound: Inbound, frame: Frame) -> Awaitable[None]:
        request = codec.parse(raw)
        caller = access.known(method, inbound, request)
        if caller is None:
            return asked(request, transport, inbound, frame)
        frame.caller = caller
        return answer(request, transport, inbound, None)  # without a coroutine around it, which would take part in every message

    async def asked(request: Any, transport: Transport, inbound: Inbound, frame: Frame) -> None:  # noqa: ANN401 (any message)
        frame.caller = await access.ask(method, inbound, request)
        await answer(request, transport, inbound, None)

    return body


def _stream_unary(method: Method, access: Access, codec: Codec) -> Body:
    behaviour, admitted = method.behaviour, _admitted(method, access, codec)

    async def body(raws: AsyncIterator[bytes], transport: Transport, inbound: Inbound, frame: Frame) -> Any:  # noqa: ANN401 (any message)
        requests = await admitted(raws, inbound, frame)
        return await behaviour(requests, HandlerContext(transport, inbound, codec, requests))

    return body


def _stream_stream(method: Method, access: Access, codec: Codec) -> Body:
    admitted, answer = _admitted(method, access, codec), _answering(method, codec)

    async def body(raws: AsyncIterator[bytes], transport: Transport, inbound: Inbound, frame: Frame) -> None:
        requests = await admitted(raws, inbound, frame)
        await answer(requests, transport, inbound, requests)

    return body


def _admitted(method: Method, access: Access, codec: Codec) -> _Admitted:
    """Decides about a stream of requests. A resource that names fields is taken from the first message."""
    needs_first = method.rule is not None and method.public and "{" in method.rule.resource

    async def admitted(raws: AsyncIterator[bytes], inbound: Inbound, frame: Frame) -> AsyncIterator[Any]:
        requests = codec.parsed(raws)
        first = await anext(requests, None) if needs_first else None
        if needs_first and first is None:
            raise RuntimeFault(errors_pb2.ERROR_REASON_INVALID_FIELD, "the stream ended before its first message")
        frame.caller = access.known(method, inbound, first) or await access.ask(method, inbound, first)
        return requests if first is None else _chained(first, requests)

    return admitted


async def _chained(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:  # noqa: ANN401 (any message)
    yield first
    async for message in rest:
        yield message


def _answering(method: Method, codec: Codec) -> _Answering:
    """Sends what the handler yields; a handler that is no generator writes by itself."""
    behaviour, serialise = method.behaviour, codec.serialise

    def answering(request: Any, transport: Transport, inbound: Inbound, requests: Any) -> Awaitable[None]:  # noqa: ANN401 (any message)
        answers = behaviour(request, HandlerContext(transport, inbound, codec, requests))
        if isinstance(answers, AsyncIterator):
            return sent(answers, transport)
        writing: Awaitable[None] = answers
        return writing

    async def sent(answers: AsyncIterator[Any], transport: Transport) -> None:
        write = transport.write
        try:
            async for message in answers:
                await write(serialise(message))
        finally:
            if isinstance(answers, AsyncGenerator):
                await answers.aclose()

    return answering
