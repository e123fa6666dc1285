"""Reranking: what is sent is what Cohere's own library sends, and searches are what is billed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, rerank_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_cohere.settings import Settings
from llm_mesh_adapter_cohere.wiring import service
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_simulator.provider.app import Simulator
from llm_mesh_simulator.store.journal import Journal
from tests.adapter_kit.scripted_provider import sized
from tests.adapter_kit.standing_adapter import JSON, StandingAdapter, at, standing
from tests.sdk_requests.recordings import recorded

DOCUMENTS = ("white", "green")
ANSWER = {
    "id": "k1",
    "results": [{"index": 1, "relevance_score": 0.25}, {"index": 0, "relevance_score": 0.75}],
    "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
}


def settings(endpoint: str) -> Settings:
    return Settings(endpoints={"main": endpoint})


def asking(query: str = "snow", documents: tuple[str, ...] = DOCUMENTS, **more: Any) -> rerank_pb2.RerankInput:
    return rerank_pb2.RerankInput(query=query, documents=[rerank_pb2.RerankDocument(text=each) for each in documents], **more)


async def ranked(adapter: StandingAdapter, given: rerank_pb2.RerankInput, model: str = "rerank-v4.0") -> adapter_pb2.RerankResponse:
    request = adapter_pb2.RerankRequest(**adapter.granted(model), input=given)
    return await adapter.stub.Rerank(request, timeout=20)


async def test_a_ranking_is_asked_for_as_the_library_asks_and_answered_best_first() -> None:
    async with standing(service, settings, [sized(json.dumps(ANSWER).encode(), JSON)]) as adapter:
        response = await ranked(adapter, asking(top_n=1, max_tokens_per_document=512))
        sent = recorded("cohere")["rerank"]
        assert (adapter.paths, adapter.body) == ([sent["path"]], sent["body"])
    assert [(each.index, each.score) for each in response.output.results] == [(0, 0.75)]
    assert (response.report.source, response.report.usage.search_units) == (usage_pb2.USAGE_SOURCE_PROVIDER, 1)
    assert (response.output.id, response.output.model) == ("k1", "rerank-v4.0")


async def test_a_ranking_without_figures_is_charged_what_the_plan_bounds() -> None:
    silent = {key: value for key, value in ANSWER.items() if key != "meta"}
    async with standing(service, settings, [sized(json.dumps(silent).encode(), JSON)]) as adapter:
        report = (await ranked(adapter, asking())).report
    assert report.source == usage_pb2.USAGE_SOURCE_COUNTED


async def test_what_the_dialect_does_not_have_is_reported_and_extras_pass_by_their_rules() -> None:
    extras = [content_pb2.Extra(dialect="cohere", key=key, json=b"1") for key in ("priority", "rank_fields")]
    async with standing(service, settings, [sized(json.dumps(ANSWER).encode(), JSON)]) as adapter:
        response = await ranked(adapter, asking(end_user="u", extras=extras))
        assert adapter.body["priority"] == 1
        assert "rank_fields" not in adapter.body
    assert {each.field for each in response.output.translations} == {"end_user", "extras[cohere.rank_fields]"}


@pytest.mark.parametrize(
    "results",
    [
        [{"index": 2, "relevance_score": 1}],
        [{"index": 0}],
        [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 1}],
        [1],
        {"index": 0},
    ],
)
async def test_a_ranking_that_is_none_is_malformed(results: object) -> None:
    async with standing(service, settings, [sized(json.dumps({"results": results}).encode(), JSON)]) as adapter:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await ranked(adapter, asking())
    assert from_rpc_error(failure.value).reason_name == "PROVIDER_MALFORMED"


@pytest.fixture
async def simulated() -> AsyncIterator[StandingAdapter]:
    journal = Journal(None)
    journal.open()
    listener = HttpListener("127.0.0.1:0", Simulator(journal))
    await listener.start()
    endpoint = json.dumps({"base_url": f"http://{listener.address}/cohere", "local": True})
    async with at(service, settings(endpoint)) as adapter:
        yield adapter
    await listener.stop(1)
    journal.close()


async def test_the_simulator_ranks_by_shared_words_and_bills_a_search_for_each_hundred_documents(simulated: StandingAdapter) -> None:
    documents = ("grass is green", "snow is white", *("filler",) * 99)
    response = await ranked(simulated, asking("white snow", documents, top_n=2), "ranker")
    assert response.output.results[0].index == 1
    assert (len(response.output.results), response.report.usage.search_units) == (2, 2)


async def test_a_failing_provider_has_its_reason(simulated: StandingAdapter) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await ranked(simulated, asking(), "sim-429")
    assert from_rpc_error(failure.value).reason_name == "PROVIDER_RATE_LIMITED"
