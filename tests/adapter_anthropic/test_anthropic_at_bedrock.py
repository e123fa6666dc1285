"""Claude at Bedrock: requests are those of Anthropic's own client for it, and streams in frames mean what streams of events mean."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import grpc
import httpx2
import pytest
from anthropic import AnthropicBedrock

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_kit.either_framing import EitherParser
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.secret import Secret
from tests.adapter_anthropic.conftest import Adapted, adapted, attempt, saying
from tests.adapter_kit.aws_frames import MEDIA_TYPE, event, failure
from tests.adapter_kit.scripted_provider import Visit, chunked, provider, sized

MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
JSON = b"content-type: application/json"
MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [{"type": "text", "text": "Grüße"}],
    "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 2},
}  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Grüße"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3}},
]
FRAMES = [event("chunk", {"bytes": b64encode(json.dumps(each).encode()).decode(), "p": "abc"}) for each in EVENTS]


@asynccontextmanager
async def invoking(*pieces: bytes, key: str = "ABSK-of-ours") -> AsyncIterator[tuple[Adapted, list[bytes]]]:
    """The adapter, at whose Bedrock each request is answered by these pieces of bytes."""
    requests: list[bytes] = []

    async def handle(visit: Visit) -> None:
        while request := await visit.request():
            requests.append(request)
            await visit.say(*pieces)

    async with provider(handle) as (_, port):
        endpoint = {"base_url": f"http://127.0.0.1:{port}", "local": True, "bedrock": True, "credential": "team"}
        async with adapted(endpoints={"claude": json.dumps(endpoint)}, credentials={"team": Secret(key)}) as adapter:
            yield adapter, requests


def sent(request: bytes) -> tuple[str, dict[str, str], Any]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first.split(" ")[1], {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, json.loads(body)


def official(**arguments: Any) -> tuple[str, Any]:
    """Path and body that Anthropic's client for Bedrock sends."""
    requests: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(200, json=MESSAGE)

    with AnthropicBedrock(
        api_key="k", aws_region="eu-central-1", http_client=httpx2.Client(transport=httpx2.MockTransport(answer))
    ) as client:
        client.messages.create(**arguments)
    return requests[0].url.raw_path.decode(), json.loads(requests[0].content)


async def test_a_request_is_the_official_clients() -> None:
    async with invoking(sized(json.dumps(MESSAGE).encode(), JSON)) as (adapter, requests):
        response = await adapter.generate(saying("Hi"), attempt(MODEL, endpoint="claude"))
    path, headers, body = sent(requests[0])
    official_path, official_body = official(model=MODEL, max_tokens=256, messages=[{"role": "user", "content": "Hi"}])
    assert unquote(path) == unquote(official_path), "boto3 encodes the colon, Anthropic's client does not"
    assert body.pop("anthropic_version") == "bedrock-2023-05-31", "as Amazon documents it; Anthropic's client says its own version"
    assert body == {key: value for key, value in official_body.items() if key != "anthropic_version"}
    assert headers["authorization"] == "Bearer ABSK-of-ours"
    assert response.output.choices[0].message.parts[0].text.text == "Grüße"
    assert response.report.usage.output_tokens == 2


@pytest.mark.parametrize("size", [1, 17, 4096])
async def test_a_stream_in_frames_means_what_its_events_mean(size: int) -> None:
    wire = chunked(FRAMES, MEDIA_TYPE)
    head, _, rest = wire.partition(b"\r\n\r\n")
    async with invoking(head + b"\r\n\r\n", *(rest[at : at + size] for at in range(0, len(rest), size))) as (adapter, requests):
        events, report = await adapter.stream(saying("Hi"), attempt(MODEL, endpoint="claude"))
    path, _, body = sent(requests[0])
    assert path.endswith("/invoke-with-response-stream")
    assert "stream" not in body
    assert "".join(each.text.text for each in events) == "Grüße"
    assert [each.WhichOneof("kind") for each in events] == ["started", "text", "choice_finished", "usage", "finished"]
    assert (report.usage.input_tokens, report.usage.output_tokens) == (3, 2)


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ([*FRAMES[:3], failure("throttlingException", {"message": "slow"})], "PROVIDER_RATE_LIMITED"),
        ([*FRAMES[:3], failure("validationException", {"message": "Input is too long"})], "CONTEXT_EXCEEDED"),
        ([*FRAMES[:3], failure("modelStreamErrorException", {"message": "oops"})], "PROVIDER_ERROR"),
        ([*FRAMES[:3], event("chunk", {"bytes": "%"})], "PROVIDER_MALFORMED"),
        ([*FRAMES[:3], FRAMES[3][:-1] + b"\x00"], "PROVIDER_MALFORMED"),
        (FRAMES[:4], "PROVIDER_RESET"),
    ],
)
async def test_what_breaks_a_stream_off_has_a_reason(wire: list[bytes], reason: str) -> None:
    seen: list[generate_pb2.StreamEvent] = []
    async with invoking(chunked(wire, MEDIA_TYPE)) as (adapter, _):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await adapter.stream(saying("Hi"), attempt(MODEL, endpoint="claude"), seen)
    assert from_rpc_error(caught.value).reason_name == reason
    assert "".join(each.text.text for each in seen) == "Grüße"


async def test_a_count_holds_the_body_that_it_is_about() -> None:
    async with invoking(sized(b'{"inputTokens": 7}', JSON)) as (adapter, requests):
        request = adapter_pb2.CountTokensRequest(attempt=attempt(MODEL, endpoint="claude"), input=saying("Hi"))
        count = (await adapter.stub.CountTokens(request, timeout=5)).count
    path, _, body = sent(requests[0])
    inner = json.loads(b64decode(body["input"]["invokeModel"]["body"]))
    assert path.endswith("/count-tokens")
    assert inner == {"max_tokens": 1, "anthropic_version": "bedrock-2023-05-31", "messages": [{"role": "user", "content": "Hi"}]}
    assert (count.source, count.input_tokens) == (embed_pb2.COUNT_SOURCE_PROVIDER, 7)


async def test_the_usual_endpoints_lead_to_the_operators_region() -> None:
    async with adapted(
        aws_region="eu-central-1", aws_access_key_id=Secret("AKIDEXAMPLE"), aws_secret_access_key=Secret("secret-of-ours")
    ) as adapter:
        listed = {each.name: each for each in (await adapter.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(), timeout=5)).endpoints}
    assert listed["bedrock-claude"].base_url == "https://bedrock-runtime.eu-central-1.amazonaws.com"
    assert listed["mantle-claude"].base_url == "https://bedrock-mantle.eu-central-1.api.aws/anthropic"
    assert (listed["bedrock-claude"].has_credential, listed["mantle-claude"].has_credential) == (True, False)


def test_streams_of_either_kind_are_told_apart_by_their_first_byte() -> None:
    lines, frames = EitherParser(), EitherParser()
    assert lines.feed(b"") + lines.feed(b"data: x\n\n") == [(b"x", "")]
    assert frames.feed(event("a", {})[:1]) + frames.feed(event("a", {})[1:]) == [(b"{}", "a")]
    assert lines.rest() == frames.rest() == EitherParser().rest() == []
