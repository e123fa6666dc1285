"""Readiness, models, settings; and who goes away: the caller, the server, and the time."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh_adapter_oip.provider.endpoints import configured
from llm_mesh_adapter_oip.settings import Settings
from llm_mesh_adapter_oip.wiring import service
from llm_mesh_runtime.secret import Secret
from tests.adapter_kit.standing_adapter import ENDPOINT, StandingAdapter, at
from tests.adapter_oip.fake_server import EMBEDDER, OTHER, RERANKER, Script, serving
from tests.adapter_oip.oip_adapter import asked, failure_of, ranked, settings

WAIT = 10


async def checked(adapter: StandingAdapter) -> adapter_pb2.CheckEndpointResponse:
    return await adapter.stub.CheckEndpoint(adapter_pb2.CheckEndpointRequest(endpoint=ENDPOINT), timeout=20)


@pytest.mark.parametrize(("models", "called"), [([], ["ServerReady"]), ([EMBEDDER, RERANKER], ["ModelReady", "ModelReady"])])
async def test_a_check_asks_whether_the_server_or_its_models_are_ready(models: list[str], called: list[str]) -> None:
    async with asked(models=models) as (adapter, server):
        assert (await checked(adapter)).result == adapter_pb2.CHECK_RESULT_ADMITTED
        assert server.calls == called
        server.script.ready = False
        response = await checked(adapter)
    assert (response.result, response.reason) == (adapter_pb2.CHECK_RESULT_FAILED, "PROVIDER_ERROR")
    assert f"{RERANKER if models else 'the server'} is not ready" in response.message


async def test_models_of_a_repository_are_told_by_their_tensors() -> None:
    async with asked() as (adapter, server):
        found = await adapter.discover()
    assert list(found.models) == [EMBEDDER, RERANKER, OTHER]
    assert {each.model: list(each.capabilities) for each in found.descriptions} == {EMBEDDER: ["embeddings"], RERANKER: ["rerank"]}
    assert sorted(server.calls) == ["ModelMetadata"] * 3 + ["RepositoryIndex"]


async def test_models_that_the_setting_names_need_no_repository() -> None:
    async with asked(Script(has_index=False), models=[RERANKER, OTHER]) as (adapter, server):
        found = await adapter.discover()
    assert list(found.models) == [RERANKER, OTHER]
    assert {each.model: list(each.capabilities) for each in found.descriptions} == {RERANKER: ["rerank"]}
    assert server.calls == ["ModelMetadata", "ModelMetadata"]


async def test_a_server_without_a_repository_says_so_where_no_model_is_named() -> None:
    async with asked(Script(has_index=False)) as (adapter, _):
        assert (await failure_of(adapter.discover())).reason_name == "UNSUPPORTED"


async def test_a_model_that_is_named_and_not_there_is_not_found() -> None:
    async with asked(models=["absent"]) as (adapter, _):
        assert (await failure_of(adapter.discover())).reason_name == "PROVIDER_MODEL_NOT_FOUND"


@pytest.mark.parametrize("batch", [1, 64])
async def test_a_caller_that_leaves_cancels_the_call_at_the_server(batch: int) -> None:
    async with asked(Script(waits=True), embed={"batch": batch}) as (adapter, server):
        call = asyncio.ensure_future(adapter.embed(["one", "two"]))
        await asyncio.wait_for(server.waiting.wait(), WAIT)
        call.cancel()
        await asyncio.wait_for(server.cancelled.wait(), WAIT)
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_server_that_is_silent_for_too_long_is_cancelled() -> None:
    short = timedelta(milliseconds=200)
    async with serving(Script(waits=True)) as server, at(service, settings(server.port, total_timeout=short)) as adapter:
        assert (await failure_of(ranked(adapter, ["a"]))).reason_name == "PROVIDER_TIMEOUT"
        await asyncio.wait_for(server.cancelled.wait(), WAIT)


async def test_a_server_that_dies_resets_the_call_and_serves_once_it_is_back() -> None:
    async with serving(Script(waits=True)) as server:
        port = server.port
        async with at(service, settings(port)) as adapter:
            call = asyncio.ensure_future(adapter.embed(["one"]))
            await asyncio.wait_for(server.waiting.wait(), WAIT)
            await server.server.stop(None)
            assert (await failure_of(call)).reason_name == "PROVIDER_RESET"
            assert (await failure_of(adapter.embed(["one"]))).reason_name == "PROVIDER_UNREACHABLE"
            async with serving(port=port):
                assert len((await adapter.embed(["one"])).output.embeddings) == 1


async def test_a_credential_is_sent_and_never_shown() -> None:
    more = {"credential": "own", "headers": {"x-team": "claims"}}
    script = Script(fails=grpc.StatusCode.INVALID_ARGUMENT, details="the key s3cr3t-key is odd")
    async with serving(script) as server, at(service, settings(server.port, more, credentials={"own": Secret("s3cr3t-key")})) as adapter:
        error = await failure_of(adapter.embed(["one"]))
    assert (server.metadata["authorization"], server.metadata["x-team"]) == ("Bearer s3cr3t-key", "claims")
    assert server.metadata["x-llm-mesh-attempt"] == "a1"
    assert "s3cr3t" not in f"{error.message} {error.metadata}"


async def test_an_address_beyond_the_allowed_ranges_is_not_called() -> None:
    async with at(service, settings(9, {"local": False, "allow": ["10.0.0.0/8"]})) as adapter:
        assert (await failure_of(adapter.embed(["one"]))).reason_name == "ADDRESS_NOT_ALLOWED"


def test_an_endpoint_may_be_a_bare_address() -> None:
    (endpoint,) = configured(Settings(endpoints={"triton": "https://triton.example:8001"}))
    assert (endpoint.name, endpoint.provider) == ("triton", "Open Inference Protocol")


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"embed": {"shape": "n,n"}}, "embed.shape"),
        ({"embed": {"datatype": "INT8"}}, "embed.datatype"),
        ({"embed": {"batch": 0}}, "embed.batch"),
        ({"embed": {"inputs": "text"}}, "embed.inputs"),
        ({"embed": "text"}, "embed"),
        ({"rerank": {"query_shape": "1,n"}}, "rerank.query_shape"),
        ({"rerank": {"documents_shape": "1"}}, "rerank.documents_shape"),
        ({"rerank": {"query": "documents"}}, "rerank.documents"),
        ({"models": [1]}, "models"),
        ({"raw": "yes"}, "raw"),
        ({"http2": True}, "http2"),
        ({"credential": "absent"}, "credential"),
        ({"model": "one"}, "model"),
    ],
)
def test_a_wrong_setting_is_named_by_its_key(more: dict[str, Any], place: str) -> None:
    text = json.dumps({"base_url": "https://triton.example:8001", **more})
    with pytest.raises(ValueError, match=rf"endpoints\.triton: {place}: |{place}"):
        configured(Settings(endpoints={"triton": text}))
