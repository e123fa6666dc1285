"""Streams that are silent for long say that they are alive, and no reader takes that for content."""

import asyncio
from typing import Any

import anthropic
import openai
import pytest

from llm_mesh.adapter.v1 import errors_pb2 as adapter_errors
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_runtime.errors import MeshError
from tests.edge.conftest import Served
from tests.edge.fakes import FINISHED, STARTED, STOPPED, text

MESSAGES: Any = [{"role": "user", "content": "hi"}]
CHAT, CLAUDE = "/v1/chat/completions", "/v1/messages"
BODY: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": MESSAGES, "stream": True}
FRAMES = {CHAT: b": keep-alive", CLAUDE: b'event: ping\ndata: {"type":"ping"}'}


class AdapterError(MeshError):
    reasons = adapter_errors.ErrorReason


class Held:
    """A place in a stream where the gateway says nothing until the client has heard that the stream lives."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def __call__(self) -> None:
        async with asyncio.timeout(10):
            await self.ended.wait()


async def silence() -> None:
    """Twice what the edge bears. The edge's timer runs on the same loop, so it is always the first."""
    await asyncio.sleep(0.9)


async def read(served: Served, path: str, held: Held, *, times: int = 1) -> list[bytes]:
    """The frames of a stream; the gateway goes on once it has been told to be alive so many times."""
    frames: list[bytes] = []
    async with served.session.post(served.url + path, json=BODY, headers=served.headers) as answer:
        assert answer.status == 200
        rest = b""
        async for piece in answer.content.iter_any():
            *whole, rest = (rest + piece).split(b"\n\n")
            frames += whole
            if frames.count(FRAMES[path]) >= times:
                held.ended.set()
        assert rest == b""
    return frames


@pytest.mark.parametrize("path", [CHAT, CLAUDE])
async def test_a_silence_within_a_stream_is_broken_again_and_again(served: Served, path: str) -> None:
    held = Held()
    served.gateway.says = [STARTED, text("hello"), held, text(" world"), STOPPED, FINISHED]
    frames = await read(served, path, held, times=2)
    alive = [place for place, frame in enumerate(frames) if frame == FRAMES[path]]
    hello = next(place for place, frame in enumerate(frames) if b"hello" in frame)
    world = next(place for place, frame in enumerate(frames) if b" world" in frame)
    assert len(alive) >= 2
    assert hello < alive[0] <= alive[-1] < world


@pytest.mark.parametrize("path", [CHAT, CLAUDE])
async def test_a_stream_that_does_not_begin_is_begun_and_tells_late_what_headers_would_have(served: Served, path: str) -> None:
    held = Held()
    dropped = generate_pb2.Translation(field="sampling.top_k", action=generate_pb2.TRANSLATION_ACTION_DROPPED)
    started = type(STARTED)()
    started.CopyFrom(STARTED)
    started.started.translations.append(dropped)
    served.gateway.says = [held, started, text("hello"), STOPPED, FINISHED]
    frames = await read(served, path, held)
    assert frames[0] == FRAMES[path]
    assert any(b'"translations":"sampling.top_k=dropped"' in frame and b'"reservation"' in frame for frame in frames)


async def test_a_quick_stream_says_nothing_of_the_kind(served: Served) -> None:
    for path in (CHAT, CLAUDE):
        assert FRAMES[path] not in await read(served, path, Held())


async def test_sdks_do_not_see_it(served: Served) -> None:
    served.gateway.says = [silence, STARTED, text("hello"), silence, text(" world"), STOPPED, FINISHED]
    stream = await served.sdk.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]) == "hello world"
    async with served.claude.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as said:
        assert "".join([each async for each in said.text_stream]) == "hello world"


async def test_a_failure_after_a_silent_beginning_is_an_error_of_the_stream(served: Served) -> None:
    served.gateway.says = [silence, AdapterError(adapter_errors.ERROR_REASON_PROVIDER_TIMEOUT, "too slow")]
    stream = await served.sdk.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    with pytest.raises(openai.APIError) as raised:
        await anext(aiter(stream))
    assert raised.value.code == "provider_timeout"
    said = await served.claude.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True)
    with pytest.raises(anthropic.APIStatusError) as refused:
        await anext(aiter(said))
    assert refused.value.type == "timeout_error"
