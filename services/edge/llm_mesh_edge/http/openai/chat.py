"""`POST /v1/chat/completions`, whole and streamed."""

from __future__ import annotations

import orjson

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.openai import requests, responses, streams
from llm_mesh_edge.domain.failures import failure_of
from llm_mesh_edge.domain.ports import AnswerStream, Gateway
from llm_mesh_edge.domain.receipts import limit_headers, receipt_field, receipt_headers, translation_headers
from llm_mesh_edge.http.exchange import Exchange
from llm_mesh_edge.http.openai.asking import Asked, asked
from llm_mesh_edge.http.openai.failures import type_of
from llm_mesh_edge.http.presence import Presence
from llm_mesh_edge.settings import Settings
from llm_mesh_runtime.errors import MeshError


class Chat:
    """Carries a chat to the gateway and back."""

    def __init__(self, gateway: Gateway, settings: Settings) -> None:
        self._gateway = gateway
        self._settings = settings

    async def __call__(self, exchange: Exchange) -> None:
        """Answer."""
        request = await asked(exchange, self._settings)
        streamed = request.body.get("stream") or False
        if not isinstance(streamed, bool):
            raise DialectError("stream", "expected true or false")
        if request.options.HasField("prompt"):
            request.body.setdefault("messages", [])
        given = requests.chat_to_input(request.body)
        async with Presence(exchange):
            if streamed:
                await self._stream(exchange, request, given)
            else:
                await self._whole(exchange, request, given)

    async def _whole(self, exchange: Exchange, request: Asked, given: generate_pb2.GenerateInput) -> None:
        asking = gateway_pb2.GenerateRequest(input=given, options=request.options)
        answer = await self._gateway.generate(asking, request.metadata)
        headers = [*receipt_headers(answer.receipt), *translation_headers(answer.output.translations)]
        await exchange.answer_json(responses.output_to_chat(answer.output, id=_fallback_id(answer.output.id, exchange)), headers)

    async def _stream(self, exchange: Exchange, request: Asked, given: generate_pb2.GenerateInput) -> None:
        asking = gateway_pb2.GenerateStreamRequest(input=given, options=request.options)
        answer = self._gateway.stream(asking, request.metadata)
        try:
            first = await answer.read()
            await exchange.begin_events(_stream_headers(first))
            await _Pouring(exchange, answer, include_usage=given.include_usage).pour(first)
        finally:
            answer.cancel()


class _Pouring:
    """One stream from the gateway into server-sent events."""

    def __init__(self, exchange: Exchange, answer: AnswerStream, *, include_usage: bool) -> None:
        self._exchange = exchange
        self._answer = answer
        self._include_usage = include_usage
        self._writer = streams.ChunkWriter(include_usage=include_usage)
        self._receipt: gateway_pb2.Receipt | None = None

    async def pour(self, first: gateway_pb2.GenerateStreamResponse | None) -> None:
        """Write until the end, or until it breaks off: then with an error instead of `[DONE]`."""
        message = first
        try:
            while message is not None:
                if message.HasField("receipt"):
                    self._receipt = message.receipt
                await self._exchange.write(b"".join(map(self._writer.write, message.events)))
                message = await self._answer.read()
        except MeshError as error:
            failure = failure_of(error)
            told = self._writer.failure(failure.message, type=type_of(failure), code=failure.code, param=failure.param or None)
            await self._exchange.end(told)
            return
        await self._exchange.end(self._closing())

    def _closing(self) -> bytes:
        """The cost stands in the usage chunk where the client asked for one, else in a comment, which every reader skips."""
        field = receipt_field(self._receipt) if self._receipt is not None else {}
        if self._include_usage:
            return self._writer.close({"llm_mesh": field} if field else {})
        comment = b": llm_mesh " + orjson.dumps(field) + b"\n\n" if field else b""
        return comment + self._writer.close()


def _stream_headers(first: gateway_pb2.GenerateStreamResponse | None) -> list[tuple[bytes, bytes]]:
    if first is None:
        return []
    translations = [each for event in first.events if event.HasField("started") for each in event.started.translations]
    headers = [*limit_headers(first.limits), *translation_headers(translations)]
    if first.reservation:
        headers.append((b"x-llm-mesh-reservation", first.reservation.encode()))
    return headers


def _fallback_id(given: str, exchange: Exchange) -> str:
    """Clients expect an id even of providers that give none."""
    return "" if given else f"chatcmpl-{exchange.headers.request_id}"
