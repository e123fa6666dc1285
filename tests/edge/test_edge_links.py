"""The edge with its gateway in another process: the same behaviour over gRPC."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from llm_mesh.policy.v1 import errors_pb2 as policy_errors
from llm_mesh_edge.settings import Settings
from llm_mesh_edge.wiring import service
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.testing import FakePolicy, host
from tests.edge.fakes import STARTED, FakeGateway, text

MESSAGES: Any = [{"role": "user", "content": "hi"}]


class PolicyError(MeshError):
    reasons = policy_errors.ErrorReason


@pytest.fixture
async def apart() -> AsyncIterator[tuple[FakeGateway, openai.AsyncOpenAI]]:
    gateway = FakeGateway()
    services = (service, gateway.service(), FakePolicy().service())
    async with (
        host(*services, link="grpc", settings={"edge": Settings()}) as mesh,
        openai.AsyncOpenAI(base_url=f"http://{mesh.http('edge')}/v1", api_key="mk_ana", max_retries=0) as sdk,
    ):
        yield gateway, sdk


async def test_whole_and_streamed(apart: tuple[FakeGateway, openai.AsyncOpenAI]) -> None:
    gateway, sdk = apart
    answer = await sdk.chat.completions.create(model="m", messages=MESSAGES, extra_headers={"x-request-id": "mine"})
    assert answer.choices[0].message.content == "hello world"
    assert gateway.metadata[0]["x-request-id"] == "mine"
    stream = await sdk.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]) == "hello world"


async def test_a_failure_keeps_its_reason_and_details(apart: tuple[FakeGateway, openai.AsyncOpenAI]) -> None:
    gateway, sdk = apart
    gateway.fails = PolicyError(policy_errors.ERROR_REASON_LIMIT_EXCEEDED, "too many", retry_after=2.0)
    with pytest.raises(openai.RateLimitError) as raised:
        await sdk.chat.completions.create(model="m", messages=MESSAGES)
    assert (raised.value.code, raised.value.response.headers["retry-after"]) == ("rate_limit_exceeded", "2")


async def test_a_client_that_leaves_cancels_across_processes(apart: tuple[FakeGateway, openai.AsyncOpenAI]) -> None:
    gateway, sdk = apart
    gateway.says = [STARTED, text("hello"), gateway.wait]
    stream = await sdk.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    await anext(aiter(stream))
    await gateway.waiting.wait()
    await stream.close()
    async with asyncio.timeout(2.5):
        await gateway.cancelled.wait()


async def test_a_slow_client_that_leaves_cancels_too(apart: tuple[FakeGateway, openai.AsyncOpenAI]) -> None:
    """The edge waits for its client then, and not for the gateway."""
    gateway, sdk = apart
    gateway.says = [STARTED, *(text("x" * 50_000) for _ in range(400))]
    stream = await sdk.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    for _ in range(50):
        await asyncio.sleep(0.002)  # until nothing moves any more
    assert not gateway.ended.is_set()
    await stream.close()
    async with asyncio.timeout(2):
        await gateway.ended.wait()
