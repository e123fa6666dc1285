"""What another mesh that lies, or repeats what it must not, does to this one: nothing that reaches further than its own answer."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_mesh.other_mesh import KEY, OtherMesh, linked, receipt
from tests.adapter_mesh.test_mesh_failures import breaker_after, error

FORMS = (KEY, quote(KEY, safe=""), "".join(f"\\u{ord(each):04x}" for each in KEY), base64.b64encode(KEY.encode()).decode())
ITEMS = embed_pb2.EmbedInput(items=[embed_pb2.EmbedItem(text="a"), embed_pb2.EmbedItem(text="b")])
MANY = 3000


@dataclass
class Stranger(OtherMesh):
    """Says what it is told to say."""

    output: generate_pb2.GenerateOutput = field(default_factory=generate_pb2.GenerateOutput)
    events: list[generate_pb2.StreamEvent] = field(default_factory=list)
    end: list[generate_pb2.StreamEvent] = field(default_factory=lambda: [generate_pb2.StreamEvent(finished=generate_pb2.Finished())])
    first: embed_pb2.EmbedOutput = field(default_factory=embed_pb2.EmbedOutput)
    sent: int = 0

    async def Generate(self, request: Any, context: Any) -> gateway_pb2.GenerateResponse:
        return gateway_pb2.GenerateResponse(output=self.output, receipt=receipt())

    async def GenerateStream(self, request: Any, context: Any) -> AsyncIterator[gateway_pb2.GenerateStreamResponse]:
        yield gateway_pb2.GenerateStreamResponse(events=self.events)
        yield gateway_pb2.GenerateStreamResponse(events=self.end, receipt=receipt())

    async def EmbedStream(self, request: Any, context: Any) -> AsyncIterator[gateway_pb2.EmbedStreamResponse]:
        yield gateway_pb2.EmbedStreamResponse(output=self.first, receipt=receipt())
        for index, values in enumerate(self.vectors):
            self.sent = index
            yield gateway_pb2.EmbedStreamResponse(embeddings=[embed_pb2.Embedding(index=index, values=values)])


def answer(text: str, **usage: Any) -> generate_pb2.GenerateOutput:
    part = content_pb2.Part(tool_call=content_pb2.ToolCall(id=text, name=text, arguments_json=text))
    message = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[part])
    return generate_pb2.GenerateOutput(id=text, choices=[generate_pb2.Choice(message=message)], usage=generate_pb2.Usage(**usage))


async def whole(stranger: Stranger) -> adapter_pb2.GenerateResponse:
    async with linked(stranger) as made:
        response: adapter_pb2.GenerateResponse = await made.stub.Generate(made.granted("Generate"), timeout=20)
        return response


async def streamed(rpc: str, stranger: Stranger, **more: Any) -> list[Any]:
    async with linked(stranger) as made:
        return [message async for message in getattr(made.stub, rpc)(made.granted(rpc, **more), timeout=20)]


@pytest.mark.parametrize("form", FORMS)
async def test_our_key_comes_back_in_no_failure(form: str) -> None:
    wrong = error("mesh", "INVALID_FIELD", field=f"input.{form}")
    wrong.message = f"{'x' * 500} {form} is the key"
    wrong.metadata |= {"reservation": form, "charged_nanos": "1", "charged_currency": "EUR"}
    async with linked(OtherMesh(failure=wrong)) as made:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await made.stub.Generate(made.granted("Generate"), timeout=20)
    failure = from_rpc_error(raised.value)
    assert form[:10] not in f"{failure} {failure.field} {failure.metadata}"


@pytest.mark.parametrize("form", FORMS)
async def test_our_key_comes_back_in_no_answer(form: str) -> None:
    response = await whole(Stranger(output=answer(form)))
    assert form.encode() not in response.SerializeToString()
    assert response.output.choices[0].message.parts[0].tool_call.arguments_json == "***"
    delta = generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text=f"the key {form} "))
    messages = await streamed("GenerateStream", Stranger(events=[delta]))
    assert messages[0].events[0].text.text == "the key *** "


async def test_our_key_comes_back_beside_no_vectors() -> None:
    first = embed_pb2.EmbedOutput(model=KEY)
    messages = await streamed("EmbedStream", Stranger(first=first), input=ITEMS)
    assert messages[0].output.model == "***"


async def test_fields_that_no_contract_here_has_go_no_further() -> None:
    unknown = bytes.fromhex("9a3f") + bytes([len(KEY)]) + KEY.encode()
    output = answer("hello")
    output.MergeFromString(unknown)
    assert KEY.encode() in output.SerializeToString()
    assert KEY.encode() not in (await whole(Stranger(output=output))).SerializeToString()


async def test_counts_below_zero_are_none() -> None:
    response = await whole(Stranger(output=answer("hello", input_tokens=5, output_tokens=7, cached_input_tokens=-9)))
    assert response.report.usage.cached_input_tokens == response.output.usage.cached_input_tokens == 0
    usage = generate_pb2.Usage(input_tokens=-5, iterations=[generate_pb2.ModelUsage(usage=generate_pb2.Usage(output_tokens=-1))])
    messages = await streamed("GenerateStream", Stranger(events=[generate_pb2.StreamEvent(usage=usage)]))
    assert messages[0].events[0].usage.input_tokens == 0
    assert messages[0].events[0].usage.iterations[0].usage.output_tokens == 0
    assert messages[-1].final.usage.input_tokens >= 0


async def test_vectors_beyond_the_items_are_refused_as_they_come() -> None:
    stranger = Stranger(vectors=[[1.0]] * MANY)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await streamed("EmbedStream", stranger, input=ITEMS)
    assert from_rpc_error(raised.value).reason_name == "PROVIDER_MALFORMED"
    assert stranger.sent < MANY - 1


async def test_vectors_in_the_place_of_words_are_left_out() -> None:
    first = embed_pb2.EmbedOutput(embeddings=[embed_pb2.Embedding(values=[9.0] * 1000)])
    messages = await streamed("EmbedStream", Stranger(first=first), input=ITEMS)
    assert not any(message.output.embeddings for message in messages)
    assert sum(len(message.embeddings) for message in messages) == len(ITEMS.items)


async def test_many_events_at_once_come_in_messages_of_bounded_size() -> None:
    delta = generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text="x"))
    messages = await streamed("GenerateStream", Stranger(events=[delta] * MANY))
    assert sum(len(message.events) for message in messages) == MANY + 1
    assert max(len(message.events) for message in messages) < MANY


async def reason_of(rpc: str, stranger: Stranger) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await (whole(stranger) if rpc == "Generate" else streamed(rpc, stranger))
    return from_rpc_error(raised.value).reason_name


async def test_what_is_no_whole_answer_is_none() -> None:
    delta = generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text="x"))
    finished = generate_pb2.StreamEvent(finished=generate_pb2.Finished())
    assert await reason_of("Generate", Stranger()) == "PROVIDER_MALFORMED"
    assert await reason_of("GenerateStream", Stranger(events=[delta], end=[])) == "PROVIDER_RESET"
    assert await reason_of("GenerateStream", Stranger(events=[delta, finished], end=[delta, finished])) == "PROVIDER_MALFORMED"


async def test_deadlines_of_single_requests_open_no_breaker_for_everybody() -> None:
    assert await breaker_after(OtherMesh(failure=error("mesh", "DEADLINE_EXCEEDED")), 12) == adapter_pb2.BREAKER_STATE_CLOSED


@pytest.mark.parametrize("rpc", ["Generate", "GenerateStream"])
async def test_another_mesh_that_says_more_than_was_granted_is_read_no_further(rpc: str) -> None:
    """Here 256 bytes for each of the granted tokens, and 64 KiB."""
    texts = [generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text="x" * 1_000)) for _ in range(MANY)]
    stranger = Stranger(events=texts, output=answer("x" * 1_000_000))
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await (whole(stranger) if rpc == "Generate" else streamed(rpc, stranger))
    failure = from_rpc_error(failed.value, peer="adapter")
    assert (failure.reason_name, failure.metadata["beyond"]) == ("PROVIDER_MALFORMED", "content")
    assert failure.metadata["output_tokens"] == "256"


async def test_another_mesh_that_says_nothing_at_length_is_read_no_further() -> None:
    nothing = [generate_pb2.StreamEvent(started=generate_pb2.Started(id="x" * 1_000_000)) for _ in range(16)]
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await streamed("GenerateStream", Stranger(events=nothing))
    assert from_rpc_error(failed.value, peer="adapter").metadata["beyond"] == "wire"


async def test_the_answer_of_another_mesh_to_a_method_is_bounded() -> None:
    class Talker(OtherMesh):
        async def Rerank(self, request: Any, context: Any) -> gateway_pb2.RerankResponse:
            return gateway_pb2.RerankResponse(output={"id": "x" * 200_000}, receipt=receipt())

    with pytest.raises(grpc.aio.AioRpcError) as failed:
        async with linked(Talker()) as made:
            await made.stub.Rerank(made.granted("Rerank"), timeout=20)
    assert from_rpc_error(failed.value, peer="adapter").metadata["beyond"] == "content"
