"""The adapter hosted beside the simulator or a scripted provider, which it reaches over HTTP as it reaches any provider."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
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
from llm_mesh_adapter_gemini.settings import Settings
from llm_mesh_adapter_gemini.wiring import service
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.testing import HostedMesh, host
from llm_mesh_simulator.settings import Settings as SimulatorSettings
from llm_mesh_simulator.wiring import service as simulator_service
from tests.adapter_kit.scripted_provider import Provider, Visit, provider

ENDPOINT = "simulator-gemini"
VERTEX = "simulator-vertex"
PROJECT = "/v1beta1/projects/p/locations/global"
KEY = "AIza-a-key-of-tests"
_numbers = itertools.count(1)


def text_of(text: str) -> content_pb2.Part:
    return content_pb2.Part(text=content_pb2.Text(text=text))


def says(role: content_pb2.Role, *parts: content_pb2.Part) -> content_pb2.Message:
    return content_pb2.Message(role=role, parts=parts)


def saying(text: str = "Say hello", **more: Any) -> generate_pb2.GenerateInput:
    """A question."""
    return generate_pb2.GenerateInput(messages=[says(content_pb2.ROLE_USER, text_of(text))], **more)


def tool(name: str = "get_weather", **more: Any) -> content_pb2.Tool:
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city", "days"]}
    return content_pb2.Tool(function=content_pb2.FunctionTool(name=name, parameters_json=json.dumps(schema), **more))


def result_of(call: content_pb2.ToolCall, text: str) -> content_pb2.Part:
    return content_pb2.Part(tool_result=content_pb2.ToolResult(tool_call_id=call.id, parts=[text_of(text)]))


def calls_in(message: content_pb2.Message) -> list[content_pb2.ToolCall]:
    return [part.tool_call for part in message.parts if part.WhichOneof("kind") == "tool_call"]


def attempt(model: str = "sim-echo", **more: Any) -> plan_pb2.Attempt:
    """An attempt at the simulator. Each has an id of its own."""
    made: dict[str, Any] = {"adapter": "gemini", "endpoint": ENDPOINT, "max_output_tokens": 256, "max_input_tokens": 10_000} | more
    return plan_pb2.Attempt(id=f"a{next(_numbers)}", upstream_model=model, **made)


@dataclass
class Adapted:
    """The adapter as the gateway has it, and where its provider answers."""

    mesh: HostedMesh
    address: str

    @property
    def stub(self) -> AdapterServiceStub:
        return AdapterServiceStub(self.mesh.channel("adapter/gemini", caller="gateway"))

    def grant(self, attempt: plan_pb2.Attempt, domain: str = "domains/claims") -> resources_pb2.Sealed:
        """A grant for just this attempt, as policy seals it."""
        allowed = admission_pb2.AttemptGrant(
            attempt_id=attempt.id,
            adapter=attempt.adapter,
            endpoint=attempt.endpoint,
            upstream_model=attempt.upstream_model,
            credential=attempt.credential,
            region=attempt.region,
            max_output_tokens=attempt.max_output_tokens,
            max_candidates=4,
        )
        grant = admission_pb2.Grant(reservation_id="01j", domain=domain, attempts=[allowed])
        grant.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=60))
        return self.mesh.links("gateway").seals.sealed(grant.DESCRIPTOR.full_name, grant.SerializeToString(), "adapter/gemini")

    async def generate(
        self,
        request: generate_pb2.GenerateInput,
        made: plan_pb2.Attempt | None = None,
        *,
        exact: bool = False,
        domain: str = "domains/claims",
    ) -> adapter_pb2.GenerateResponse:
        made = made or attempt()
        asked = adapter_pb2.GenerateRequest(grant=self.grant(made, domain), attempt=made, input=request, exact=exact)
        return await self.stub.Generate(asked, timeout=20)

    async def stream(
        self, request: generate_pb2.GenerateInput, made: plan_pb2.Attempt | None = None
    ) -> tuple[list[generate_pb2.StreamEvent], adapter_pb2.AttemptReport]:
        made = made or attempt()
        asked = adapter_pb2.GenerateStreamRequest(grant=self.grant(made), attempt=made, input=request)
        messages = [message async for message in self.stub.GenerateStream(asked, timeout=20)]
        return [event for message in messages for event in message.events], messages[-1].final

    async def embed(self, texts: list[str], made: plan_pb2.Attempt, **more: Any) -> adapter_pb2.EmbedResponse:
        request = embed_pb2.EmbedInput(items=[embed_pb2.EmbedItem(text=text) for text in texts], **more)
        return await self.stub.Embed(adapter_pb2.EmbedRequest(grant=self.grant(made), attempt=made, input=request), timeout=20)

    async def sent(self) -> dict[str, Any]:
        """What reached the simulator last."""
        requests = (await self.admin("GET", "requests?limit=1"))["requests"]
        return {**requests[-1], "body": json.loads(requests[-1]["body"])}

    async def admin(self, method: str, path: str, body: object = None) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"http://{self.address}/_simulator/{path}", json=body) as answer,
        ):
            return await answer.json()


@asynccontextmanager
async def adapted(**settings: Any) -> AsyncIterator[Adapted]:
    """The adapter and the simulator, which stands for the Gemini API and for Vertex."""
    simulated = SimulatorSettings(address="127.0.0.1:0", log_path="-")
    async with host(simulator_service, settings={"simulator": simulated}) as behind:
        address = behind.http("simulator")
        vertex = json.dumps({"api": "vertex", "base_url": f"http://{address}{PROJECT}", "local": True})
        endpoints = {ENDPOINT: f"http://{address}/v1", VERTEX: vertex} | settings.pop("endpoints", {})
        made = Settings(endpoints=endpoints, simulator_key=Secret(KEY), **settings)
        async with host(service, settings={"adapter/gemini": made}) as mesh:
            yield Adapted(mesh, address)


@asynccontextmanager
async def scripted(*pieces: bytes, **fields: Any) -> AsyncIterator[tuple[Adapted, Provider]]:
    """The adapter, at whose provider each request is answered by these pieces of bytes."""

    async def handle(visit: Visit) -> None:
        while request := await visit.request():
            standing.requests.append(request)
            await visit.say(*pieces)

    async with provider(handle) as (standing, port):
        endpoint = json.dumps({"base_url": f"http://127.0.0.1:{port}/v1", **fields})
        made = Settings(endpoints={ENDPOINT: endpoint}, simulator_key=Secret(KEY))
        async with host(service, settings={"adapter/gemini": made}) as mesh:
            yield Adapted(mesh, f"127.0.0.1:{port}"), standing


@pytest.fixture
async def adapter() -> AsyncIterator[Adapted]:
    async with adapted() as made:
        yield made
