"""A gateway among fake peers."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1.adapter_pb2_grpc import add_AdapterServiceServicer_to_server
from llm_mesh.catalogue.v1.catalogue_pb2_grpc import add_CatalogueServiceServicer_to_server
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.router.v1.router_pb2_grpc import add_RouterServiceServicer_to_server
from llm_mesh_gateway.domain.execution.executors import Executors
from llm_mesh_gateway.domain.transforms.chain import Transforms
from llm_mesh_gateway.settings import Settings
from llm_mesh_gateway.wiring import build, service
from llm_mesh_runtime.errors import PeerError
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.testing import HostedMesh, Link, host
from tests.gateway.fakes import FakeAdapter, FakeCatalogue, FakePolicy, FakeRouter, hosted

KEY = (("authorization", "Bearer mk_ana"),)


@dataclass
class Mesh:
    """The gateway, its peers, and a client."""

    link: Link = "local"
    settings: Settings = field(default_factory=lambda: Settings(heartbeat=timedelta(seconds=0.05), repetitions=0))
    policy: FakePolicy = field(default_factory=FakePolicy)
    router: FakeRouter = field(default_factory=FakeRouter)
    adapter: FakeAdapter = field(default_factory=FakeAdapter)
    executors: Executors = field(default_factory=dict)
    """Of kinds of plan nodes that the gateway does not have."""
    transforms: Transforms = field(default_factory=dict)
    """Of kinds of obligations that it does not have."""
    running: HostedMesh | None = None

    @property
    def stub(self) -> Any:
        """As an application has it."""
        assert self.running is not None
        return GatewayServiceStub(self.running.channel("gateway", caller="edge"))

    async def generate(self, **fields: Any) -> gateway_pb2.GenerateResponse:
        answer: gateway_pb2.GenerateResponse = await self.stub.Generate(
            request(gateway_pb2.GenerateRequest, **fields), metadata=KEY, timeout=20
        )
        return answer

    def stream(self, **fields: Any) -> Any:
        return self.stub.GenerateStream(request(gateway_pb2.GenerateStreamRequest, **fields), metadata=KEY, timeout=20)

    async def streamed(self, **fields: Any) -> tuple[list[gateway_pb2.GenerateStreamResponse], PeerError | None]:
        """Everything that comes, and how it ended."""
        messages: list[gateway_pb2.GenerateStreamResponse] = []
        call = self.stream(**fields)
        try:
            while (message := await call.read()) is not grpc.aio.EOF:
                messages.append(message)
        except grpc.aio.AioRpcError as error:
            return messages, from_rpc_error(error)
        finally:
            call.cancel()
        return messages, None


def request(kind: Any, words: str = "hi", options: gateway_pb2.RequestOptions | None = None, **fields: Any) -> Any:
    part = content_pb2.Part(text=content_pb2.Text(text=words))
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])
    given = {"model": "gpt-4.1", "messages": [message], **fields}
    return kind(input=generate_pb2.GenerateInput(**given), options=options)


def said(messages: list[gateway_pb2.GenerateStreamResponse]) -> str:
    return "".join(event.text.text for message in messages for event in message.events)


@contextlib.asynccontextmanager
async def running(mesh: Mesh, **options: Any) -> AsyncIterator[Mesh]:
    """Start everything."""
    services = [
        replace(service, build=partial(build, executors=mesh.executors, transforms=mesh.transforms)),
        hosted("router", "llm_mesh.router.v1.RouterService", add_RouterServiceServicer_to_server, mesh.router),
        hosted("catalogue", "llm_mesh.catalogue.v1.CatalogueService", add_CatalogueServiceServicer_to_server, FakeCatalogue()),
        hosted("adapter/fake", "llm_mesh.adapter.v1.AdapterService", add_AdapterServiceServicer_to_server, mesh.adapter),
        mesh.policy.service(),
    ]
    async with host(*services, link=mesh.link, settings={"gateway": mesh.settings}, **options) as mesh.running:
        yield mesh


@pytest.fixture
async def mesh() -> AsyncIterator[Mesh]:
    """Over local links."""
    async with running(Mesh()) as made:
        yield made


@pytest.fixture(params=["local", "grpc"])
async def linked(request: pytest.FixtureRequest) -> AsyncIterator[Mesh]:
    """Over each link."""
    async with running(Mesh(link=request.param)) as made:
        yield made
