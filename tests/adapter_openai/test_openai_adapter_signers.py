"""Signers that the mesh does not have plug in: a token that is fetched anew, and a signature over the whole request."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import no_credential
from llm_mesh_adapter_kit.http import HttpRequest
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_openai.provider.dialect import OpenAIDialect
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_kit.scripted_provider import Visit, chunked, provider, sized
from tests.adapter_openai.plugged import plugged

CHUNK = '{"id":"1","model":"m","created":1,"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":"stop"}]}'


class Rotating:
    """Every request has a token of its own."""

    usable = True

    def __init__(self) -> None:
        self.secrets: list[str] = []
        self.requests: list[HttpRequest] = []

    def fixed(self, credential: str) -> None:
        """No header stays the same."""

    async def sign(self, credential: str, request: HttpRequest) -> Mapping[str, str]:
        await asyncio.sleep(0)
        self.requests.append(request)
        self.secrets = [f"token-number-{len(self.requests)}"]
        digest = hashlib.sha256(f"{request.method} {request.url} {request.body.decode()}".encode()).hexdigest()
        return {"authorization": f"Bearer {self.secrets[0]}", "x-signature": digest, "x-team": "signed"}


def endpoint(port: int, signer: Any) -> Endpoint:
    return Endpoint(
        name="simulator", provider="S", base_url=f"http://127.0.0.1:{port}", local=True, own_signer=signer, headers={"x-team": "blue"}
    )


async def test_each_request_is_signed_whole_and_no_token_comes_back() -> None:
    """The provider says every token that it ever saw, in each answer."""
    received: list[bytes] = []

    async def handle(visit: Visit) -> None:
        while request := await visit.request():
            received.append(request)
            tokens = " ".join(token.decode() for token in _values(received, b"authorization"))
            event = f"data: {CHUNK % tokens}\n\ndata: [DONE]\n\n".encode()
            await visit.say(chunked([event], b"content-type: text/event-stream", b"x-request-id: " + tokens.split()[-1].encode()))

    signer = Rotating()
    async with provider(handle) as (_, port), plugged(OpenAIDialect({}), endpoint(port, signer)) as client:
        for _ in range(3):
            messages = await client.stream("m")
            text = "".join(event.text.text for message in messages for event in message.events)
            assert "token-number" not in text
            assert "***" in text
            assert messages[-1].final.provider_request_id == "***"
    assert _values(received, b"authorization") == [b"Bearer token-number-1", b"Bearer token-number-2", b"Bearer token-number-3"]
    assert _values(received, b"x-team") == [b"signed"] * 3, "a signed header goes out once"
    for request, sent in zip(signer.requests, received, strict=True):
        head, _, body = sent.partition(b"\r\n\r\n")
        assert (request.method, request.url) == ("POST", f"http://127.0.0.1:{port}/chat/completions")
        assert request.body == body
        assert json.loads(body)["model"] == "m"
        names = {line.partition(b":")[0].decode() for line in head.split(b"\r\n")[1:]}
        assert names == request.headers.keys() | {"host", "accept-encoding", "user-agent", "content-length", "authorization", "x-signature"}
        digest = hashlib.sha256(f"{request.method} {request.url} ".encode() + body).hexdigest()
        assert f"x-signature: {digest}".encode() in head


class Stalled(Rotating):
    async def sign(self, credential: str, request: HttpRequest) -> Mapping[str, str]:
        await asyncio.Event().wait()
        raise AssertionError


class Empty(Rotating):
    async def sign(self, credential: str, request: HttpRequest) -> Mapping[str, str]:
        raise no_credential("simulator", "the token was revoked")


@pytest.mark.parametrize(("signer", "reason"), [(Stalled(), "PROVIDER_TIMEOUT"), (Empty(), "NO_CREDENTIAL")])
async def test_nothing_is_sent_where_the_signer_does_not_sign(signer: Rotating, reason: str) -> None:
    async def handle(visit: Visit) -> None:
        await visit.say(sized(b"{}"))

    async with provider(handle) as (seen, port):
        async with plugged(OpenAIDialect({}), endpoint(port, signer), Limits(connect=0.05)) as client:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await client.stub.Generate(adapter_pb2.GenerateRequest(**client.request("m")), timeout=10)
            with pytest.raises(grpc.aio.AioRpcError):
                await client.stub.DiscoverModels(adapter_pb2.DiscoverModelsRequest(endpoint="simulator"), timeout=10)
        error = from_rpc_error(caught.value)
        assert (error.reason_name, error.metadata["sent"]) == (reason, "false")
        assert seen.visits == []


def _values(requests: list[bytes], name: bytes) -> list[bytes]:
    lines = [line for request in requests for line in request.partition(b"\r\n\r\n")[0].split(b"\r\n")]
    return [line.partition(b": ")[2] for line in lines if line.partition(b":")[0] == name]
