"""The innermost stage, one form per kind of call: parse, decide about access, check the fields, handle, serialise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from google.protobuf.message import DecodeError

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.context import Caller, Frame
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from llm_mesh_runtime.pipeline.methods import Method
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE, HandlerContext, Own, Transport
from llm_mesh_runtime.pipeline.wire import has_more_fields
from llm_mesh_runtime.shares import Party
from llm_mesh_runtime.validation import RequestCheck, request_check

Body = Callable[[Any, Transport, Frame], Awaitable[Any]]
MOST_FIELDS = 250_000
"""Of a request and all messages in it: parsing more would hold the event loop."""
_LARGE = 256 * 1024
_Admitted = Callable[[AsyncIterator[bytes], Frame], Awaitable[AsyncIterator[Any]]]
_Answering = Callable[[Any, Transport, Frame, Any], Awaitable[None]]


class MethodGuard(Protocol):
    """Decides whether a call of one method is served."""

    by_request: bool
    """Whether the message says what is wanted, so that the head alone does not decide."""

    def head(self, frame: Frame) -> Caller | Any:  # noqa: ANN401 (what is to be asked)
        """The caller as far as the head of a call tells, else what is to be asked. Raises for those refused at once."""

    async def ask(self, question: Any, address: str) -> Caller:  # noqa: ANN401 (what `head` gave)
        """The caller of a head, as policy knows it. Raises for callers that policy refuses."""

    def party(self, question: Any, address: str) -> Party:  # noqa: ANN401 (what `head` gave)
        """Who shares bounds with others while policy has not been asked."""

    def known(self, frame: Frame, request: Any) -> Caller | Any:  # noqa: ANN401 (any message)
        """The caller of a request where that is decided without asking anybody, else what is to be asked."""

    def decide(self, question: Any) -> Awaitable[Caller]:  # noqa: ANN401 (what `known` gave)
        """The caller as policy decides about the request. Raises for callers that policy refuses."""


class ServiceGuard(Protocol):
    """The stage that decides about the calls of one service."""

    def of(self, method: Method) -> MethodGuard:
        """Who decides about the calls of one method."""


class MessageCodec:
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
        if len(raw) > _LARGE and self._method.public and has_more_fields(raw, self._method.request, MOST_FIELDS):
            reason = errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE
            raise RuntimeFault(reason, f"the request has more than {MOST_FIELDS} fields", limit_fields=str(MOST_FIELDS))
        try:
            return self._parse(raw)
        except DecodeError:
            reason = errors_pb2.ERROR_REASON_MALFORMED_MESSAGE
            raise RuntimeFault(reason, f"the bytes are not a request of {self._method.path}") from None

    def serialise(self, message: Any) -> bytes:  # noqa: ANN401 (any message)
        """The bytes of an answer; a handler that puts a large one together on the wire gives them itself."""
        raw = message if message.__class__ is bytes else self._serialise(message)
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


def body_of(method: Method, access: MethodGuard, codec: MessageCodec) -> Body:
    """The body for the method's kind of call, awaited for the answer's message; where answers are written, it gives none.

    The head of the call has been decided about. Only now its message is looked at, and decided about where the access rule names its
    fields. Who may call is told what is wrong with a field.
    """
    if method.request_streaming:
        return (_stream_stream if method.response_streaming else _stream_unary)(method, access, codec)
    return (_unary_stream if method.response_streaming else _unary_unary)(method, access, codec)


def _check_of(method: Method) -> RequestCheck:
    """The rules of the request's fields. A service of the mesh may be newer, and know more enum values."""
    return request_check(method.request, known_enums=method.public) or _unchecked


def _unchecked(request: Any, size: int) -> None:  # noqa: ANN401 (any message)
    """No field has a rule."""


