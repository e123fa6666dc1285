"""The gateway of another mesh that answers as it is told, and remembers what it is asked; and the adapter in front of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.adapter.v1.adapter_pb2_grpc import AdapterServiceStub
from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_mesh.settings import Settings
from llm_mesh_adapter_mesh.wiring import service
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.status import serialised_status
from llm_mesh_runtime.testing import host

ENDPOINT, MODEL, KEY, OWN = "hq", "hq/summariser", "mk_other_secret", "claims-eu"
PROJECT = "domains/claims/projects/triage"
USAGE = generate_pb2.Usage(input_tokens=5, output_tokens=7)
ANSWER = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[content_pb2.Part(text=content_pb2.Text(text="Hello back"))])
CHARGED = resources_pb2.Money(currency="EUR", nanos=1234)
RESERVATION = "domains/hq/projects/p/reservations/01ABC"
METHODS = ("Rerank", "Moderate", "Assess", "GenerateImage", "Speak", "Transcribe")


def receipt(source: usage_pb2.UsageSource = usage_pb2.USAGE_SOURCE_PROVIDER, *, replayed: bool = False) -> gateway_pb2.Receipt:
    line = usage_pb2.ChargeLine()
    line.usage.outcome, line.usage.source = usage_pb2.ATTEMPT_OUTCOME_COMPLETED, source
    if replayed:
        return gateway_pb2.Receipt(reservation=RESERVATION, charged={"currency": "EUR"}, replayed=True, first=receipt(source))
    return gateway_pb2.Receipt(
        reservation=RESERVATION, request_id="r1", charged=CHARGED, model="domains/hq/models/summariser", lines=[line]
    )


@dataclass
class OtherMesh(gateway_pb2_grpc.GatewayServiceServicer):
    """Answers every method; fails all of them with `failure` where that is set."""

    asked: list[Any] = field(default_factory=list)
    metadata: list[Mapping[str, Any]] = field(default_factory=list)
    remaining: list[float] = field(default_factory=list)
    failure: MeshError | None = None
    bare: grpc.StatusCode | None = None
    """A status without details, as something other than a mesh sends it."""
    source: usage_pb2.UsageSource = usage_pb2.USAGE_SOURCE_PROVIDER
    silent: asyncio.Event | None = None
    """Where set, answers wait for it."""
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    vectors: list[list[float]] = field(default_factory=lambda: [[1.0, 2.0], [3.0, 4.0]])
    replayed: bool = False
    cut: bool = False
    """Streams end without their receipt."""

    async def _take(self, request: Any, context: Any) -> None:
        self.asked.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        self.remaining.append(context.time_remaining())
        self.begun.set()
        if self.silent is not None:
            try:
                await self.silent.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        if self.bare is not None:
            await context.abort(self.bare, "no details")
        if self.failure is not None:
            context.set_trailing_metadata((("grpc-status-details-bin", serialised_status(self.failure)),))
            await context.abort(self.failure.code, self.failure.message)

    async def Generate(self, request: Any, context: Any) -> gateway_pb2.GenerateResponse:
        await self._take(request, context)
        output = generate_pb2.GenerateOutput(id="a", model="m", choices=[generate_pb2.Choice(message=ANSWER)], usage=USAGE)
        return gateway_pb2.GenerateResponse(output=output, receipt=receipt(self.source, replayed=self.replayed))

    async def GenerateStream(self, request: Any, context: Any) -> AsyncIterator[gateway_pb2.GenerateStreamResponse]:
        event = generate_pb2.StreamEvent
        yield gateway_pb2.GenerateStreamResponse(events=[event(started=generate_pb2.Started(id="a"))], reservation=RESERVATION)
        yield gateway_pb2.GenerateStreamResponse(events=[event(text=generate_pb2.TextDelta(text="Hello"))])
        await self._take(request, context)
        end = [event(usage=USAGE), event(finished=generate_pb2.Finished())]
        yield gateway_pb2.GenerateStreamResponse(events=end)
        if not self.cut:
            yield gateway_pb2.GenerateStreamResponse(receipt=receipt(self.source, replayed=self.replayed))

    async def EmbedStream(self, request: Any, context: Any) -> AsyncIterator[gateway_pb2.EmbedStreamResponse]:
        await self._take(request, context)
        usage = generate_pb2.Usage(input_tokens=5)
        yield gateway_pb2.EmbedStreamResponse(
            output=embed_pb2.EmbedOutput(model="m", usage=usage), receipt=receipt(self.source, replayed=self.replayed)
        )
        for index, values in enumerate(self.vectors):
            yield gateway_pb2.EmbedStreamResponse(embeddings=[embed_pb2.Embedding(index=index, values=values)])

    async def _answer(self, rpc: str, request: Any, context: Any) -> Any:
        await self._take(request, context)
        answer = getattr(gateway_pb2, f"{rpc}Response")(receipt=receipt(self.source, replayed=self.replayed))
        answer.output.usage.input_tokens = 5
        return answer

    async def Rerank(self, request: Any, context: Any) -> Any:
        return await self._answer("Rerank", request, context)

    async def Moderate(self, request: Any, context: Any) -> Any:
        return await self._answer("Moderate", request, context)

    async def Assess(self, request: Any, context: Any) -> Any:
        return await self._answer("Assess", request, context)

    async def GenerateImage(self, request: Any, context: Any) -> Any:
        return await self._answer("GenerateImage", request, context)

    async def Speak(self, request: Any, context: Any) -> Any:
        return await self._answer("Speak", request, context)

    async def Transcribe(self, request: Any, context: Any) -> Any:
        return await self._answer("Transcribe", request, context)

    async def CountTokens(self, request: Any, context: Any) -> gateway_pb2.CountTokensResponse:
        await self._take(request, context)
        return gateway_pb2.CountTokensResponse(count=embed_pb2.TokenCount(input_tokens=42, source=embed_pb2.COUNT_SOURCE_PROVIDER))

    async def ListModels(self, request: Any, context: Any) -> gateway_pb2.ListModelsResponse:
        await self._take(request, context)
        first = gateway_pb2.ModelSummary(alias="a", capabilities=["tools"], context_window=1000)
        if not request.page_token and request.page_size > 1:
            return gateway_pb2.ListModelsResponse(models=[first], next_page_token="more")
        return gateway_pb2.ListModelsResponse(models=[gateway_pb2.ModelSummary(alias="b")])


@dataclass
class Linked:
    """The adapter as a gateway calls it, and the mesh behind it."""

    stub: AdapterServiceStub
    other: OtherMesh
    sealed: Any

    def granted(
        self, rpc: str, *, bounds: admission_pb2.RequestBounds | None = None, project: str = PROJECT, model: str = MODEL, **more: Any
    ) -> Any:
        """A request of a method with its attempt and grant."""
        attempt = plan_pb2.Attempt(
            id="a1", adapter="mesh", endpoint=ENDPOINT, upstream_model=model, max_output_tokens=256, max_input_tokens=10_000
        )
        allowed = admission_pb2.AttemptGrant(
            attempt_id="a1", adapter="mesh", endpoint=ENDPOINT, upstream_model=model, max_output_tokens=256, max_candidates=1
        )
        grant = admission_pb2.Grant(
            reservation_id="01j", domain=project.partition("/projects/")[0], project=project, attempts=[allowed], bounds=bounds
        )
        grant.zero_retention = more.pop("zero_retention", False)
        grant.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=60))
        request = getattr(adapter_pb2, f"{rpc}Request")(attempt=attempt, **more)
        request.grant.MergeFromString(self.sealed(grant))
        return request


@asynccontextmanager
async def linked(other: OtherMesh | None = None, **endpoint: Any) -> AsyncIterator[Linked]:
    """The adapter in front of another mesh without TLS."""
    mesh = OtherMesh() if other is None else other
    server = grpc.aio.server()
    gateway_pb2_grpc.add_GatewayServiceServicer_to_server(mesh, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with at({"base_url": f"http://127.0.0.1:{port}", "local": True, "credential": "key", **endpoint}, mesh) as made:
            yield made
    finally:
        await server.stop(None)


@asynccontextmanager
async def at(endpoint: Mapping[str, Any], other: OtherMesh, **settings: Any) -> AsyncIterator[Linked]:
    """The adapter with one endpoint."""
    made = Settings(endpoints={ENDPOINT: json.dumps(endpoint)}, credentials={"key": Secret(KEY)}, **settings)
    async with host(service, settings={service.name: made}, id=OWN) as mesh:
        seals = mesh.links("gateway").seals

        def sealed(grant: admission_pb2.Grant) -> bytes:
            return seals.sealed(grant.DESCRIPTOR.full_name, grant.SerializeToString(), service.name).SerializeToString()

        yield Linked(AdapterServiceStub(mesh.channel(service.name, caller="gateway")), other, sealed)
