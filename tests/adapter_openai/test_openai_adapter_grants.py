"""An adapter sends nothing that was not granted, and no credential elsewhere than to its origin."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_runtime.errors import PeerError
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.testing import host
from tests.adapter_openai.conftest import Client, Upstream, say, settings_for


async def refused(
    client: Client, grant: resources_pb2.Sealed | None, attempt: Any, given: generate_pb2.GenerateInput | None = None
) -> PeerError:
    request = adapter_pb2.GenerateRequest(grant=grant, attempt=attempt, input=given or say("hello"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.stub.Generate(request, timeout=5)
    return from_rpc_error(caught.value)


async def test_without_a_valid_seal_nothing_is_sent(near: Client, upstream: Upstream) -> None:
    attempt = near.attempt("sim-echo")
    forged = near.grant(attempt)
    forged.seals[0].mac = bytes(32)
    unsealed = near.grant(attempt)
    del unsealed.seals[:]
    altered = near.grant(attempt)
    altered.payload += b"\x00"
    for grant in (None, forged, unsealed, altered, near.grant(attempt, audience="adapter/anthropic"), near.grant(attempt, seconds=-1)):
        error = await refused(near, grant, attempt)
        assert error.reason_name == "INVALID_SEAL"
    assert upstream.lines("received") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"attempt_id": "b"}, "attempt.id"),
        ({"adapter": "anthropic"}, "attempt.adapter"),
        ({"endpoint": "openai"}, "attempt.endpoint"),
        ({"upstream_model": "sim-words"}, "attempt.upstream_model"),
        ({"credential": "other"}, "attempt.credential"),
        ({"region": "eu"}, "attempt.region"),
        ({"max_output_tokens": 999}, "attempt.max_output_tokens"),
        ({"max_candidates": 0}, "input.candidate_count"),
    ],
)
async def test_a_call_that_differs_from_its_grant_is_refused(near: Client, upstream: Upstream, change: dict[str, Any], field: str) -> None:
    attempt = near.attempt("sim-echo")
    error = await refused(near, near.grant(attempt, **change), attempt)
    assert (error.reason_name, error.metadata["field"], error.metadata["sent"]) == ("GRANT_MISMATCH", field, "false")
    assert upstream.lines("received") == []


async def test_more_answers_than_granted_are_refused(near: Client) -> None:
    attempt = near.attempt("sim-echo")
    error = await refused(near, near.grant(attempt), attempt, say("hello", candidate_count=5))
    assert error.metadata["field"] == "input.candidate_count"


async def test_the_tightest_limit_is_sent_and_extras_cannot_raise_it(near: Client, upstream: Upstream) -> None:
    extras = [content_pb2.Extra(dialect="openai", key=key, json=b"100000") for key in ("max_tokens", "n", "best_of", "min_p")]
    attempt = near.attempt("sim-words/tokens:500")
    attempt.max_output_tokens = 7
    request = adapter_pb2.GenerateRequest(
        grant=near.grant(attempt), attempt=attempt, input=say("hello", max_output_tokens=50, extras=extras)
    )
    answer = await near.stub.Generate(request)
    assert answer.report.usage.output_tokens == 7
    assert len(answer.output.choices) == 1
    assert [each.field for each in answer.output.translations] == [f"extras[openai.{key}]" for key in ("max_tokens", "n", "best_of")]


async def test_exactness_refuses_what_would_be_lost(near: Client, upstream: Upstream) -> None:
    given = say("hello", sampling=generate_pb2.Sampling(top_k=5))
    attempt = near.attempt("sim-echo")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await near.stub.Generate(adapter_pb2.GenerateRequest(grant=near.grant(attempt), attempt=attempt, input=given, exact=True))
    error = from_rpc_error(caught.value)
    assert (error.reason_name, error.metadata["field"]) == ("FIDELITY_LOST", "sampling.top_k")
    answer = await near.generate("sim-echo", given)
    assert [(each.field, each.action) for each in answer.output.translations] == [
        ("sampling.top_k", generate_pb2.TRANSLATION_ACTION_DROPPED)
    ]
    assert len(upstream.lines("received")) == 1


async def test_an_endpoint_that_nobody_configured_is_refused(near: Client) -> None:
    attempt = near.attempt("sim-echo", endpoint="nowhere")
    assert (await refused(near, near.grant(attempt), attempt)).reason_name == "UNKNOWN_ENDPOINT"


async def test_without_a_credential_a_provider_is_not_asked(near: Client) -> None:
    attempt = near.attempt("gpt-4.1", endpoint="openai")
    assert (await refused(near, near.grant(attempt), attempt)).reason_name == "NO_CREDENTIAL"


async def test_a_local_name_for_a_public_endpoint_is_not_connected_to(upstream: Upstream) -> None:
    """And the reverse: an endpoint that is declared local leads to loopback only."""
    settings = settings_for(
        upstream.url,
        credentials={"k": Secret("k")},
        endpoints={
            "rebound": f'{{"base_url": "https://localhost:{upstream.port}/v1", "credential": "k"}}',
            "literal": f'{{"base_url": "https://127.0.0.1:{upstream.port}/v1", "credential": "k"}}',
            "decimal": f'{{"base_url": "https://2130706433:{upstream.port}/v1", "credential": "k"}}',
            "outside": '{"base_url": "http://192.0.2.1/v1", "local": true}',
        },
    )
    async with host(service, settings={"adapter/openai": settings}) as mesh:
        client = Client(mesh)
        for endpoint in ("rebound", "literal", "decimal", "outside"):
            attempt = client.attempt("sim-echo", endpoint=endpoint)
            error = await refused(client, client.grant(attempt), attempt)
            assert (endpoint, error.reason_name) == (endpoint, "ADDRESS_NOT_ALLOWED")
    assert upstream.lines("received") == []


async def test_a_credential_is_used_by_its_domains_only(upstream: Upstream) -> None:
    row = f'{{"base_url": "{upstream.url}", "local": true, "credential": "k", "domains": ["domains/others"]}}'
    settings = settings_for(upstream.url, credentials={"k": Secret("k")}, endpoints={"theirs": row})
    async with host(service, settings={"adapter/openai": settings}) as mesh:
        client = Client(mesh)
        attempt = client.attempt("sim-echo", endpoint="theirs")
        assert (await refused(client, client.grant(attempt), attempt)).reason_name == "NO_CREDENTIAL"
