"""A provider that answers far beyond what was granted is read no further: the attempt fails, typed, and is charged what was granted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import assess_pb2, content_pb2, generate_image_pb2, moderate_pb2, rerank_pb2, sound_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.answer_bounds import MOST_ANSWER, ON_WIRE, PER_TOKEN, SLACK, USUAL_DIMENSIONS, of_method
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_kit.scripted_provider import Visit, chunked, provider, sized
from tests.adapter_kit.standing_adapter import EVENTS, JSON, LINES, StandingAdapter, at, standing

GRANTED = 256
"""Output tokens of the grants of `StandingAdapter`."""
CONTENT = GRANTED * PER_TOKEN + SLACK
PIECE = 16 * 1024
FLOOD = 1_000
"""Pieces of a flood, which has more than any bound here."""


def openai(endpoint: str) -> Any:
    from llm_mesh_adapter_openai.settings import Settings  # noqa: PLC0415 - one adapter at a time

    return Settings(endpoints={"main": endpoint})


def ollama(endpoint: str) -> Any:
    from llm_mesh_adapter_ollama.settings import Settings  # noqa: PLC0415 - one adapter at a time

    return Settings(endpoints={"main": endpoint})


def event(text: str) -> bytes:
    return b"data: %s\n\n" % json.dumps({"id": "a", "choices": [{"index": 0, "delta": {"content": text}}]}).encode()


def line(text: str) -> bytes:
    return json.dumps({"model": "m", "message": {"role": "assistant", "content": text}, "done": False}).encode() + b"\n"


WIRES = [
    pytest.param("openai", openai, EVENTS, event, b": nothing\n\n", id="events"),
    pytest.param("ollama", ollama, LINES, line, b"\n", id="lines"),
]


def service_of(name: str) -> Any:
    if name == "openai":
        from llm_mesh_adapter_openai.wiring import service  # noqa: PLC0415 - one adapter at a time
    else:
        from llm_mesh_adapter_ollama.wiring import service  # noqa: PLC0415 - one adapter at a time
    return service


@asynccontextmanager
async def flooded(
    name: str, settings: Callable[[str], Any], media: bytes, piece: bytes
) -> AsyncIterator[tuple[StandingAdapter, list[int]]]:
    """An adapter whose provider sends the piece again and again, until nobody reads; and how often it did."""
    sent: list[int] = []

    async def handle(visit: Visit) -> None:
        await visit.request()
        await visit.say(b"HTTP/1.1 200 OK\r\n" + media + b"\r\ntransfer-encoding: chunked\r\n\r\n")
        for number in range(FLOOD):
            await visit.say(b"%x\r\n%s\r\n" % (len(piece), piece))
            sent.append(number)

    async with provider(handle) as (made, port):
        endpoint = json.dumps({"base_url": f"http://127.0.0.1:{port}", "local": True})
        async with at(service_of(name), settings(endpoint), made) as adapter:
            yield adapter, sent


def beyond(error: grpc.aio.AioRpcError, what: str) -> None:
    failure = from_rpc_error(error, peer="adapter")
    assert failure.reason_name == "PROVIDER_MALFORMED"
    assert failure.metadata["beyond"] == what
    assert failure.metadata["sent"] == "true"
    assert failure.metadata["output_tokens"] == str(GRANTED)
    assert failure.metadata["input_tokens"] == "10000"


@pytest.mark.parametrize(("name", "settings", "media", "said", "nothing"), WIRES)
async def test_a_stream_of_more_content_than_was_granted_ends(
    name: str, settings: Callable[[str], Any], media: bytes, said: Callable[[str], bytes], nothing: bytes
) -> None:
    async with flooded(name, settings, media, said("x" * PIECE)) as (adapter, sent):
        released: list[int] = []

        async def hear() -> None:
            async for message in adapter.begin():
                released.extend(len(each.text.text) for each in message.events)

        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await hear()
        beyond(failed.value, "content")
    assert CONTENT // 2 < sum(released) <= CONTENT
    assert len(sent) < FLOOD


@pytest.mark.parametrize(("name", "settings", "media", "said", "nothing"), WIRES)
@pytest.mark.parametrize("streamed", [True, False])
async def test_an_answer_that_says_nothing_for_ever_ends(
    name: str, settings: Callable[[str], Any], media: bytes, said: Callable[[str], bytes], nothing: bytes, *, streamed: bool
) -> None:
    async with flooded(name, settings, media if streamed else JSON, nothing * (PIECE // len(nothing))) as (adapter, sent):
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await (adapter.stream() if streamed else adapter.generate())
        beyond(failed.value, "wire")
    assert PIECE * len(sent) < 2 * ON_WIRE * CONTENT


def whole_answer(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    body = {"id": "a", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return sized(json.dumps(body | {"usage": {"prompt_tokens": 5, "completion_tokens": 7}}).encode(), JSON)


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_whole_answer_of_more_content_than_was_granted_is_none(*, streamed: bool) -> None:
    """Whether it was asked for so, or as a stream."""
    async with standing(service_of("openai"), openai, [whole_answer("x" * (CONTENT + 1))], [whole_answer("x" * CONTENT)]) as adapter:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await (adapter.stream() if streamed else adapter.generate())
        assert from_rpc_error(failed.value, peer="adapter").metadata["beyond"] == "content"
        if streamed:
            events, _ = await adapter.stream()
            assert sum(len(each.text.text) for each in events) == CONTENT
        else:
            assert len((await adapter.generate()).output.choices[0].message.parts[0].text.text) == CONTENT


async def test_a_stream_that_was_not_asked_for_is_bounded_like_a_whole_answer() -> None:
    pieces = [event("x" * PIECE) for _ in range(CONTENT // PIECE + 1)]
    end = b'data: {"id": "a", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    answer = chunked([*pieces, end], EVENTS)
    async with standing(service_of("openai"), openai, [answer]) as adapter:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await adapter.generate()
        beyond(failed.value, "content")


def vectors_answer(numbers: int, *, spaces: int = 0) -> bytes:
    data = [{"object": "embedding", "index": 0, "embedding": [0.5] * numbers}]
    return sized(json.dumps({"data": data, "model": "m", "usage": {"prompt_tokens": 5}}).encode() + b" " * spaces, JSON)


async def test_a_vector_longer_than_any_model_has_is_none() -> None:
    most = USUAL_DIMENSIONS + SLACK // 4
    async with standing(service_of("openai"), openai, [vectors_answer(most + 1)], [vectors_answer(most)]) as adapter:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await adapter.embed(["a"])
        assert from_rpc_error(failed.value, peer="adapter").metadata["beyond"] == "content"
        assert len((await adapter.embed(["a"])).output.embeddings[0].values) == most


async def test_vectors_of_endless_text_end() -> None:
    async with flooded("openai", openai, JSON, b" " * PIECE) as (adapter, sent):
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await adapter.embed(["a"])
        assert from_rpc_error(failed.value, peer="adapter").metadata["beyond"] == "wire"
    assert len(sent) < FLOOD


async def test_the_answer_to_a_method_is_bounded_by_what_it_is_about() -> None:
    item = moderate_pb2.ModerateItem(parts=[content_pb2.Part(text=content_pb2.Text(text="one"))])
    categories = {f"category-{number}-{'x' * 100}": True for number in range(1_000)}
    answer = {"id": "a", "model": "m", "results": [{"flagged": True, "categories": categories, "category_scores": {}}]}
    async with standing(service_of("openai"), openai, [sized(json.dumps(answer).encode(), JSON)]) as adapter:
        request = adapter_pb2.ModerateRequest(**adapter.granted("m"), input=moderate_pb2.ModerateInput(items=[item]))
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await adapter.stub.Moderate(request, timeout=20)
        failure = from_rpc_error(failed.value, peer="adapter")
        assert failure.metadata["beyond"] == "content"
        assert failure.metadata["output_tokens"] == "0"


UNITS = plan_pb2.Attempt(units=plan_pb2.UnitBounds(audio_output_milliseconds=10_000, audio_input_milliseconds=10_000))
INPUTS = {
    "Rerank": rerank_pb2.RerankInput(documents=[rerank_pb2.RerankDocument(text="x" * 1_000)] * 3),
    "Moderate": moderate_pb2.ModerateInput(items=[moderate_pb2.ModerateItem()] * 3),
    "Assess": assess_pb2.AssessInput(questions=[assess_pb2.AssessQuestion(name="a")] * 3),
    "GenerateImage": generate_image_pb2.GenerateImageInput(count=1),
    "Speak": sound_pb2.SpeakInput(text="x" * 100),
    "Transcribe": sound_pb2.TranscribeInput(sound=content_pb2.Media(data=b"x" * 80_000)),
}
HONEST = {
    "Rerank": 3 * 1_100,
    "Moderate": 3 * 4_000,
    "Assess": 3 * 1_000,
    "GenerateImage": 2048 * 2048 * 3,
    "Speak": 10_000 * 192,
    "Transcribe": 300,
}
"""Bytes that a generous answer to each has."""


def test_every_method_with_a_grant_and_one_output_has_a_bound() -> None:
    fields = {
        name.removesuffix("Request"): message.fields_by_name
        for name, message in adapter_pb2.DESCRIPTOR.message_types_by_name.items()
        if name.endswith("Request") and "grant" in message.fields_by_name
    }
    assert set(fields) - {"Generate", "GenerateStream", "Embed", "EmbedStream"} == set(INPUTS)


@pytest.mark.parametrize("rpc", INPUTS)
def test_bounds_are_above_honest_answers_and_below_all_memory(rpc: str) -> None:
    for attempt in (UNITS, plan_pb2.Attempt()):
        bounds = of_method(rpc, attempt, INPUTS[rpc])
        assert HONEST[rpc] < bounds.content < 1_000 * max(HONEST[rpc], SLACK)
        assert HONEST[rpc] * 4 // 3 < bounds.wire <= MOST_ANSWER
