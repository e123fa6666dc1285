"""The dialect of `POST /v1/audio/transcriptions` and `/v1/audio/translations`."""

from __future__ import annotations

import re
from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_dialects.openai import client_transcriptions, client_transcripts
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.places import Body
from llm_mesh_edge.domain.ports import GatewayClient
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.exchange import EVENTS, HttpExchange
from llm_mesh_edge.http.parsing import parsed_form
from llm_mesh_edge.http.whole_answer import PlainAnswer, WholeAnswerCarrier

_TEXT = b"text/plain; charset=utf-8"
_SUBTITLES = b"text/vtt; charset=utf-8"
_PLAIN = {"text": _TEXT, "srt": _TEXT, "vtt": _SUBTITLES}
_SOUND = re.compile(r"^input\.sound(?:\..*)?$")
_LANGUAGES = re.compile(r"^input\.languages(?:\[(\d+)\])?$")


class TranscriptionMethod:
    """`WholeMethod` for one request, whose answer is written as its form says."""

    def __init__(self, *, to_english: bool) -> None:
        self._to_english = to_english
        self._form = client_transcriptions.AnswerForm(client_transcriptions.JSON, streamed=False, translated=to_english)

    def read(self, body: dict[str, Any], headers: Headers) -> gateway_pb2.TranscribeRequest:
        """The request."""
        del headers
        request, self._form = client_transcriptions.form_to_input(body, to_english=self._to_english)
        return gateway_pb2.TranscribeRequest(input=request)

    def place(self, field: str, body: Body) -> str:
        """Of a field, or of the uploaded sound."""
        if _SOUND.match(field):
            return "file"
        language = _LANGUAGES.match(field)
        if language is not None:
            return "language" if "language" in body else f"languages[{language[1]}]" if language[1] else "languages"
        return field

    def body(self, response: gateway_pb2.TranscribeResponse, request: gateway_pb2.TranscribeRequest, number: str) -> object:
        """The answer."""
        del request, number
        if self._form.streamed:
            return PlainAnswer(EVENTS, b"".join(client_transcripts.events_of(response.output, self._form)))
        if self._form.name in _PLAIN:
            return PlainAnswer(_PLAIN[self._form.name], client_transcripts.output_to_text(response.output, self._form).encode())
        return client_transcripts.output_to_body(response.output, self._form)


class TranscriptionHandler:
    """Carries one sound to the gateway, and what is said in it back."""

    def __init__(self, gateway: GatewayClient, bodies: Bodies, *, to_english: bool) -> None:
        self._carrier = WholeAnswerCarrier(gateway.transcribe, bodies)
        self._bodies = bodies
        self._to_english = to_english

    async def __call__(self, exchange: HttpExchange) -> None:
        """Read the form as it arrives, ask the gateway, and write its answer as the client wants it."""
        parsed = await parsed_form(exchange, self._bodies, client_transcriptions.FILES)
        await self._carrier.carry(exchange, parsed, TranscriptionMethod(to_english=self._to_english))
