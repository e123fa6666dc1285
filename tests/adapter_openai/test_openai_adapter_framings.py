"""A framing that the mesh does not have plugs in: lines of JSON, named by a dialect of its own."""

from __future__ import annotations

import pytest

from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_openai.provider.dialect import OpenAIDialect
from tests.adapter_kit.scripted_provider import answering, chunked, provider
from tests.adapter_openai.plugged import plugged

MEDIA_TYPE = "application/x-ndjson"


class Lines:
    """The skeleton leaves out the bound that a parser must have."""

    def __init__(self) -> None:
        self._unfinished = b""

    def feed(self, data: bytes) -> list[Frame]:
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        return [(line, "") for line in lines if line]

    def rest(self) -> list[Frame]:
        return [(self._unfinished, "")] if self._unfinished else []


class Ndjson:
    media_types = (MEDIA_TYPE,)
    parser = Lines

    def recognises(self, content_type: str, body: bytes) -> bool:
        return content_type.startswith(MEDIA_TYPE) and b"\n" in body


class LinesDialect(OpenAIDialect):
    framing = Ndjson()


CHUNK = b'{"id":"1","model":"m","created":1,"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}\n'
STREAM = CHUNK % (b"Good", b"null") + CHUNK % ("ü".encode(), b"null") + CHUNK % (b"", b'"stop"')


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_a_stream_of_lines_is_read_wherever_it_is_cut(size: int) -> None:
    pieces = [STREAM[place : place + size] for place in range(0, len(STREAM) - 1, size)]
    answers = [chunked(pieces, b"content-type: " + MEDIA_TYPE.encode())] * 2
    async with provider(answering(*answers)) as (_, port):
        endpoint = Endpoint(name="simulator", provider="S", base_url=f"http://127.0.0.1:{port}", local=True, auth=Auth(required=False))
        async with plugged(LinesDialect({}), endpoint) as client:
            messages = await client.stream("m")
            assert len(messages) > 1, "the answer was gathered, not streamed"
            assert "".join(event.text.text for message in messages for event in message.events) == "Goodü"
            response = await client.generate("m")
            assert response.output.choices[0].message.parts[0].text.text == "Goodü"
