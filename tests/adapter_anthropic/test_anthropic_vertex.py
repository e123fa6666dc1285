"""Claude at Vertex AI: requests as the official client sends them, whole answers and streams with a token of a service account's kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_anthropic.provider.dialect import MessagesDialect
from llm_mesh_adapter_anthropic.provider.overrides import configured
from llm_mesh_adapter_anthropic.settings import Settings
from llm_mesh_adapter_anthropic.wiring import service
from llm_mesh_adapter_kit.dialect import Ask
from llm_mesh_adapter_kit.google_accounts import Issuers
from llm_mesh_adapter_kit.tokens import TokenSigner
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.testing import host
from tests.adapter_anthropic.conftest import Adapted, attempt, saying
from tests.adapter_kit.scripted_provider import answering, provider, sized

MODEL = "claude-sonnet-4-6@20260217"
VERSION = "vertex-2023-10-16"
ANSWER = {"id": "m", "type": "message", "role": "assistant", "model": MODEL, "content": [{"type": "text", "text": "Hi"}],
          "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}}  # fmt: skip
TURN: Any = [{"role": "user", "content": "Hello"}]


def endpoint_at(location: str, **more: Any) -> Any:
    settings = Settings(project="p", location=location, **more)
    return configured(settings, Issuers(SystemClock())).of("vertex-anthropic")


def official(location: str) -> tuple[anthropic.AnthropicVertex, list[httpx2.Request]]:
    seen: list[httpx2.Request] = []

    def record(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        if "count-tokens" in request.url.path:
            return httpx2.Response(200, json={"input_tokens": 3})
        if "streamRawPredict" in request.url.path:
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=b"")
        return httpx2.Response(200, json=ANSWER)

    client = httpx2.Client(transport=httpx2.MockTransport(record))
    return anthropic.AnthropicVertex(region=location, project_id="p", access_token="t", http_client=client), seen


@pytest.mark.parametrize("location", ["global", "eu", "europe-west4"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_request_is_the_official_clients(location: str, *, stream: bool) -> None:
    client, seen = official(location)
    client.messages.create(model=MODEL, max_tokens=64, messages=TURN, stream=stream, extra_body={"anthropic_version": VERSION})
    endpoint = endpoint_at(location)
    ours = MessagesDialect().generate(Ask(endpoint, MODEL, 64, stream), saying("Hello"))
    assert httpx2.URL(endpoint.url(ours.path)) == seen[0].url
    theirs = json.loads(seen[0].content)
    if not stream:
        theirs.pop("stream", None)
    assert json.loads(ours.body) == theirs
    assert json.loads(ours.body)["anthropic_version"] == VERSION


def test_a_count_is_the_official_clients() -> None:
    client, seen = official("global")
    client.messages.count_tokens(model=MODEL, messages=TURN, extra_body={"anthropic_version": VERSION})
    endpoint = endpoint_at("global")
    ours = MessagesDialect().count(Ask(endpoint, MODEL), saying("Hello"))
    assert httpx2.URL(endpoint.url(ours.path)) == seen[0].url
    assert json.loads(ours.body) == json.loads(seen[0].content)


def test_features_in_trial_stay_in_their_header() -> None:
    request = saying("Hello")
    request.extras.add(dialect="anthropic", key="anthropic_beta", json=b'["output-128k-2025-02-19"]')
    call = MessagesDialect().generate(Ask(endpoint_at("global"), MODEL, 64), request)
    assert call.headers == {"anthropic-beta": "output-128k-2025-02-19"}


def test_a_region_is_told_to_policy() -> None:
    assert [endpoint_at(location).region for location in ("global", "eu", "europe-west4", "us-east5")] == ["", "eu", "eu", "us"]


async def test_an_answer_comes_with_a_token_of_the_credentials_file(tmp_path: Path) -> None:
    token = sized(b'{"access_token":"ya29.token","expires_in":3599}', b"content-type: application/json")
    whole = sized(json.dumps(ANSWER).encode(), b"content-type: application/json")
    async with provider(answering(token)) as (_, issuer), provider(answering(whole)) as (_, port):
        info = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
        file = written(tmp_path / "adc.json", {**info, "token_uri": f"http://127.0.0.1:{issuer}/token"})
        base = f"http://127.0.0.1:{port}/v1/projects/p/locations/eu/publishers/anthropic"
        endpoint = json.dumps({"base_url": base, "local": True, "credentials_file": file})
        made = Settings(endpoints={"vertex-anthropic": endpoint})
        assert isinstance(configured(made, Issuers(SystemClock())).of("vertex-anthropic").signer, TokenSigner)
        async with host(service, settings={"adapter/anthropic": made}) as mesh:
            adapter = Adapted(mesh, "")
            response = await adapter.generate(saying("Hello"), attempt(MODEL, endpoint="vertex-anthropic"))
    assert response.output.choices[0].message.parts[0].text.text == "Hi"
    assert response.output.choices[0].finish_reason == generate_pb2.FINISH_REASON_STOP


def written(file: Path, info: dict[str, Any]) -> str:
    file.write_text(json.dumps(info))
    return str(file)
