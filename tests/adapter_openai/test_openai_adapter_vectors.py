"""Vectors through the adapter: in base64 where a server has it, as numbers where not, whole or not at all, in pieces and off the loop."""

from __future__ import annotations

import array
import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_adapter_kit.embedding import PIECE
from llm_mesh_adapter_kit.values import LARGE
from llm_mesh_adapter_kit.vector_memory import MemoryShare
from llm_mesh_adapter_openai.provider import vectors as reading
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.testing import host
from tests.adapter_openai.conftest import Client, settings_for
from tests.e2e.scripted_upstream import ScriptedUpstream, scripted_upstream

MEMORY = 2 * 1024 * 1024
SMALL = [[0.5, -1.25], [3.0, 8.0]]


@pytest.fixture(scope="module")
def scripted() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        yield upstream


@pytest.fixture
def provider(scripted: ScriptedUpstream) -> ScriptedUpstream:
    scripted.script, scripted.failures, scripted.received = {}, [], []
    return scripted


@pytest.fixture
async def adapter(provider: ScriptedUpstream) -> AsyncIterator[Client]:
    settings = settings_for(f"http://127.0.0.1:{provider.port}/v1", vectors_memory=MEMORY)
    async with host(service, settings={"adapter/openai": settings}) as mesh:
        yield Client(mesh)


def packed(vector: list[float]) -> str:
    return base64.b64encode(array.array("f", vector).tobytes()).decode()


def answer(vectors: list[Any]) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return {"json": {"object": "list", "data": data, "model": "up", "usage": {"prompt_tokens": 3, "total_tokens": 3}}}


def asked(adapter: Client, items: int = 2, model: str = "vectors", **more: Any) -> dict[str, Any]:
    attempt = adapter.attempt(model)
    attempt.max_output_tokens = 0
    given = embed_pb2.EmbedInput(model="m", items=[embed_pb2.EmbedItem(text="a")] * items, **more)
    return {"grant": adapter.grant(attempt, max_output_tokens=0), "attempt": attempt, "input": given}


async def embedded(adapter: Client, items: int = 2, **more: Any) -> list[adapter_pb2.EmbedStreamResponse]:
    call = adapter.stub.EmbedStream(adapter_pb2.EmbedStreamRequest(**asked(adapter, items, **more)), timeout=20)
    return [message async for message in call]


async def refusal(adapter: Client, items: int = 2, **more: Any) -> Any:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await embedded(adapter, items, **more)
    return from_rpc_error(caught.value)


def values(messages: list[adapter_pb2.EmbedStreamResponse]) -> list[list[float]]:
    vectors = [vector for message in messages for vector in message.embeddings]
    assert [vector.index for vector in vectors] == list(range(len(vectors)))
    return [list(vector.values) for vector in vectors]


@pytest.mark.parametrize("form", ["numbers", "base64"])
async def test_base64_is_asked_for_and_what_comes_is_read(adapter: Client, provider: ScriptedUpstream, form: str) -> None:
    provider.script = answer(SMALL if form == "numbers" else [packed(vector) for vector in SMALL])
    messages = await embedded(adapter)
    assert values(messages) == SMALL
    assert messages[0].output.model == "up"
    assert messages[-1].report.usage.input_tokens == 3
    assert provider.received[0]["encoding_format"] == "base64"
    whole = await adapter.stub.Embed(adapter_pb2.EmbedRequest(**asked(adapter)), timeout=20)
    assert [list(vector.values) for vector in whole.output.embeddings] == SMALL


REFUSALS = [
    {"status": 400, "json": {"error": {"message": "Unknown value", "type": "invalid_request_error", "param": "encoding_format"}}},
    {"status": 400, "json": {"error": {"message": "base64 is not supported", "type": "invalid_request_error"}}},
    {"status": 422, "json": {"detail": [{"type": "extra_forbidden", "loc": ["body", "encoding_format"], "msg": "not permitted"}]}},
]


@pytest.mark.parametrize("refused", REFUSALS)
async def test_a_server_that_refuses_base64_is_asked_again_without_and_remembered(
    adapter: Client, provider: ScriptedUpstream, refused: dict[str, Any]
) -> None:
    provider.script, provider.failures = answer(SMALL), [refused]
    assert values(await embedded(adapter)) == SMALL
    assert values(await embedded(adapter)) == SMALL
    assert [request.get("encoding_format") for request in provider.received] == ["base64", None, None]
    provider.received.clear()
    await embedded(adapter, model="another")
    assert provider.received[0]["encoding_format"] == "base64", "another model may be another server"


