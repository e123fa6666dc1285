"""Endpoints are checked by what their provider says to a call that costs nothing; breakers are told, each with its process and model."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from google.protobuf.duration_pb2 import Duration

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.adapter.v1.adapter_pb2 import (
    CHECK_RESULT_ADMITTED,
    CHECK_RESULT_ANSWERED,
    CHECK_RESULT_FAILED,
    CHECK_RESULT_REFUSED,
)
from llm_mesh_adapter_openai.settings import Settings
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.http.openai.failures import shape
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.testing import host
from tests.adapter_kit.scripted_provider import Visit, provider
from tests.adapter_openai.conftest import Client, Upstream, settings_for
from tests.adapter_openai.test_openai_adapter_failures import failure_of

KEY = "sk-a-secret-of-the-check"
MODELS = b'{"object":"list","data":[{"id":"m"}]}'


def answer(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body


@contextlib.asynccontextmanager
async def checked(said: bytes, *, silent: bool = False) -> AsyncIterator[tuple[Client, list[bytes]]]:
    """An adapter whose one endpoint, which wants a credential, says this."""
    never = asyncio.Event()

    async def handler(visit: Visit) -> None:
        server.requests.append(await visit.request())
        if silent:
            await never.wait()
        await visit.say(said)

    async with provider(handler) as (server, port):
        row = f'{{"base_url": "http://127.0.0.1:{port}/v1", "local": true}}'
        settings = Settings(endpoints={"openai": row}, openai_key=Secret(KEY))
        async with host(service, settings={"adapter/openai": settings}) as mesh:
            yield Client(mesh), server.requests
            never.set()


async def check(client: Client, endpoint: str = "openai", **fields: object) -> adapter_pb2.CheckEndpointResponse:
    request = adapter_pb2.CheckEndpointRequest(endpoint=endpoint, **fields)  # type: ignore[arg-type]  # what a test gives
    return await client.stub.CheckEndpoint(request, timeout=20)


@pytest.mark.parametrize(
    ("status", "body", "result", "reason"),
    [
        (200, MODELS, CHECK_RESULT_ADMITTED, ""),
        (401, b'{"error":{"message":"Incorrect API key provided: %s"}}' % KEY.encode(), CHECK_RESULT_REFUSED, "PROVIDER_UNAUTHENTICATED"),
        (403, b'{"error":{"message":"Missing scopes"}}', CHECK_RESULT_REFUSED, "PROVIDER_UNAUTHENTICATED"),
        (404, b'{"error":{"message":"no such path"}}', CHECK_RESULT_ANSWERED, ""),
        (405, b"", CHECK_RESULT_ANSWERED, ""),
        (429, b'{"error":{"message":"slow down"}}', CHECK_RESULT_ANSWERED, ""),
        (500, b"", CHECK_RESULT_FAILED, "PROVIDER_ERROR"),
        (302, b"", CHECK_RESULT_FAILED, "PROVIDER_MALFORMED"),
    ],
)
async def test_what_a_provider_answers_is_what_the_check_tells(status: int, body: bytes, result: int, reason: str) -> None:
    async with checked(answer(status, body)) as (client, requests):
        found = await check(client)
        assert (found.result, found.reason, found.status) == (result, reason, status)
        assert bool(found.message) == (result != CHECK_RESULT_ADMITTED)
        assert KEY not in found.message
        assert found.duration.ToMicroseconds() > 0
        assert requests[0].startswith(b"GET /v1/models ")
        assert f"authorization: Bearer {KEY}".encode() in requests[0]


async def test_a_provider_that_says_nothing_is_waited_for_no_longer_than_was_asked() -> None:
    async with checked(b"", silent=True) as (client, _):
        found = await check(client, timeout=Duration(nanos=50_000_000))
        assert (found.result, found.reason, found.status) == (CHECK_RESULT_FAILED, "PROVIDER_TIMEOUT", 0)
        assert not found.HasField("duration")


async def test_a_provider_that_refuses_connections_is_told_as_failed() -> None:
    row = '{"base_url": "http://127.0.0.1:1/v1", "local": true}'
    settings = Settings(endpoints={"openai": row}, openai_key=Secret(KEY))
    async with host(service, settings={"adapter/openai": settings}) as mesh:
        assert (await check(Client(mesh))).reason == "PROVIDER_UNREACHABLE"


async def test_the_edge_of_a_mesh_is_not_taken_for_a_local_server_without_a_key() -> None:
    body = orjson.dumps(shape(Failure(401, "missing_credential", "the request has no credential"), Headers([])))

    async def handler(visit: Visit) -> None:
        await visit.request()
        await visit.say(answer(401, body))

    async with provider(handler) as (_, port):
        settings = Settings(endpoints={"llamacpp": f"http://127.0.0.1:{port}/v1"})
        async with host(service, settings={"adapter/openai": settings}) as mesh:
            found = await check(Client(mesh), "llamacpp")
            assert (found.result, found.reason) == (CHECK_RESULT_FAILED, "PROVIDER_UNREACHABLE")  # `doctor` says: local, and not running
            assert "an LLM Mesh listens at" in found.message
            request = adapter_pb2.DiscoverModelsRequest(endpoint="llamacpp")
            assert (await failure_of(Client(mesh).stub.DiscoverModels(request, timeout=20))).reason_name == "PROVIDER_UNREACHABLE"


@pytest.mark.parametrize("seconds", [0, -1, 31])
async def test_a_patience_out_of_bounds_is_refused(near: Client, seconds: int) -> None:
    error = await failure_of(check(near, "simulator", timeout=Duration(seconds=seconds)))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "timeout")


async def test_what_is_no_endpoint_or_has_no_credential_is_an_error(near: Client) -> None:
    assert (await failure_of(check(near, "nowhere"))).reason_name == "UNKNOWN_ENDPOINT"
    assert (await failure_of(check(near, "openai"))).reason_name == "NO_CREDENTIAL"


async def test_a_check_passes_by_an_open_breaker_and_leaves_it_open(near: Client) -> None:
    for _ in range(5):
        await failure_of(near.generate("sim-500"))
    assert (await check(near, "simulator")).result == CHECK_RESULT_ADMITTED
    assert (await failure_of(near.generate("sim-500"))).reason_name == "BREAKER_OPEN"


async def test_open_breakers_are_told_with_the_model_that_fails(near: Client) -> None:
    for _ in range(5):
        await failure_of(near.generate("sim-500"))
    await near.generate("sim-echo")
    answer = await near.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(page_size=1000))
    found = {(each.name, breaker.model, breaker.state) for each in answer.endpoints for breaker in each.breakers}
    assert found == {("simulator", "sim-500", adapter_pb2.BREAKER_STATE_OPEN)}


async def test_breakers_of_other_processes_are_told_and_processes_that_say_nothing_are_named(upstream: Upstream, tmp_path: Path) -> None:
    """Two processes of one mesh: each learns by itself; the one that is asked answers for both."""
    settings = {"adapter/openai": settings_for(upstream.url)}
    folder = str(tmp_path / "run")
    async with host(service, settings=settings, process="worker-1", sockets=folder) as worker:
        for _ in range(5):
            await failure_of(Client(worker).generate("sim-500"))
        links = {name: f"mux+unix:{folder}/{name.replace('/', '-')}.sock" for name in ("process/worker-1", "process/worker-2")}
        async with host(service, settings=settings, process="main", sockets=str(tmp_path / "main"), links=links) as main:
            answer = await Client(main).stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(page_size=1000))
    found = {(breaker.process, breaker.model) for each in answer.endpoints for breaker in each.breakers}
    assert found == {("worker-1", "sim-500")}
    assert list(answer.silent_processes) == ["worker-2"]
