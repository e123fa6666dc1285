"""An adapter over a library makes attempts as every other one does: whole, streamed, vectors, reranking, failures, cancellation."""

from __future__ import annotations

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2, rerank_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_kit.standing_adapter import StandingAdapter
from tests.adapter_longtail.conftest import KEY, made_up, over

FAILURES = {
    "limited": "PROVIDER_RATE_LIMITED",
    "leaks": "PROVIDER_ERROR",
    "ends": "PROVIDER_RESET",
    "reaches-another-port": "ADDRESS_NOT_ALLOWED",
}


async def test_a_whole_answer_and_a_stream_are_read_and_metered(adapter: StandingAdapter) -> None:
    whole = await adapter.generate()
    assert whole.report.source == usage_pb2.USAGE_SOURCE_PROVIDER
    assert (whole.report.usage.input_tokens, whole.report.usage.output_tokens) == (5, 2)
    events, report = await adapter.stream()
    assert "".join(event.text.text for event in events) == "xxx"
    assert report.source == usage_pb2.USAGE_SOURCE_COUNTED


async def test_the_library_gets_listed_arguments_and_the_rest_is_reported(adapter: StandingAdapter) -> None:
    extras = [
        content_pb2.Extra(dialect="openai", key="metadata", json=b'{"api_base": "http://evil.example"}'),
        content_pb2.Extra(dialect="openai", key="min_p", json=b"0.1"),
    ]
    answer = await adapter.generate(extras=extras)
    told = answer.output.choices[0].message.parts[0].text.text
    assert "'arguments': ['max_tokens', 'messages'" in told
    assert "metadata" not in told
    assert "http://127.0.0.1:9" in told
    assert {"extras[metadata]", "extras[min_p]"} <= {each.field for each in answer.output.translations}


async def test_vectors_and_rankings(adapter: StandingAdapter) -> None:
    vectors = await adapter.embed(["a", "bcd"])
    assert [list(each.values) for each in vectors.output.embeddings] == [[1.0, 0.5], [3.0, 0.5]]
    documents = [rerank_pb2.RerankDocument(text=text) for text in ("x", "y")]
    request = adapter_pb2.RerankRequest(**adapter.granted("rank"), input=rerank_pb2.RerankInput(query="q", documents=documents))
    ranked = await adapter.stub.Rerank(request, timeout=20)
    assert [each.index for each in ranked.output.results] == [0, 1]
    assert ranked.report.usage.search_units == 1


async def test_models_are_listed_where_the_library_can_ask(adapter: StandingAdapter) -> None:
    assert list((await adapter.discover()).models) == ["one", "two"]
    async with over(made_up(), "http://127.0.0.1:9", library="silent") as silent:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await silent.discover()
    assert from_rpc_error(failure.value).reason_name == "UNSUPPORTED"


@pytest.mark.parametrize("model", FAILURES)
async def test_what_the_library_raises_is_a_typed_failure_without_our_credential(adapter: StandingAdapter, model: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.generate(model)
    assert from_rpc_error(failure.value).reason_name == FAILURES[model]
    assert KEY not in str(failure.value)


async def test_when_to_come_again_is_told(adapter: StandingAdapter) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.stream("refuses")
    assert from_rpc_error(failure.value).retry_after == 7


@pytest.mark.parametrize(("model", "reason"), [("fails-midway", "CONTEXT_EXCEEDED"), ("dies", "PROVIDER_RESET")])
async def test_a_stream_that_breaks_says_what_came_before(adapter: StandingAdapter, model: str, reason: str) -> None:
    events: list[generate_pb2.StreamEvent] = []

    async def read() -> None:
        async for message in adapter.begin(model):
            events.extend(message.events)

    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await read()
    assert from_rpc_error(failure.value).reason_name == reason
    assert "".join(event.text.text for event in events) == "x"
    assert KEY not in str(failure.value)


async def test_after_a_death_the_next_call_is_served_by_a_new_process(adapter: StandingAdapter) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        await adapter.generate("ends")
    assert (await adapter.generate()).output.choices


async def test_nothing_of_our_environment_reaches_the_library(adapter: StandingAdapter) -> None:
    answer = await adapter.generate("shows-its-environment")
    shown = answer.output.choices[0].message.parts[0].text.text
    assert "sk-not-for-the-library" not in shown
    assert "PYTHONPATH" in shown


async def test_zero_retention_and_counts_are_not_pretended(adapter: StandingAdapter) -> None:
    request = adapter_pb2.CountTokensRequest(attempt=adapter.granted("m")["attempt"])
    request.input.messages.append(content_pb2.Message(role=content_pb2.ROLE_USER))
    counted = await adapter.stub.CountTokens(request, timeout=20)
    assert counted.count.input_tokens == 10_000
