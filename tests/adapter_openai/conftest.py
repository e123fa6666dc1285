"""The adapter, hosted as its peers see it, in front of a running simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_openai.settings import Settings
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_runtime.seals import Seals
from llm_mesh_runtime.testing import HostedMesh, Link, host
from llm_mesh_simulator.provider.app import Simulator
from llm_mesh_simulator.store.journal import Journal

Limits = dict[str, float] | None


@dataclass(frozen=True)
class Upstream:
    """The simulator: where it listens and what it wrote."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def lines(self, event: str) -> list[dict[str, Any]]:
        return [line for line in map(orjson.loads, self.log.read_bytes().splitlines()) if line["event"] == event]

    async def wait_for(self, event: str, count: int = 1, seconds: float = 5.0) -> list[dict[str, Any]]:
        """The lines of one kind, once there are so many: the log is a file, which tells nobody that it grows."""
        async with asyncio.timeout(seconds):
            while len(found := self.lines(event)) < count:  # noqa: ASYNC110  see above
                await asyncio.sleep(0.002)
        return found


@pytest.fixture
async def upstream(tmp_path: Path) -> AsyncIterator[Upstream]:
    log = tmp_path / "simulator.log.jsonl"
    journal = Journal(log)
    journal.open()
    listener = HttpListener("127.0.0.1:0", Simulator(journal))
    await listener.start()
    yield Upstream(int(listener.address.rpartition(":")[2]), log)
    await listener.stop(1)
    journal.close()


class Client:
    """A gateway's view of the adapter: requests with grants that fit."""

    def __init__(self, mesh: HostedMesh) -> None:
        self.stub = adapter_pb2_grpc.AdapterServiceStub(mesh.channel("adapter/openai", caller="gateway"))
        self.seals: Seals = mesh.links("gateway").seals

    def attempt(self, model: str, *, endpoint: str = "simulator", limits: Limits = None) -> plan_pb2.Attempt:
        attempt = plan_pb2.Attempt(
            id="a1",
            adapter="openai",
            endpoint=endpoint,
            upstream_model=model,
            model="domains/shared/models/m",
            max_output_tokens=1000,
            max_input_tokens=1000,
            dialect="openai",
        )
        for name, seconds in (limits or {}).items():
            getattr(attempt.limits, name).FromNanoseconds(int(seconds * 1e9))
        return attempt

    def grant(
        self, attempt: plan_pb2.Attempt, *, seconds: float = 60, audience: str = "adapter/openai", **changes: Any
    ) -> resources_pb2.Sealed:
        granted = admission_pb2.AttemptGrant(
            attempt_id=attempt.id,
            adapter=attempt.adapter,
            endpoint=attempt.endpoint,
            upstream_model=attempt.upstream_model,
            credential=attempt.credential,
            region=attempt.region,
            max_output_tokens=1000,
            max_candidates=4,
        )
        for name, value in changes.items():
            setattr(granted, name, value)
        grant = admission_pb2.Grant(reservation_id="r1", domain="domains/claims", project="domains/claims/projects/p", attempts=[granted])
        grant.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))
        return self.seals.sealed(grant.DESCRIPTOR.full_name, grant.SerializeToString(), audience)

    def request(self, model: str, given: generate_pb2.GenerateInput | None = None, limits: Limits = None) -> dict[str, Any]:
        attempt = self.attempt(model, limits=limits)
        return {"grant": self.grant(attempt), "attempt": attempt, "input": given or say("Good morning, Ana")}

    async def generate(
        self, model: str, given: generate_pb2.GenerateInput | None = None, limits: Limits = None
    ) -> adapter_pb2.GenerateResponse:
        return await self.stub.Generate(adapter_pb2.GenerateRequest(**self.request(model, given, limits=limits)), timeout=10)

    async def stream(
        self, model: str, given: generate_pb2.GenerateInput | None = None, limits: Limits = None
    ) -> list[adapter_pb2.GenerateStreamResponse]:
        call = self.stub.GenerateStream(adapter_pb2.GenerateStreamRequest(**self.request(model, given, limits=limits)), timeout=10)
        try:
            return [message async for message in call]
        finally:
            call.cancel()


def say(text: str, **fields: Any) -> generate_pb2.GenerateInput:
    """A request with one message."""
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text=text))])
    return generate_pb2.GenerateInput(model="m", messages=[message], **fields)


def settings_for(url: str, **more: Any) -> Settings:
    """The simulator at its port."""
    return Settings(endpoints={"simulator": url, **more.pop("endpoints", {})}, **more)


@pytest.fixture(params=["local", "grpc"])
async def client(request: pytest.FixtureRequest, upstream: Upstream) -> AsyncIterator[Client]:
    link: Link = request.param
    async with host(service, link=link, settings={"adapter/openai": settings_for(upstream.url)}) as mesh:
        yield Client(mesh)


@pytest.fixture
async def near(upstream: Upstream) -> AsyncIterator[Client]:
    """The adapter in the same process: for cases that are not about links."""
    async with host(service, settings={"adapter/openai": settings_for(upstream.url)}) as mesh:
        yield Client(mesh)