async def test_other_refusals_are_the_callers_and_not_repeated(adapter: Client, provider: ScriptedUpstream) -> None:
    provider.script = {"status": 400, "json": {"error": {"message": "too long", "type": "invalid_request_error", "param": "input"}}}
    assert (await refusal(adapter)).reason_name == "PROVIDER_REJECTED"
    provider.script = {"status": 500, "json": {"error": {"message": "base64 crashed"}}}
    assert (await refusal(adapter)).reason_name == "PROVIDER_ERROR"
    assert len(provider.received) == 2


async def test_a_server_that_refuses_the_request_itself_is_not_remembered(adapter: Client, provider: ScriptedUpstream) -> None:
    provider.script = REFUSALS[1]
    assert (await refusal(adapter)).reason_name == "PROVIDER_REJECTED"
    assert [request.get("encoding_format") for request in provider.received] == ["base64", None]
    provider.script = answer(SMALL)
    await embedded(adapter)
    assert provider.received[2]["encoding_format"] == "base64"


async def test_a_row_whose_server_has_no_base64_is_not_asked_for_it(provider: ScriptedUpstream) -> None:
    row = f'{{"base_url": "http://127.0.0.1:{provider.port}/v1", "local": true, "quirks": {{"base64_vectors": false}}}}'
    provider.script = answer(SMALL)
    async with host(service, settings={"adapter/openai": settings_for(row)}) as mesh:
        assert values(await embedded(Client(mesh))) == SMALL
    assert "encoding_format" not in provider.received[0]


@pytest.mark.parametrize("vectors", [[[1.0]], [[1.0], [2.0], [3.0]], [[1.0], [2.0, 3.0]], [[1.0], ["x"]], [[1.0], "no base64"]], ids=str)
async def test_vectors_that_do_not_fit_the_items_are_no_answer(adapter: Client, provider: ScriptedUpstream, vectors: list[Any]) -> None:
    provider.script = answer(vectors)
    assert (await refusal(adapter)).reason_name == "PROVIDER_MALFORMED"


async def test_a_length_that_was_not_asked_for_is_reported(adapter: Client, provider: ScriptedUpstream) -> None:
    provider.script = answer(SMALL)
    for dimensions, fields in ((2, []), (3, ["dimensions"])):
        messages = await embedded(adapter, dimensions=dimensions)
        assert [each.field for each in messages[0].output.translations] == fields


async def test_a_large_answer_goes_in_pieces_off_the_loop(
    adapter: Client, provider: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8 MB of text become 1.6 MB of vectors. No step of the event loop reads more than a small rest; who else works has its turns."""
    on_loop, off_loop, largest = [0], 0, 0
    feed = reading.OpenAIVectors.feed

    def watched(self: reading.OpenAIVectors, data: bytes) -> None:
        nonlocal off_loop, largest
        if threading.current_thread() is threading.main_thread():
            on_loop.append(len(data))
        else:
            off_loop += len(data)
        largest = max(largest, len(data))
        feed(self, data)

    monkeypatch.setattr(reading.OpenAIVectors, "feed", watched)
    vector = [float(number) / 3 for number in range(1_024)]
    provider.script = answer([vector] * 400)
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(another())
    messages = await embedded(adapter, 400)
    beside.cancel()
    expected = array.array("f", vector).tolist()
    assert all(found == expected for found in values(messages))
    assert len(messages) == 7
    assert max(len(message.SerializeToString()) for message in messages) < PIECE + 16 * 1024
    assert max(on_loop) <= LARGE
    assert off_loop > 20 * sum(on_loop)
    assert largest < 2 * PIECE
    assert turns > 30


async def test_an_answer_that_is_larger_than_the_memory_fails(adapter: Client, provider: ScriptedUpstream) -> None:
    provider.script = answer([[1.0] * 1_024] * 513)
    error = await refusal(adapter, 513)
    assert error.reason_name == "PROVIDER_MALFORMED"
    assert str(MEMORY) in str(error)


async def test_answers_wait_until_others_have_given_their_memory_back(
    adapter: Client, provider: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two answers have 3.2 MB, where 2 are allowed: the second is read once the first was taken."""
    taken: list[str] = []
    take, waits = MemoryShare.take, asyncio.Event()

    async def watched(self: MemoryShare, size: int) -> None:
        taken.append("asks")
        if len(taken) > 2:
            waits.set()
        await take(self, size)
        taken.append("has")

    monkeypatch.setattr(MemoryShare, "take", watched)
    provider.script = answer([[1.0] * 1_024] * 400)
    first = adapter.stub.EmbedStream(adapter_pb2.EmbedStreamRequest(**asked(adapter, 400)), timeout=20)
    await first.read()
    second = asyncio.create_task(embedded(adapter, 400))
    await waits.wait()
    for _ in range(100):
        await asyncio.sleep(0)
    assert taken == ["asks", "has", "asks"]
    first.cancel()
    assert len(values(await second)) == 400
    assert taken == ["asks", "has", "asks", "has"]
