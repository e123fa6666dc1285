"""Everything that a provider can do wrong, as the gateway sees it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_runtime.errors import PeerError
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.testing import host
from tests.adapter_openai.conftest import Client, Upstream, settings_for

BEFORE = [
    ("sim-400", "PROVIDER_REJECTED", "400"),
    ("sim-context-length", "CONTEXT_EXCEEDED", "400"),
    ("sim-401", "PROVIDER_UNAUTHENTICATED", "401"),
    ("sim-403", "PROVIDER_MODEL_NOT_FOUND", "403"),
    ("sim-404", "PROVIDER_MODEL_NOT_FOUND", "404"),
    ("sim-429", "PROVIDER_RATE_LIMITED", "429"),
    ("sim-quota", "PROVIDER_RATE_LIMITED", "429"),
    ("sim-500", "PROVIDER_ERROR", "500"),
    ("sim-503", "PROVIDER_ERROR", "503"),
    ("sim-529", "PROVIDER_ERROR", "529"),
    ("sim-html", "PROVIDER_ERROR", "502"),
    ("sim-unheard-of", "PROVIDER_MODEL_NOT_FOUND", "404"),
    ("sim-reset", "PROVIDER_RESET", ""),
    ("sim-hangup", "PROVIDER_RESET", ""),
    ("sim-not-http", "PROVIDER_RESET", ""),
    ("sim-malformed", "PROVIDER_MALFORMED", ""),
]


async def failure_of(call: Any) -> PeerError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return from_rpc_error(caught.value)


@pytest.mark.parametrize("way", ["whole", "streamed"])
@pytest.mark.parametrize(("model", "reason", "status"), BEFORE)
async def test_a_failing_provider_is_a_documented_reason(near: Client, model: str, reason: str, status: str, way: str) -> None:
    error = await failure_of(near.generate(model) if way == "whole" else near.stream(model))
    assert (error.domain, error.reason_name) == ("adapter.llm-mesh", reason)
    assert error.metadata.get("provider_status", "") == status
    assert error.metadata["sent"] == "true"


async def test_a_rate_limit_says_how_long_to_wait(near: Client) -> None:
    error = await failure_of(near.generate("sim-429"))
    assert error.retry_after == 1.0
    assert error.metadata["provider_code"] == "rate_limit_exceeded"


@pytest.mark.parametrize("way", ["whole", "streamed"])
@pytest.mark.parametrize(("model", "limits", "phase"), [
    ("sim-stall", {"first_token": 0.1}, "first_token"),
    ("sim-stall", {"total": 0.1}, "total"),
    ("sim-ok-stall", {"first_token": 0.1}, "first_token"),
])  # fmt: skip
async def test_a_stalled_provider_times_out_in_its_phase(near: Client, model: str, limits: dict[str, float], phase: str, way: str) -> None:
    error = await failure_of(near.generate(model, limits=limits) if way == "whole" else near.stream(model, limits=limits))
    assert (error.reason_name, error.metadata["phase"], error.metadata["sent"]) == ("PROVIDER_TIMEOUT", phase, "true")


async def test_a_stream_that_stalls_in_the_middle_is_idle(near: Client) -> None:
    error = await failure_of(near.stream("sim-mid-stall", limits={"idle": 0.1}))
    assert (error.reason_name, error.metadata["phase"]) == ("PROVIDER_TIMEOUT", "idle")


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("sim-mid-reset", "PROVIDER_RESET"),
        ("sim-mid-hangup", "PROVIDER_RESET"),
        ("sim-mid-error", "PROVIDER_ERROR"),
        ("sim-truncate", "PROVIDER_RESET"),
    ],
)
async def test_content_that_came_before_a_failure_is_released_once(near: Client, model: str, reason: str) -> None:
    call = near.stub.GenerateStream(adapter_pb2.GenerateStreamRequest(**near.request(model)), timeout=10)
    received: list[str] = []
    error = await failure_of(drain(call, received))
    assert error.reason_name == reason
    assert len(received) == 3
    assert int(error.metadata["output_tokens"]) >= 3


async def drain(call: Any, received: list[str]) -> None:
    async for message in call:
        received += [event.text.text for event in message.events if event.WhichOneof("kind") == "text"]


async def test_a_refused_connection_was_not_sent(near: Client) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}/v1"
        async with host(service, settings={"adapter/openai": settings_for(url)}) as mesh:
            error = await failure_of(Client(mesh).generate("sim-echo"))
    assert (error.reason_name, error.metadata["sent"]) == ("PROVIDER_UNREACHABLE", "false")


@pytest.mark.parametrize(
    "model", ["sim-no-done", "sim-crlf", "sim-comments", "sim-unknown-fields", "sim-huge", "sim-split-utf8", "sim-drip"]
)
async def test_odd_but_whole_streams_arrive_whole(near: Client, model: str) -> None:
    messages = await near.stream(model)
    assert messages[-1].HasField("final")
    assert messages[-1].events[-1].WhichOneof("kind") == "finished"


@pytest.mark.parametrize("model", ["sim-no-usage", "sim-zero-usage"])
async def test_usage_that_a_provider_does_not_report_is_counted(near: Client, model: str) -> None:
    whole = (await near.generate(model)).report
    streamed = (await near.stream(model))[-1].final
    for report in (whole, streamed):
        assert report.source == usage_pb2.USAGE_SOURCE_COUNTED
        assert 0 < report.usage.output_tokens <= 1000
        assert 0 < report.usage.input_tokens <= 1000


@pytest.mark.parametrize("model", ["sim-no-usage", "sim-zero-usage", "sim-words"])
async def test_a_caller_gets_usage_once_whether_the_provider_reports_it_or_not(near: Client, model: str) -> None:
    whole = await near.generate(model)
    assert whole.output.HasField("usage")
    counted = [each.field for each in whole.output.translations if each.field == "usage"]
    assert bool(counted) == (model != "sim-words"), "who is charged by a count is told the count"
    assert [event.WhichOneof("kind") for message in await near.stream(model) for event in message.events][-2:] == ["usage", "finished"]


async def test_a_cancelled_stream_closes_the_providers_connection_at_once(client: Client, upstream: Upstream) -> None:
    model = "sim-words/tokens:10000/rate:100"
    call = client.stub.GenerateStream(adapter_pb2.GenerateStreamRequest(**client.request(model)), timeout=30)
    await call.read()
    await call.read()
    begun = asyncio.get_running_loop().time()
    call.cancel()
    (line,) = await upstream.wait_for("served")
    assert asyncio.get_running_loop().time() - begun < 2.5
    assert line["outcome"] in {"client_gone", "cancelled"}


async def test_a_cancelled_call_that_waits_for_its_answer_closes_the_connection(client: Client, upstream: Upstream) -> None:
    call = client.stub.Generate(adapter_pb2.GenerateRequest(**client.request("sim-stall")), timeout=30)
    waiting = asyncio.ensure_future(_outcome(call))
    await upstream.wait_for("received")
    begun = asyncio.get_running_loop().time()
    call.cancel()
    await upstream.wait_for("served")
    assert asyncio.get_running_loop().time() - begun < 2.5
    await waiting


async def _outcome(call: Any) -> None:
    with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
        await call


async def test_a_breaker_opens_after_failures_and_other_models_pass(near: Client) -> None:
    for _ in range(5):
        assert (await failure_of(near.generate("sim-500"))).reason_name == "PROVIDER_ERROR"
    error = await failure_of(near.generate("sim-500"))
    assert (error.reason_name, error.metadata["sent"]) == ("BREAKER_OPEN", "false")
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 1
    await near.generate("sim-echo")


async def test_a_full_bulkhead_refuses_at_once(upstream: Upstream) -> None:
    settings = settings_for(upstream.url, max_in_flight=1)
    async with host(service, settings={"adapter/openai": settings}) as mesh:
        client = Client(mesh)
        first = asyncio.ensure_future(client.generate("sim-echo/ttft_ms:300"))
        await upstream.wait_for("received")
        error = await failure_of(client.generate("sim-echo/ttft_ms:300"))
        assert (error.reason_name, error.metadata["sent"]) == ("BULKHEAD_FULL", "false")
        await first
        await client.generate("sim-echo/ttft_ms:300")
