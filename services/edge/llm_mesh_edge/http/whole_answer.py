"""Asks a method of the gateway that answers whole, and carries the answer back, in whichever dialect it was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import orjson

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_edge.domain.failures import placed
from llm_mesh_edge.domain.headers import Headers, Metadata
from llm_mesh_edge.domain.places import Body
from llm_mesh_edge.domain.receipts import receipt_headers, translation_headers
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.client_watch import ClientWatch
from llm_mesh_edge.http.exchange import JSON, HttpExchange, ProblemError
from llm_mesh_edge.http.parsing import ParsedRequest, parsed_request
from llm_mesh_edge.http.streamed_reply import not_translatable

Request = TypeVar("Request")
Response = TypeVar("Response")
Response_contra = TypeVar("Response_contra", contravariant=True)


class WholeMethod(Protocol[Request, Response_contra]):
    """How a dialect asks one method of the gateway."""

    def read(self, body: dict[str, Any], headers: Headers) -> Request:
        """The request, without options. Raises `DialectError`."""

    def place(self, field: str, body: Body) -> str:
        """Where a field of the typed request stands in the body."""

    def body(self, response: Response_contra, request: Request, number: str) -> object:
        """What is written as JSON, or a `PlainAnswer`. `number` tells answers apart. Raises `DialectError` where it has no form."""


class PlainAnswer(NamedTuple):
    """An answer that is no JSON."""

    media_type: bytes
    body: bytes


class WholeAnswerHandler(Generic[Request, Response]):
    """Carries one request to the gateway and back."""

    def __init__(
        self,
        ask: Callable[[Request, Metadata], Awaitable[Response]],
        bodies: Bodies,
        method: WholeMethod[Request, Response],
    ) -> None:
        self._carrier = WholeAnswerCarrier(ask, bodies)
        self._bodies = bodies
        self._method = method

    async def __call__(self, exchange: HttpExchange) -> None:
        """Translate the body, ask the gateway, and write its answer."""
        await self._carrier.carry(exchange, await parsed_request(exchange, self._bodies), self._method)


class WholeAnswerCarrier(Generic[Request, Response]):
    """Carries requests that have been parsed to one method of the gateway, and their answers back."""

    def __init__(self, ask: Callable[[Request, Metadata], Awaitable[Response]], bodies: Bodies) -> None:
        self._ask = ask
        self._bodies = bodies

    async def carry(self, exchange: HttpExchange, parsed: ParsedRequest, method: WholeMethod[Request, Response]) -> None:
        """Translate the request, ask the gateway, and write its answer."""
        exchange.place = lambda failure: placed(failure, method.place, parsed.body)
        request = await self._bodies.worked(exchange, parsed.size, lambda: _typed(exchange, parsed, method))
        with ClientWatch(exchange):
            response: Any = await self._ask(request, parsed.metadata)
            receipt: gateway_pb2.Receipt = response.receipt
            headers = [*receipt_headers(receipt), *translation_headers(response.output.translations)]
            number = exchange.headers.request_id
            try:
                answer = await self._bodies.written(exchange, response.ByteSize(), lambda: _written(method.body(response, request, number)))
            except DialectError as error:
                raise ProblemError(not_translatable(error)) from error
            await exchange.answer(200, answer.body, headers, media_type=answer.media_type)


def _typed(exchange: HttpExchange, parsed: ParsedRequest, method: WholeMethod[Request, Response]) -> Request:
    request: Any = method.read(parsed.body, exchange.headers)
    if parsed.options is not None:
        request.options.CopyFrom(parsed.options)
    typed: Request = request
    return typed


def _written(answer: object) -> PlainAnswer:
    return answer if isinstance(answer, PlainAnswer) else PlainAnswer(JSON, orjson.dumps(answer))
