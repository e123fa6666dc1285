"""Writes one stream from the gateway into a client's: server-sent events, or what else a dialect has.

The answer begins with the first message of the gateway, so that a failure before it has a status of its own. A gateway that is
silent for long is not waited for: proxies on the way would give the connection up. What the headers would have told is told at
the end then.
"""

from __future__ import annotations

from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.domain.ports import AnswerStream
from llm_mesh_edge.domain.receipts import (
    Pairs,
    decision_header,
    limit_headers,
    receipt_field,
    replayed_headers,
    screened_headers,
    translation_headers,
    translations_text,
)
from llm_mesh_edge.http.dialect import EdgeDialect, Writer
from llm_mesh_edge.http.exchange import EVENTS, HttpExchange, ProblemError
from llm_mesh_edge.http.keep_alive import KeepAlive
from llm_mesh_runtime.errors import MeshError


class StreamedReply:
    """Writes one response stream of the gateway."""

    def __init__(
        self,
        exchange: HttpExchange,
        answer: AnswerStream,
        dialect: EdgeDialect,
        request: generate_pb2.GenerateInput,
        media_type: bytes = EVENTS,
    ) -> None:
        self._exchange = exchange
        self._answer = answer
        self._dialect = dialect
        self._request = request
        self._media_type = media_type
        self._writer: Writer | None = None
        self._receipt: gateway_pb2.Receipt | None = None
        self._late = ""

    async def write(self, silence: float) -> None:
        """Write until the end, or until it breaks off: then with an error instead of an end."""
        with KeepAlive(silence, self._break_silence) as alive:
            try:
                while True:
                    alive.waiting = True
                    message = await self._answer.read()
                    alive.waiting = False
                    if alive.speaking is not None:
                        await alive.speaking
                    if message is None:
                        break
                    writer = self._writer or await self._begin(message)
                    if message.HasField("receipt"):
                        self._receipt = message.receipt
                    events = message.events
                    data = writer.write(events, message.ByteSize()) if events else b""
                    if data:
                        await self._exchange.write(data)
                        alive.message_came()
                await self._end()
            except MeshError as error:
                await self._break_off(alive, self._exchange.failure(error))
            except DialectError as error:
                await self._break_off(alive, not_translatable(error))
            finally:
                self._answer.cancel()

    async def _begin(self, first: gateway_pb2.GenerateStreamResponse) -> Writer:
        begun = first.events[0].started if first.events else generate_pb2.Started()  # a stream begins with it
        translations = begun.translations
        if self._exchange.started:
            self._late = translations_text(translations)
        else:
            headers = [*_stream_headers(first), *translation_headers(translations)]
            await self._exchange.begin_stream(self._media_type, headers)
        first.ClearField("limits")  # they were told, and what is left are the events
        first.ClearField("reservation")
        first.ClearField("decision_id")
        first.ClearField("screened")
        first.ClearField("replayed")
        self._writer = self._new_writer(begun.id)
        return self._writer

    def _new_writer(self, number: str) -> Writer:
        return self._dialect.writer(self._request, self._dialect.answer_id(number, self._exchange.headers.request_id))

    async def _end(self) -> None:
        writer = self._writer or await self._begin(gateway_pb2.GenerateStreamResponse())
        field: dict[str, Any] = receipt_field(self._receipt) if self._receipt is not None else {}
        if self._late:
            field["translations"] = self._late
        await self._exchange.end(writer.close(field))

    async def _break_off(self, alive: KeepAlive, failure: Failure) -> None:
        await alive.stop()
        if not self._exchange.started:
            raise ProblemError(failure)
        writer = self._writer or self._new_writer("")
        await self._exchange.end(writer.failure(failure, self._exchange.headers))

    async def _break_silence(self) -> None:
        if not self._exchange.started:
            await self._exchange.begin_stream(self._media_type, [])
        await self._exchange.write(self._dialect.keep_alive)


def _stream_headers(first: gateway_pb2.GenerateStreamResponse) -> Pairs:
    headers = [*limit_headers(first.limits), *decision_header(first.decision_id), *screened_headers(first.screened)]
    if first.reservation:
        headers.append((b"x-llm-mesh-reservation", first.reservation.encode()))
    if first.replayed:
        headers += replayed_headers()
    return headers


def not_translatable(error: DialectError) -> Failure:
    """The provider's answer has no form in the client's dialect. That is not the client's fault."""
    return Failure(502, "not_translatable", f"the answer cannot be told in this dialect: {error}")
