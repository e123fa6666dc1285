"""The dialect of `POST /v1/audio/speech`."""

from __future__ import annotations

from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_dialects.openai import client_speech
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.places import Body
from llm_mesh_edge.domain.ports import GatewayClient
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.exchange import EVENTS, HttpExchange
from llm_mesh_edge.http.parsing import parsed_request
from llm_mesh_edge.http.whole_answer import PlainAnswer, WholeAnswerCarrier

_PLACES = {"input.text": "input", "input.format": "response_format"}


class SpeechMethod:
    """`WholeMethod`, whose answer is sound, or server-sent events with it."""

    def __init__(self, *, events: bool) -> None:
        self._events = events

    def read(self, body: dict[str, Any], headers: Headers) -> gateway_pb2.SpeakRequest:
        """The request."""
        del headers
        return gateway_pb2.SpeakRequest(input=client_speech.body_to_input(body))

    def place(self, field: str, body: Body) -> str:
        """Of a field."""
        del body
        return _PLACES.get(field, field)

    def body(self, response: gateway_pb2.SpeakResponse, request: gateway_pb2.SpeakRequest, number: str) -> object:
        """The answer."""
        del request, number
        if self._events:
            return PlainAnswer(EVENTS, b"".join(client_speech.events_of(response.output)))
        return PlainAnswer(response.output.mime_type.encode("ascii", "replace"), response.output.sound)


class SpeechHandler:
    """Carries one text to the gateway, and sound back."""

    def __init__(self, gateway: GatewayClient, bodies: Bodies) -> None:
        self._carrier = WholeAnswerCarrier(gateway.speak, bodies)
        self._bodies = bodies

    async def __call__(self, exchange: HttpExchange) -> None:
        """Translate the body, ask the gateway, and write its answer as the client wants it."""
        parsed = await parsed_request(exchange, self._bodies)
        await self._carrier.carry(exchange, parsed, SpeechMethod(events=client_speech.wants_events(parsed.body)))