def _unary_unary(method: Method, access: MethodGuard, codec: MessageCodec) -> Body:
    behaviour, known, parse, by_request, check = method.behaviour, access.known, codec.parse, access.by_request, _check_of(method)

    def body(raw: bytes, transport: Transport, frame: Frame) -> Awaitable[Any]:
        request = parse(raw)
        context = transport if isinstance(transport, Own) else HandlerContext(transport, frame, codec, None)
        if by_request:
            caller = known(frame, request)
            if not isinstance(caller, Caller):
                return authorised(caller, request, len(raw), context, frame)
            frame.caller = caller
        check(request, len(raw))
        answer: Awaitable[Any] = behaviour(request, context)
        return answer  # the handler itself: a coroutine around it would cost each of its waits

    async def authorised(question: Any, request: Any, size: int, context: Transport | HandlerContext, frame: Frame) -> Any:  # noqa: ANN401 (any message)
        frame.caller = await access.decide(question)
        check(request, size)
        return await behaviour(request, context)

    return body


def _unary_stream(method: Method, access: MethodGuard, codec: MessageCodec) -> Body:
    answer, by_request, check = _answering(method, codec), access.by_request, _check_of(method)

    def body(raw: bytes, transport: Transport, frame: Frame) -> Awaitable[None]:
        request = codec.parse(raw)
        if by_request:
            caller = access.known(frame, request)
            if not isinstance(caller, Caller):
                return authorised(caller, request, len(raw), transport, frame)
            frame.caller = caller
        check(request, len(raw))
        return answer(request, transport, frame, None)  # without a coroutine around it, which would take part in every message

    async def authorised(question: Any, request: Any, size: int, transport: Transport, frame: Frame) -> None:  # noqa: ANN401 (any message)
        frame.caller = await access.decide(question)
        check(request, size)
        await answer(request, transport, frame, None)

    return body


def _stream_unary(method: Method, access: MethodGuard, codec: MessageCodec) -> Body:
    behaviour, admitted = method.behaviour, _admitted(method, access, codec)

    async def body(raws: AsyncIterator[bytes], transport: Transport, frame: Frame) -> Any:  # noqa: ANN401 (any message)
        requests = await admitted(raws, frame)
        return await behaviour(requests, HandlerContext(transport, frame, codec, requests))

    return body


def _stream_stream(method: Method, access: MethodGuard, codec: MessageCodec) -> Body:
    admitted, answer = _admitted(method, access, codec), _answering(method, codec)

    async def body(raws: AsyncIterator[bytes], transport: Transport, frame: Frame) -> None:
        requests = await admitted(raws, frame)
        await answer(requests, transport, frame, requests)

    return body


def _admitted(method: Method, access: MethodGuard, codec: MessageCodec) -> _Admitted:
    """Decides about a stream of requests. A resource that names fields is taken from the first message."""
    check = request_check(method.request, known_enums=method.public)

    async def admitted(raws: AsyncIterator[bytes], frame: Frame) -> AsyncIterator[Any]:
        requests = codec.parsed(raws)
        return await decided(requests, frame) if check is None else _checked(await decided(requests, frame), check)

    async def decided(requests: AsyncIterator[Any], frame: Frame) -> AsyncIterator[Any]:
        if not access.by_request:
            return requests
        first = await anext(requests, None)
        if first is None:
            raise RuntimeFault(errors_pb2.ERROR_REASON_INVALID_FIELD, "the stream ended before its first message")
        known = access.known(frame, first)
        frame.caller = known if isinstance(known, Caller) else await access.decide(known)
        return _chained(first, requests)

    return admitted


async def _chained(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:  # noqa: ANN401 (any message)
    yield first
    async for message in rest:
        yield message


async def _checked(requests: AsyncIterator[Any], check: RequestCheck) -> AsyncIterator[Any]:
    async for request in requests:
        check(request, MAX_MESSAGE)
        yield request


def _answering(method: Method, codec: MessageCodec) -> _Answering:
    """Sends what the handler yields; a handler that is no generator writes by itself."""
    behaviour, serialise = method.behaviour, codec.serialise

    def answering(request: Any, transport: Transport, frame: Frame, requests: Any) -> Awaitable[None]:  # noqa: ANN401 (any message)
        answers = behaviour(request, HandlerContext(transport, frame, codec, requests))
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
