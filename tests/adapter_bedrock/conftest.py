"""The adapter in front of the simulator, or of a provider that answers with given bytes."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.adapter.v1.adapter_pb2_grpc import AdapterServiceStub
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_bedrock.settings import Settings
from llm_mesh_adapter_bedrock.wiring import service
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.testing import HostedMesh, host
from llm_mesh_simulator.settings import Settings as SimulatorSettings
from llm_mesh_simulator.wiring import service as simulator_service
from tests.adapter_kit.scripted_provider import Provider, Visit, provider

ENDPOINT = "simulator-bedrock"
_numbers = itertools.count(1)
Part = content_pb2.Part


def saying(text: str = "Say hello", **more: Any) -> generate_pb2.GenerateInput:
    """A question."""
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[Part(text=content_pb2.Text(text=text))])
    return generate_pb2.GenerateInput(messages=[message], **more)


def attempt(model: str = "sim-echo", endpoint: str = ENDPOINT, **more: Any) -> plan_pb2.Attempt:
    """An attempt. Each has an id of its own."""
    wanted: dict[str, Any] = {"adapter": "bedrock", "endpoint": endpoint, "max_output_tokens": 4096, "max_input_tokens": 10_000} | more
    return plan_pb2.Attempt(id=f"a{next(_numbers)}", upstream_model=model, **wanted)


@dataclass
class Adapted:
    """The adapter as the gateway has it."""

    mesh: HostedMesh
    provider: Provider | None = None
    simulator: str = ""

    @property
    def stub(self) -> AdapterServiceStub:
        return AdapterServiceStub(self.mesh.channel("adapter/bedrock", caller="gateway"))

    @property
    def sent(self) -> tuple[str, Mapping[str, str], Any]:
        """Path, headers and body of what reached the provider last."""
        assert self.provider is not None
        head, _, body = self.provider.requests[-1].partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return first.split(" ")[1], headers, json.loads(body) if body else None

    def grant(self, made: plan_pb2.Attempt) -> resources_pb2.Sealed:
        """A grant for just this attempt, as policy seals it."""
        allowed = admission_pb2.AttemptGrant(
            attempt_id=made.id,
            adapter=made.adapter,
            endpoint=made.endpoint,
            upstream_model=made.upstream_model,
            credential=made.credential,
            max_output_tokens=made.max_output_tokens,
            max_candidates=4,
        )
        grant = admission_pb2.Grant(reservation_id="01j", domain="domains/claims", attempts=[allowed])
        grant.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=60))
        return self.mesh.links("gateway").seals.sealed(grant.DESCRIPTOR.full_name, grant.SerializeToString(), "adapter/bedrock")

    async def admin(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The simulator's own interface."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"http://{self.simulator}/_simulator/{path}", json=body) as answer,
        ):
            return await answer.json()

    async def generate(
        self, request: generate_pb2.GenerateInput, made: plan_pb2.Attempt, *, exact: bool = False
    ) -> adapter_pb2.GenerateResponse:
        """A whole answer."""
        asked = adapter_pb2.GenerateRequest(grant=self.grant(made), attempt=made, input=request, exact=exact)
        return await self.stub.Generate(asked, timeout=20)

    async def stream(
        self, request: generate_pb2.GenerateInput, made: plan_pb2.Attempt, seen: list[generate_pb2.StreamEvent] | None = None
    ) -> tuple[list[generate_pb2.StreamEvent], adapter_pb2.AttemptReport]:
        """All events of a stream, and its report. `seen` has what came before a failure."""
        events = [] if seen is None else seen
        asked = adapter_pb2.GenerateStreamRequest(grant=self.grant(made), attempt=made, input=request)
        report = adapter_pb2.AttemptReport()
        async for message in self.stub.GenerateStream(asked, timeout=20):
            events.extend(message.events)
            report = message.final
        return events, report

    async def embed(self, request: embed_pb2.EmbedInput, made: plan_pb2.Attempt) -> adapter_pb2.EmbedResponse:
        """Vectors."""
        return await self.stub.Embed(adapter_pb2.EmbedRequest(grant=self.grant(made), attempt=made, input=request), timeout=20)

    async def count(self, request: generate_pb2.GenerateInput, made: plan_pb2.Attempt) -> embed_pb2.TokenCount:
        """A count."""
        return (await self.stub.CountTokens(adapter_pb2.CountTokensRequest(attempt=made, input=request), timeout=20)).count


@asynccontextmanager
async def scripted(*pieces: bytes, credentials: Mapping[str, Secret] | None = None, **endpoint: Any) -> AsyncIterator[Adapted]:
    """The adapter, at whose provider each request is answered by these pieces of bytes."""

    async def handle(visit: Visit) -> None:
        while request := await visit.request():
            standing.requests.append(request)
            await visit.say(*pieces)

    async with provider(handle) as (standing, port):
        chosen = {"base_url": f"http://127.0.0.1:{port}", "local": True} | endpoint
        wanted = Settings(endpoints={ENDPOINT: json.dumps(chosen)}, credentials=credentials or {})
        async with host(service, settings={"adapter/bedrock": wanted}) as mesh:
            yield Adapted(mesh, standing)


@asynccontextmanager
async def adapted(**settings: Any) -> AsyncIterator[Adapted]:
    """The adapter and the simulator, each in a host of its own."""
    simulated = SimulatorSettings(address="127.0.0.1:0", log_path="-")
    async with host(simulator_service, settings={"simulator": simulated}) as behind:
        address = behind.http("simulator")
        async with host(service, settings={"adapter/bedrock": Settings(simulator=address, **settings)}) as mesh:
            yield Adapted(mesh, simulator=address)


@pytest.fixture
async def adapter() -> AsyncIterator[Adapted]:
    """The adapter in front of the simulator."""
    async with adapted() as made:
        yield made
