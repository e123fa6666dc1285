"""The port of the servicer: what an adapter does for each RPC, over whatever wire it reaches its endpoints."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from typing import Protocol

from google.protobuf.message import Message

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_adapter_kit.adapter import MethodRequest


class ServedAdapter(Protocol):
    """An adapter. `Adapter` is one over HTTP."""

    def generate(self, request: adapter_pb2.GenerateRequest) -> Awaitable[adapter_pb2.GenerateResponse]:
        """A whole answer."""

    def stream(self, request: adapter_pb2.GenerateStreamRequest) -> AsyncGenerator[adapter_pb2.GenerateStreamResponse]:
        """An answer as it comes."""

    async def embed(self, request: adapter_pb2.EmbedRequest) -> adapter_pb2.EmbedResponse:
        """Embed texts, and answer in one message."""

    def embed_stream(self, request: adapter_pb2.EmbedStreamRequest) -> AsyncGenerator[adapter_pb2.EmbedStreamResponse]:
        """Vectors, in pieces."""

    async def answer(self, rpc: str, request: MethodRequest, response: Message) -> None:
        """The answer to a method with one input and one output."""

    async def count(self, request: adapter_pb2.CountTokensRequest) -> embed_pb2.TokenCount:
        """A count of input tokens."""

    async def endpoints(self, request: adapter_pb2.ListEndpointsRequest) -> adapter_pb2.ListEndpointsResponse:
        """A page of endpoints, and how they stand."""

    async def discover(self, name: str) -> adapter_pb2.DiscoverModelsResponse:
        """The models that an endpoint offers."""

    async def check(self, request: adapter_pb2.CheckEndpointRequest) -> adapter_pb2.CheckEndpointResponse:
        """Whether an endpoint answers and admits the mesh."""
