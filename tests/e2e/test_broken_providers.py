"""A provider that sends more than anybody needs: its own request ends in time, and nobody else waits for it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import grpc
import pytest

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.e2e.running import RunningMesh, running
from tests.e2e.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.proofs.http import Reply, call
from tests.proofs.stand import bearer, until

_DEFECT = 0.25
"""Seconds of the processor for which nothing that arrives may hold the event loop."""
_TOTAL = 6
_CONTENT = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
_TOKEN = '{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[]}'
_FLOODS = {
    "comments": ": still here\n\n" * 4_000,
    "empty events": "data: {}\n\n" * 4_000,
    "roles": 'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n' * 500,
}
_MANY: dict[str, Any] = {
    "whole": {"pieces": ['{"choices":[' + '{"index":0},' * 1_000_000 + "{}]}"], "type": "application/json"},
    "events of a whole answer": {
        "pieces": ['data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n' * 200_000],
        "type": "application/json",
    },
}


class Broken:
    """A mesh before a provider that does as it is told; each request has a model of its own, or the breaker would answer."""

    def __init__(self, mesh: RunningMesh, upstream: ScriptedUpstream) -> None:
        self.mesh = mesh
        self.upstream = upstream
        self._models = iter(range(100))

    def ask(self, script: dict[str, Any], *, stream: bool) -> Reply:
        """One request."""
        self.upstream.script = script
        body = {
            "model": f"broken-{next(self._models)}",
            "stream": stream,
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "hi"}],
        }
        headers = {"authorization": f"Bearer {self.mesh.project_key}", "content-type": "application/json"}
        return call(self.mesh.addresses["http"], "POST", "/v1/chat/completions", json.dumps(body).encode(), headers)

    def slowest(self) -> float:
        """The longest turn of the loop that is in the log."""
        lines = [json.loads(line) for line in self.mesh.log.read_text().splitlines() if "event loop was slow" in line]
        return max((float(line["thread_seconds"]) for line in lines), default=0.0)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    with scripted_upstream() as upstream:
        endpoint = {"base_url": f"http://127.0.0.1:{upstream.port}/v1", "local": True}
        env = {
            "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_BROKEN": json.dumps(endpoint),
            "LLM_MESH_ADAPTER_OPENAI_FIRST_TOKEN_TIMEOUT": "1",
            "LLM_MESH_ADAPTER_OPENAI_IDLE_TIMEOUT": "1",
            "LLM_MESH_ADAPTER_OPENAI_TOTAL_TIMEOUT": str(_TOTAL),
        }
        with running(tmp_path_factory.mktemp("broken"), env=env) as mesh, grpc.insecure_channel(mesh.grpc) as opened:
            channel: Any = opened  # the stubs' types know only channels of asyncio
            registry: Any = registry_pb2_grpc.RegistryServiceStub(channel)
            models = [_model(f"broken-{number}") for number in range(20)]
            registry.ApplyModels(registry_pb2.ApplyModelsRequest(parent="domains/platform", models=models), metadata=bearer(mesh.admin_key))
            until(lambda: b'"broken-19"' in _listed(mesh), "the router knows the models", pause=0.05)
            yield Broken(mesh, upstream)


_REASONS = ("PROVIDER_TIMEOUT", "PROVIDER_MALFORMED")
_ENDED = ((504, "provider_timeout"), (502, "provider_malformed"))
"""By its time or by its bytes: whichever is over first, which is a matter of the machine."""


@pytest.mark.parametrize("flood", _FLOODS)
def test_time_is_up_for_a_stream_that_never_pauses_and_says_nothing(broken: Broken, flood: str) -> None:
    answer = broken.ask({"pieces": repeat(_FLOODS[flood])}, stream=True)
    assert (answer.status, answer.code) in _ENDED


def test_so_it_is_for_one_that_goes_on_without_a_pause_and_says_nothing_more(broken: Broken) -> None:
    began = time.monotonic()
    answer = broken.ask({"pieces": chain([_CONTENT], repeat(_FLOODS["comments"]))}, stream=True)
    assert answer.status == 200
    assert any(reason in answer.events()[-1]["error"]["message"] for reason in _REASONS)
    assert time.monotonic() - began < _TOTAL - 1


def test_and_for_one_that_says_ever_more(broken: Broken) -> None:
    answer = broken.ask({"pieces": repeat(_CONTENT * 50)}, stream=True)
    assert answer.status == 200
    assert any(reason.encode() in answer.body[-2_000:] for reason in _REASONS)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", _MANY)
def test_an_answer_of_too_many_values_is_refused_and_holds_nobody_up(broken: Broken, kind: str, *, stream: bool) -> None:
    answer = broken.ask(_MANY[kind], stream=stream)
    assert (answer.status, answer.code) == (502, "provider_malformed")
    assert broken.slowest() < _DEFECT


def test_an_event_of_too_many_values_is_refused_and_holds_nobody_up(broken: Broken) -> None:
    choices = '{"index":0,"delta":{"content":"a"}},' * 90_000
    answer = broken.ask({"pieces": ['data: {"choices":[' + choices + "{}]}\n\n"]}, stream=True)
    assert (answer.status, answer.code) == (502, "provider_malformed")
    assert broken.slowest() < _DEFECT


def test_a_large_answer_is_whole_and_holds_nobody_up(broken: Broken) -> None:
    tokens = ",".join([_TOKEN] * 60_000)
    choice = '{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop","logprobs":{"content":[' + tokens + "]}}"
    whole = {
        "pieces": ['{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[' + choice + "]}"],
        "type": "application/json",
    }
    answer = broken.ask(whole, stream=False)
    assert answer.status == 200
    assert len(answer.json()["choices"][0]["logprobs"]["content"]) == 60_000
    assert broken.slowest() < _DEFECT


def _model(name: str) -> registry_pb2.Model:
    return registry_pb2.Model(
        name=f"domains/shared/models/{name}",
        alias=name,
        adapter="openai",
        endpoint="broken",
        upstream_model=name,
        capabilities=["generate", "streaming", "logprobs"],
        context_window=200_000,
        max_output_tokens=32_000,
        price=registry_pb2.Price(currency="USD", source="this test", input_nanos_per_million=10**9, output_nanos_per_million=10**9),
    )


def _listed(mesh: RunningMesh) -> bytes:
    return call(mesh.addresses["http"], "GET", "/v1/models", headers={"authorization": f"Bearer {mesh.project_key}"}).body
