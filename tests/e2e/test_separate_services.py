"""What only separate services have: who proves to be whom, who may call whom, and a database that goes away and comes back."""

from __future__ import annotations

import asyncio
import http.client
import json
from pathlib import Path
from typing import Any

import grpc
import pytest
from openai import OpenAI

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh.policy.v1 import policy_pb2, policy_pb2_grpc
from llm_mesh.services import SERVICES
from llm_mesh_runtime.access.tokens import HEADER, ServiceTokens
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.contract.certificates import authority
from tests.e2e.separate import PORTS, STATEFUL, SeparateMesh


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    """The status and the reason of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), from_rpc_error(caught.value).reason_name


def generate(channel: grpc.aio.Channel) -> Any:
    return adapter_pb2_grpc.AdapterServiceStub(channel).Generate(adapter_pb2.GenerateRequest(), timeout=10)


async def test_a_service_may_only_call_those_that_the_table_lets_it_call(services: SeparateMesh) -> None:
    for caller in ("catalogue", "edge", "registry"):
        channel = services.channel("adapter/openai", caller=caller)
        assert await refusal(generate(channel)) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED"), caller
        await channel.close()


async def test_the_gateway_gets_as_far_as_the_grant(services: SeparateMesh) -> None:
    channel = services.channel("adapter/openai", caller="gateway")
    _, reason = await refusal(generate(channel))
    assert reason not in {"CALLER_NOT_ALLOWED", "MESH_ONLY"}
    await channel.close()


async def test_no_key_opens_what_is_for_services_only(services: SeparateMesh) -> None:
    for key in (services.admin_key, services.project_key):
        channel = services.channel("policy", key=key, caller="console" if services.authority else "")
        stub = policy_pb2_grpc.PolicyServiceStub(channel)
        assert await refusal(stub.Admit(policy_pb2.AdmitRequest(), timeout=10)) == (grpc.StatusCode.PERMISSION_DENIED, "MESH_ONLY")
        await channel.close()


async def test_the_public_listener_does_not_have_them_at_all(services: SeparateMesh) -> None:
    channel = services.channel("policy", key=services.admin_key, public=True)
    code, _ = await refusal(policy_pb2_grpc.PolicyServiceStub(channel).Admit(policy_pb2.AdmitRequest(), timeout=10))
    assert code is grpc.StatusCode.UNIMPLEMENTED
    await channel.close()


async def test_a_token_is_good_for_one_callee_and_only_with_the_mesh_s_secret(with_tokens: SeparateMesh) -> None:
    tokens = ServiceTokens(with_tokens.secret.encode())
    forged = ServiceTokens(b"another secret, of at least 32 bytes")
    for token in (tokens.token("gateway", "policy"), forged.token("gateway", "adapter/openai"), "v1.gateway.adapter/openai.1.00"):
        channel = with_tokens.channel("adapter/openai")
        call = adapter_pb2_grpc.AdapterServiceStub(channel).Generate(adapter_pb2.GenerateRequest(), timeout=10, metadata=((HEADER, token),))
        assert await refusal(call) == (grpc.StatusCode.PERMISSION_DENIED, "MESH_ONLY")
        await channel.close()


async def test_without_a_certificate_of_the_mesh_s_authority_nobody_reaches_a_service(
    with_mutual_tls: SeparateMesh, tmp_path: Path
) -> None:
    nobody = with_mutual_tls.channel("policy")
    code, _ = await refusal(policy_pb2_grpc.PolicyServiceStub(nobody).Authorize(policy_pb2.AuthorizeRequest(), timeout=10))
    assert code is grpc.StatusCode.UNAVAILABLE
    await nobody.close()
    stranger = dict(authority(tmp_path)("gateway")) | {"tls_ca": with_mutual_tls.authority}
    copied = SeparateMesh(**{**vars_of(with_mutual_tls), "certificates": {"gateway": stranger}})
    channel = copied.channel("policy", caller="gateway")
    code, _ = await refusal(policy_pb2_grpc.PolicyServiceStub(channel).Authorize(policy_pb2.AuthorizeRequest(), timeout=10))
    assert code is grpc.StatusCode.UNAVAILABLE
    await channel.close()


def vars_of(mesh: SeparateMesh) -> dict[str, Any]:
    return {name: getattr(mesh, name) for name in mesh.__dataclass_fields__}


def test_services_keep_nothing_on_their_own_disk(services: SeparateMesh) -> None:
    """So that their containers' file systems may be read-only."""
    by_the_command_line = {"admin.key", "project.key"}
    kept = {path.name for path in services.data_dir.iterdir()}
    assert kept <= by_the_command_line | {"simulator.log.jsonl"}  # which compose keeps in memory


def test_services_with_batched_links_use_them(with_batched_links: SeparateMesh) -> None:
    with OpenAI(base_url=with_batched_links.base_url, api_key=with_batched_links.project_key, max_retries=0, timeout=30) as client:
        client.chat.completions.create(model="sim-echo", messages=[{"role": "user", "content": "here"}])
    connection = http.client.HTTPConnection(with_batched_links.addresses["http"], timeout=10)
    connection.request("GET", "/metrics")
    metrics = connection.getresponse().read().decode()
    connection.close()
    assert 'llm_mesh_link_addresses{llm_mesh_peer="gateway",llm_mesh_service="edge",state="ready"} 1.0' in metrics
    for service in PORTS:
        assert "does not speak the batched link" not in with_batched_links.log_of(service), service


async def test_a_database_that_goes_away_takes_its_services_out_and_brings_them_back(services: SeparateMesh) -> None:
    def ask() -> str | None:
        with OpenAI(base_url=services.base_url, api_key=services.project_key, max_retries=0, timeout=30) as client:
            answer = client.chat.completions.create(model="sim-echo", messages=[{"role": "user", "content": "here"}])
            return answer.choices[0].message.content

    assert await asyncio.to_thread(ask) == "here"
    await asyncio.to_thread(services.server.stop)
    try:
        await asyncio.gather(*(services.until(name, serving=False) for name in STATEFUL))
        assert await services.serving("gateway"), "a peer that is down must not take the gateway out"
    finally:
        await asyncio.to_thread(services.server.start)
    await asyncio.gather(*(services.until(name, serving=True) for name in STATEFUL))
    assert await asyncio.to_thread(ask) == "here"


async def test_a_service_that_is_told_to_stop_drains_and_its_successor_takes_over(services: SeparateMesh) -> None:
    router = services.processes["router"]
    router.terminate()
    assert await asyncio.to_thread(router.wait, 30) == 0
    services.start("router", "llm_mesh_cli", "serve", "router")
    await services.until("router", serving=True)

    def ask() -> None:
        with OpenAI(base_url=services.base_url, api_key=services.project_key, max_retries=4, timeout=30) as client:
            client.chat.completions.create(model="sim-echo", messages=[{"role": "user", "content": "here"}])

    await asyncio.to_thread(ask)


def test_health_asks_every_service_under_mutual_tls(with_mutual_tls: SeparateMesh) -> None:
    """Their public listeners show certificates and ask for none: the authority is all that the command line needs."""
    done = with_mutual_tls.cli("health", "--json")
    states = json.loads(done.stdout)
    assert (done.returncode, set(states.values())) == (0, {True}), done.stderr
    services = {name.split(".")[1] if name.startswith("llm_mesh.") else name for name in states}
    assert services >= {each.name for each in SERVICES if each.in_mesh}
