"""The adapter in front of a fake server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import rerank_pb2
from llm_mesh_adapter_oip.settings import Settings
from llm_mesh_adapter_oip.wiring import service
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_kit.standing_adapter import ENDPOINT, StandingAdapter, at
from tests.adapter_oip.fake_server import RERANKER, FakeServer, Script, serving


def settings(port: int, more: dict[str, Any] | None = None, **others: Any) -> Settings:
    """The adapter's settings, with one endpoint."""
    endpoint = {"base_url": f"http://127.0.0.1:{port}", "local": True, **(more or {})}
    return Settings(endpoints={ENDPOINT: json.dumps(endpoint)}, **others)


@asynccontextmanager
async def asked(script: Script | None = None, **more: Any) -> AsyncIterator[tuple[StandingAdapter, FakeServer]]:
    """Both of them. `more` goes into the endpoint's setting."""
    async with serving(script) as made, at(service, settings(made.port, more)) as adapter:
        yield adapter, made


async def ranked(adapter: StandingAdapter, documents: Sequence[str], query: str = "q", **more: Any) -> adapter_pb2.RerankResponse:
    """Documents in their order."""
    given = rerank_pb2.RerankInput(query=query, documents=[rerank_pb2.RerankDocument(text=each) for each in documents], **more)
    return await adapter.stub.Rerank(adapter_pb2.RerankRequest(**adapter.granted(RERANKER), input=given), timeout=20)


async def failure_of(call: Awaitable[object]) -> Any:
    """How a call fails."""
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    return from_rpc_error(failure.value)


def scores_of(response: adapter_pb2.RerankResponse) -> list[tuple[int, float]]:
    """Index and score of each result."""
    return [(each.index, each.score) for each in response.output.results]


def vectors_of(response: adapter_pb2.EmbedResponse) -> list[list[float]]:
    """The vectors, in the order of the items."""
    return [list(each.values) for each in response.output.embeddings]
