"""What real servers and clients send that differs from the documents: each case keeps what is good beside what is odd.

A case is a file of `cases/`: the client's request, the provider's bytes, and checks, which are expressions over `status`, `body` (the
client's JSON), `s` (a stream, put together), `u` (what the provider was sent) and `headers` (of the answer).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.e2e.assembled_stream import AssembledStream, json_or_text
from tests.e2e.running import RunningMesh, running
from tests.e2e.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.proofs.http import call
from tests.proofs.stand import bearer, until

CASES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((Path(__file__).parent / "cases").glob("*.json"))}
CAPABILITIES = [
    "generate", "streaming", "tools", "parallel_tool_calls", "json_schema", "json_object", "image_input", "file_input", "audio_input",
    "reasoning", "logprobs", "multiple_candidates",
]  # fmt: skip
ANSWERS: Mapping[str, Any] = {
    "openai": {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
    },
    "anthropic": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 1},
    },
}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
PRICE: Mapping[str, Any] = {
    "input_nanos_per_million": 10**9,
    "output_nanos_per_million": 2 * 10**9,
    "cached_input_nanos_per_million": 10**8,
    "cache_write_nanos_per_million": 1_250_000_000,
}


@dataclass(frozen=True)
class CaseStand:
    """A mesh with one model per case, and the provider behind all of them."""

    mesh: RunningMesh
    upstream: ScriptedUpstream


@pytest.fixture(scope="module")
def case_stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaseStand]:
    """One mesh for all cases; a model for each, so that the breaker of one does not concern another."""
    with scripted_upstream() as upstream, running(tmp_path_factory.mktemp("cases"), env=_environment(upstream.port)) as mesh:
        with grpc.insecure_channel(mesh.grpc) as opened:
            channel: Any = opened  # the stubs' types know only channels of asyncio
            registry: Any = registry_pb2_grpc.RegistryServiceStub(channel)
            models = [_model(case, number) for number, case in enumerate(CASES.values())]
            request = registry_pb2.ApplyModelsRequest(parent="domains/platform", models=models)
            registry.ApplyModels(request, metadata=bearer(mesh.admin_key))
        until(lambda: {model.alias for model in models} <= _aliases(mesh), "the router knows the models", pause=0.05)
        yield CaseStand(mesh, upstream)


@pytest.mark.parametrize("name", CASES)
def test_a_case_of_a_real_server_or_client(case_stand: CaseStand, name: str) -> None:
    case = CASES[name]
    case_stand.upstream.script = case.get("upstream") or {"json": ANSWERS[case["endpoint"]]}
    case_stand.upstream.received.clear()
    body = json.dumps({"model": f"case-{name}", **case["request"]}).encode()
    headers = {
        "authorization": f"Bearer {case_stand.mesh.project_key}",
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
    }
    reply = call(case_stand.mesh.addresses["http"], "POST", PATHS[case["edge"]], body, headers)
    text = reply.body.decode()
    is_stream = "text/event-stream" in reply.headers.get("content-type", "")
    received = case_stand.upstream.received
    scope = {
        "status": reply.status,
        "body": {} if is_stream else json_or_text(text),
        "s": AssembledStream(text if is_stream else ""),
        "u": received[0] if received else None,
        "headers": reply.headers,
        "json": json,
    }
    for check in case["checks"]:
        held = eval(check, dict(scope))  # noqa: S307 (an expression of this repository)
        assert held, f"{check}\n{case['expected']}\nsent: {json.dumps(scope['u'])[:1500]}\nanswered {reply.status}: {text[:1500]}"


def _environment(port: int) -> dict[str, str]:
    base, env = f"http://127.0.0.1:{port}", {f"LLM_MESH_ADAPTER_{name}_CREDENTIAL_CASE": "sk-case" for name in ("OPENAI", "ANTHROPIC")}
    for case in CASES.values():
        value: dict[str, Any] = {"base_url": f"{base}/v1" if case["endpoint"] == "openai" else base, "local": True, "credential": "case"}
        if case["endpoint"] == "anthropic":
            value["auth"] = "x-api-key"
        if "like" in case:
            value["like"] = case["like"]
        env[f"LLM_MESH_ADAPTER_{case['endpoint'].upper()}_ENDPOINT_{_endpoint(case).upper()}"] = json.dumps(value)
    return env


def _endpoint(case: Mapping[str, Any]) -> str:
    return f"case{case['endpoint']}{case.get('like', '')}"


def _model(case: Mapping[str, Any], number: int) -> registry_pb2.Model:
    return registry_pb2.Model(
        name=f"domains/shared/models/case-{case['name']}",
        alias=f"case-{case['name']}",
        adapter=case["endpoint"],
        endpoint=_endpoint(case),
        upstream_model=f"{case['upstream_model']}-{number}",
        capabilities=case.get("capabilities", CAPABILITIES),
        context_window=200_000,
        max_output_tokens=32_000,
        image_tokens=2_000,
        price=registry_pb2.Price(currency="USD", source="these cases", **PRICE),
    )


def _aliases(mesh: RunningMesh) -> set[str]:
    answer = call(mesh.addresses["http"], "GET", "/v1/models", headers={"authorization": f"Bearer {mesh.project_key}"})
    return {model["id"] for model in json.loads(answer.body)["data"]}
