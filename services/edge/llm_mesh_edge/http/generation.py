"""Asks for an answer and carries it back, whole or streamed, in whichever dialect it was asked."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import orjson

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_edge.domain.failures import placed
from llm_mesh_edge.domain.ports import GatewayClient
from llm_mesh_edge.domain.receipts import receipt_headers, translation_headers
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.client_watch import ClientWatch
from llm_mesh_edge.http.dialect import EdgeDialect
from llm_mesh_edge.http.exchange import EVENTS, HttpExchange, ProblemError
from llm_mesh_edge.http.parsing import ParsedRequest, conversation
from llm_mesh_edge.http.streamed_reply import StreamedReply, not_translatable
from llm_mesh_edge.settings import Settings


class Conversations:
    """Carries conversations to the gateway and back."""

    def __init__(self, gateway: GatewayClient, settings: Settings, bodies: Bodies) -> None:
        self._gateway = gateway
        self._settings = settings
        self._bodies = bodies

    async def whole(self, exchange: HttpExchange, request: ParsedRequest, dialect: EdgeDialect) -> None:
        """Translate the body, ask the gateway, and write its answer."""
        asking = gateway_pb2.GenerateRequest()
        await self._read(exchange, request, dialect, asking)
        with ClientWatch(exchange):
            answer = await self._gateway.generate(asking, request.metadata)
            output = answer.output
            headers = [*receipt_headers(answer.receipt), *translation_headers(output.translations)]
            number = dialect.answer_id(output.id, exchange.headers.request_id)
            try:
                body = await self._bodies.written(
                    exchange, output.ByteSize(), lambda: orjson.dumps(dialect.body(output, asking.input, number))
                )
            except DialectError as error:
                raise ProblemError(not_translatable(error)) from error
            await exchange.answer(200, body, headers)

    async def streamed(self, exchange: HttpExchange, request: ParsedRequest, dialect: EdgeDialect, media_type: bytes = EVENTS) -> None:
        """The same for a streamed answer."""
        asking = gateway_pb2.GenerateStreamRequest()
        await self._read(exchange, request, dialect, asking)
        with ClientWatch(exchange):
            answer = self._gateway.stream(asking, request.metadata)
            await StreamedReply(exchange, answer, dialect, asking.input, media_type).write(self._settings.keep_alive.total_seconds())

    def _read(
        self,
        exchange: HttpExchange,
        request: ParsedRequest,
        dialect: EdgeDialect,
        asking: gateway_pb2.GenerateRequest | gateway_pb2.GenerateStreamRequest,
    ) -> Awaitable[None]:
        def read() -> None:
            dialect.read(request.body, exchange.headers, asking.input)
            if request.options is not None:
                asking.options.CopyFrom(request.options)  # the constructor would serialise and parse it

        exchange.place = lambda failure: placed(failure, dialect.place, request.body)
        return self._bodies.worked(exchange, request.size, read)


class GenerationHandler:
    """Answers in one dialect, whose body says whether the answer is streamed."""

    def __init__(self, gateway: GatewayClient, settings: Settings, bodies: Bodies, dialect: EdgeDialect) -> None:
        self._conversations = Conversations(gateway, settings, bodies)
        self._bodies = bodies
        self._dialect = dialect

    async def __call__(self, exchange: HttpExchange) -> None:
        """Carry the conversation, streamed where the body says so."""
        request = await conversation(exchange, self._bodies, self._dialect.messages)
        carry = self._conversations.streamed if is_streamed(request.body) else self._conversations.whole
        await carry(exchange, request, self._dialect)


def is_streamed(body: dict[str, Any]) -> bool:
    """Whether a client asks for a stream. Raises `DialectError`."""
    streamed = body.get("stream") or False
    if not isinstance(streamed, bool):
        raise DialectError("stream", "expected true or false")
    return streamed
