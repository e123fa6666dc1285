"""Streams that are silent for long say that they are alive, and no reader takes that for content."""

import asyncio
from typing import Any

import anthropic
import openai
import pytest

from llm_mesh.adapter.v1 import errors_pb2 as adapter_errors
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.openai.chat import Chat
from llm_mesh_edge.http.streamed_reply import StreamedReply
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


class Line:
    """A connection to one client, which takes what it is sent one piece at a time, and stops at a piece that has `halt` in it."""

    def __init__(self, halt: bytes) -> None:
        self.halt = halt
        self.halted = asyncio.Event()
        self.going = asyncio.Event()
        self.tried: list[tuple[float, bytes]] = []
        self.sent: list[bytes] = []

    async def send(self, message: Any) -> None:
        piece = message.get("body", b"")
        self.tried.append((asyncio.get_running_loop().time(), piece))
        if self.halt in piece:
            self.halted.set()
            await self.going.wait()
        self.sent.append(piece)


class Source:
    """A gateway's answer; before an `Event` it says nothing until that is set."""

    def __init__(self, *says: Any) -> None:
        self.says = list(says)

    async def read(self) -> gateway_pb2.GenerateStreamResponse | None:
        while self.says and isinstance(self.says[0], asyncio.Event):
            await self.says.pop(0).wait()
        if self.says and isinstance(self.says[0], MeshError):
            raise self.says.pop(0)
        return gateway_pb2.GenerateStreamResponse(events=[self.says.pop(0)]) if self.says else None

    def cancel(self) -> None:
        pass


def pouring(line: Line, source: Source) -> asyncio.Future[None]:
    """A stream on its way, which bears a silence of 50 ms."""
    exchange = HttpExchange({"headers": [], "method": "POST", "path": CHAT}, asyncio.Event().wait, line.send)  # type: ignore[arg-type] # never asked
    return asyncio.ensure_future(StreamedReply(exchange, source, Chat(), generate_pb2.GenerateInput()).write(0.05))


@pytest.mark.parametrize("then", [text("hello"), AdapterError(adapter_errors.ERROR_REASON_PROVIDER_RESET, "hello is over")])
async def test_what_comes_meanwhile_waits_until_it_is_said(then: Any) -> None:
    line, more = Line(b"keep-alive"), asyncio.Event()
    poured = pouring(line, Source(STARTED, more, then, STOPPED, FINISHED))
    async with asyncio.timeout(5):
        await line.halted.wait()
        more.set()
        for _ in range(10):
            await asyncio.sleep(0)  # the stream takes its turns, and may not write
        line.going.set()
        await poured
    alive = next(place for place, piece in enumerate(line.sent) if b"keep-alive" in piece)
    assert b"hello" in b"".join(line.sent[alive:])
    assert b"hello" not in b"".join(line.sent[:alive])


async def test_a_slow_client_is_not_told_what_it_cannot_hear() -> None:
    line = Line(b"hello")
    poured = pouring(line, Source(STARTED, text("hello"), STOPPED, FINISHED))
    async with asyncio.timeout(5):
        await line.halted.wait()
        await asyncio.sleep(0.2)  # four times what the stream bears
        line.going.set()
        await poured
    assert not any(b"keep-alive" in piece for _, piece in line.tried)


async def test_a_silence_begins_with_what_was_said_last() -> None:
    line, first, second = Line(b"keep-alive"), asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().call_later(0.035, first.set)
    poured = pouring(line, Source(STARTED, first, text("hello"), second, STOPPED, FINISHED))
    async with asyncio.timeout(5):
        await line.halted.wait()
        line.going.set()
        second.set()
        await poured
    alive = next(place for place, (_, piece) in enumerate(line.tried) if b"keep-alive" in piece)
    assert line.tried[alive][0] - line.tried[alive - 1][0] >= 0.049
