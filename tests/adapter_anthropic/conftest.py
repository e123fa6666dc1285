"""The adapter hosted beside the simulator, which it reaches over HTTP as it reaches any provider."""

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.adapter.v1.adapter_pb2_grpc import AdapterServiceStub
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_anthropic.settings import Settings
from llm_mesh_adapter_anthropic.wiring import service
from llm_mesh_runtime.testing import HostedMesh, Link, host
from llm_mesh_simulator.settings import Settings as SimulatorSettings
from llm_mesh_simulator.wiring import service as simulator_service

ENDPOINT = "simulator-anthropic"
_numbers = itertools.count(1)


def saying(text: str = "Say hello", **more: Any) -> generate_pb2.GenerateInput:
    """A question."""
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text=text))])
    return generate_pb2.GenerateInput(messages=[message], **more)


def attempt(model: str = "sim-echo", **more: Any) -> plan_pb2.Attempt:
    """An attempt at the simulator. Each has an id of its own."""
    wanted: dict[str, Any] = {"adapter": "anthropic", "endpoint": ENDPOINT, "max_output_tokens": 256, "max_input_tokens": 10_000} | more
    return plan_pb2.Attempt(id=f"a{next(_numbers)}", upstream_model=model, **wanted)


@dataclass
class Adapted:
    """The adapter, and what stands behind it."""

    mesh: HostedMesh
    simulator: str

    @property
    def stub(self) -> "AdapterServiceStub":
        """The adapter as the gateway has it."""
        return AdapterServiceStub(self.mesh.channel("adapter/anthropic", caller="gateway"))

    def grant(self, attempt: plan_pb2.Attempt, *, expired: bool = False, audience: str = "adapter/anthropic") -> resources_pb2.Sealed:
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
        grant = admission_pb2.Grant(reservation_id="01j", domain="domains/claims", attempts=[allowed])
        grant.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=-1 if expired else 60))
        return self.mesh.links("gateway").seals.sealed(grant.DESCRIPTOR.full_name, grant.SerializeToString(), audience)

    async def generate(
        self, request: generate_pb2.GenerateInput, made: plan_pb2.Attempt, *, exact: bool = False
    ) -> adapter_pb2.GenerateResponse:
        """A whole answer."""
        asked = adapter_pb2.GenerateRequest(grant=self.grant(made), attempt=made, input=request, exact=exact)
        return await self.stub.Generate(asked, timeout=20)

    async def stream(
        self, request: generate_pb2.GenerateInput, made: plan_pb2.Attempt, told: list[generate_pb2.StreamEvent] | None = None
    ) -> tuple[list[generate_pb2.StreamEvent], adapter_pb2.AttemptReport]:
        """All events of a stream, and its report. `told` has what came before a failure."""
        events = [] if told is None else told
        asked = adapter_pb2.GenerateStreamRequest(grant=self.grant(made), attempt=made, input=request)
        final = adapter_pb2.AttemptReport()
        async for message in self.stub.GenerateStream(asked, timeout=20):
            events.extend(message.events)
            if message.HasField("final"):
                final = message.final
        return events, final

    async def sent(self) -> dict[str, Any]:
        """What reached the provider last."""
        return (await self.admin("GET", "requests?limit=1"))["requests"][-1]  # type: ignore[no-any-return] # JSON

    async def admin(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The simulator's own interface."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"http://{self.simulator}/_simulator/{path}", json=body) as answer,
        ):
            return await answer.json()


@asynccontextmanager
async def adapted(link: Link = "local", **settings: Any) -> AsyncIterator[Adapted]:
    """The adapter and the simulator, each in a host of its own."""
    simulated = SimulatorSettings(address="127.0.0.1:0", log_path="-")
    async with host(simulator_service, settings={"simulator": simulated}) as behind:
        address = behind.http("simulator")
        endpoints = {ENDPOINT: f"http://{address}"} | settings.pop("endpoints", {})
        async with host(service, link=link, settings={"adapter/anthropic": Settings(endpoints=endpoints, **settings)}) as mesh:
            yield Adapted(mesh, address)


@pytest.fixture
async def adapter() -> AsyncIterator[Adapted]:
    async with adapted() as made:
        yield made
